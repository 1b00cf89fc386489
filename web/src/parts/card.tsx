import type { Title, WorkSummary } from "../api.ts";
import { say } from "../language.ts";
import { follow, watchPath, workPath } from "../route.ts";
import { clock, share, worthResuming } from "../timeline.ts";
import { Artwork } from "./artwork.tsx";
import { durationText, QualityBadge } from "./badge.tsx";
import { Icon } from "./icon.tsx";

export function Card({ title }: { readonly title: Title }) {
  const begun = worthResuming(title.position_s, title.duration_s);
  const left = clock(title.duration_s - title.position_s);
  return (
    <li class="titled">
      <a class="card" href={watchPath(title.title_id)} onClick={follow}>
        <span class="card-picture">
          <Artwork title={title} />
          <span class="card-play">
            <Icon name="play" />
          </span>
          {begun && <Watched title={title} />}
        </span>
        <span class="card-name">{title.name}</span>
        <span class="card-facts">
          <span>{begun ? say("title.left", { time: left }) : durationText(title.duration_s)}</span>
          <QualityBadge title={title} />
        </span>
        {title.series && <span class="card-series">{title.series}</span>}
      </a>
      <a
        class="card-about"
        href={workPath(title.title_id)}
        onClick={follow}
        aria-label={say("home.about", { name: title.name })}
        data-aside
      >
        <Icon name="about" />
      </a>
    </li>
  );
}

interface WorkCardProps {
  readonly work: WorkSummary;
  /** What led to it, where that is not its name. */
  readonly reason?: string;
}

/** A work that has a page of its own to choose from. */
export function WorkCard({ work, reason = "" }: WorkCardProps) {
  const facts = [work.year, work.duration_s > 0 && durationText(work.duration_s)].filter(Boolean);
  return (
    <li>
      <a class="card" href={workPath(work.work_id)} onClick={follow}>
        <span class="card-picture">
          <Artwork title={work} />
        </span>
        <span class="card-name">{work.name}</span>
        <span class="card-facts">{facts.join(" · ")}</span>
        {reason && <span class="card-series">{reason}</span>}
      </a>
    </li>
  );
}

interface Begun {
  readonly position_s: number;
  readonly duration_s: number;
}

export function Watched({ title }: { readonly title: Begun }) {
  const width = `${share(title.position_s, title.duration_s) * 100}%`;
  return (
    <span class="watched" aria-hidden="true">
      <span style={{ width }} />
    </span>
  );
}

/** The place of a card whose title is still on its way. */
export function CardSkeleton() {
  return (
    <li class="card skeleton" aria-hidden="true">
      <span class="card-picture" />
      <span class="card-name" />
      <span class="card-facts" />
    </li>
  );
}
