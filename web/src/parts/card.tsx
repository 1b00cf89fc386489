import type { Title } from "../api.ts";
import { say } from "../language.ts";
import { follow, watchPath } from "../route.ts";
import { clock, share, worthResuming } from "../timeline.ts";
import { Artwork } from "./artwork.tsx";
import { durationText, QualityBadge } from "./badge.tsx";
import { Icon } from "./icon.tsx";

export function Card({ title }: { readonly title: Title }) {
  const begun = worthResuming(title.position_s, title.duration_s);
  const left = clock(title.duration_s - title.position_s);
  return (
    <li>
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
      </a>
    </li>
  );
}

function Watched({ title }: { readonly title: Title }) {
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
