// The page of a work: a film with who made it, or a series with its seasons and episodes.

import { Fragment, type ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { api, ApiError, type Work, type WorkSummary } from "../api.ts";
import { complaintOf, isLoggedOut } from "../complaint.ts";
import { language, say, territory } from "../language.ts";
import { Artwork } from "../parts/artwork.tsx";
import { durationText, QualityBadge } from "../parts/badge.tsx";
import { Watched, WorkCard } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Message } from "../parts/message.tsx";
import { People } from "../parts/people.tsx";
import { SearchBox } from "../parts/search-box.tsx";
import { StandingButtons } from "../parts/standing.tsx";
import { follow, searchPath, watchPath, workPath } from "../route.ts";
import { nameOf } from "../strings.ts";
import { clock, worthResuming } from "../timeline.ts";
import { useArrows } from "./home.tsx";

const MOST = "200";

interface Opened {
  readonly work: Work;
  /** What lies in it, and in each of its seasons by the season's id. */
  readonly inside: readonly WorkSummary[];
  readonly episodes: ReadonlyMap<string, readonly WorkSummary[]>;
}

interface WorkPageProps {
  readonly workId: string;
  readonly onLoggedOut: () => void;
}

export function WorkPage({ workId, onLoggedOut }: WorkPageProps) {
  const [opened, setOpened] = useState<Opened>();
  const [complaint, setComplaint] = useState("");
  useArrows();
  useSchemaOrg(workId);
  const load = useCallback(async () => {
    try {
      const found = await open(workId);
      setOpened(found);
      setComplaint("");
      document.title = found.work.work.name;
    } catch (error) {
      if (isLoggedOut(error)) onLoggedOut();
      else if (error instanceof ApiError && error.status === 404) setComplaint(say("player.gone"));
      else setComplaint(complaintOf(error));
    }
  }, [workId, onLoggedOut]);
  useEffect(() => void load(), [load]);

  if (!opened) {
    if (!complaint) return <Message text={say("work.loading")} busy />;
    return <Message text={complaint} action={say("error.retry")} onAction={() => void load()} />;
  }
  return (
    <div class="home about">
      <header class="top">
        <a class="button quiet" href="/" onClick={follow}>
          <Icon name="back" />
          {say("page.home")}
        </a>
        <SearchBox onLoggedOut={onLoggedOut} />
      </header>
      <main>
        <Head opened={opened} />
        <Inside opened={opened} />
        <People credits={opened.work.credits} />
        <Facts work={opened.work} />
        <Like workId={workId} />
      </main>
    </div>
  );
}

async function open(workId: string): Promise<Opened> {
  const work = await api.work(workId, territory);
  if (work.work.kind === "episode") return { work, inside: [], episodes: new Map() };
  const inside = await within(workId);
  const seasons = inside.filter((each) => each.kind === "season");
  const lists = await Promise.all(seasons.map((season) => within(season.work_id)));
  const episodes = new Map(seasons.map((season, place) => [season.work_id, lists[place] ?? []]));
  return { work, inside, episodes };
}

async function within(parent: string): Promise<readonly WorkSummary[]> {
  const works: WorkSummary[] = [];
  let after = "";
  do {
    const page = await api.works({ parent, limit: MOST, after });
    works.push(...page.works);
    after = page.next_cursor;
  } while (after);
  return works;
}

/** The work as search engines read it, in the page for as long as it shows the work. */
function useSchemaOrg(workId: string): void {
  useEffect(() => {
    const script = document.createElement("script");
    script.type = "application/ld+json";
    api.schemaOrg(workId).then(
      (text) => {
        script.textContent = text;
        document.head.append(script);
      },
      (error: unknown) => {
        // An ornament for machines: what people see says what is wrong.
        if (!(error instanceof ApiError)) throw error;
      },
    );
    return () => script.remove();
  }, [workId]);
}

function Head({ opened }: { readonly opened: Opened }) {
  const { work } = opened;
  const { name, year, duration_s: durationS } = work.work;
  const rating = work.rating ?? work.ratings[0];
  const facts = [year, durationS > 0 && durationText(durationS)].filter(Boolean);
  return (
    <section class="feature" aria-labelledby="about">
      <Artwork key={work.work.artwork_url} title={work.work} eager plain />
      <div class="feature-text">
        <Above work={work} />
        <h1 id="about">{name}</h1>
        <p class="facts">
          {rating && <span class="rating">{`${rating.scheme} ${rating.rating}`}</span>}
          {facts.map((fact) => (
            <span key={String(fact)}>{fact}</span>
          ))}
          <Subjects subjects={work.genres} />
          <QualityBadge title={work.work} />
        </p>
        {work.synopsis && <p class="synopsis whole">{work.synopsis}</p>}
        <div class="choices">
          <PlayButton opened={opened} />
          <StandingButtons key={work.work.work_id} workId={work.work.work_id} />
        </div>
      </div>
    </section>
  );
}

function Above({ work }: { readonly work: Work }) {
  const { kind, number } = work.work;
  const place = kind === "episode" && number !== null ? say("work.episode", { number }) : "";
  if (work.above.length === 0) return null;
  return (
    <p class="above">
      {work.above.map((each) => (
        <a key={each.work_id} href={workPath(each.work_id)} onClick={follow}>
          {each.kind === "season" ? seasonName(each) : each.name}
        </a>
      ))}
      {place && <span>{place}</span>}
    </p>
  );
}

/** Plays the title; of a series the episode that was begun, or the first. */
function PlayButton({ opened }: { readonly opened: Opened }) {
  const title = toPlay(opened);
  if (!title) return null;
  const begun = worthResuming(title.position_s, title.duration_s);
  const own = title.work_id === opened.work.work.work_id;
  const text = begun
    ? say("home.resume", { time: clock(title.position_s) })
    : own || title.number === null
      ? say("home.play")
      : say("work.play_first", { number: title.number });
  return (
    <a class="button primary" href={watchPath(title.work_id)} onClick={follow}>
      <Icon name="play" />
      {text}
    </a>
  );
}

function toPlay({ work, inside, episodes }: Opened): WorkSummary | undefined {
  if (work.work.quality !== "none") return work.work;
  const regular = inside.filter((each) => each.kind === "season" && each.number !== 0);
  const all = [
    ...regular.flatMap((season) => episodes.get(season.work_id) ?? []),
    ...inside,
  ].filter((each) => each.kind === "episode");
  return all.find((each) => worthResuming(each.position_s, each.duration_s)) ?? all[0];
}

function Inside({ opened }: { readonly opened: Opened }) {
  const { inside, episodes } = opened;
  const seasons = inside.filter((each) => each.kind === "season");
  const loose = inside.filter((each) => each.kind === "episode");
  const more = inside.filter((each) => each.kind === "supplemental");
  const titles = inside.filter((each) => each.kind === "series" || each.kind === "movie");
  return (
    <>
      {seasons.length > 0 && <Seasons seasons={seasons} episodes={episodes} />}
      {loose.length > 0 && <Episodes heading={say("work.episodes")} episodes={loose} />}
      <Cards id="inside" heading={say("work.inside")} works={titles} />
      <Cards id="more" heading={say("work.more")} works={more} />
    </>
  );
}

function Seasons(props: {
  readonly seasons: readonly WorkSummary[];
  readonly episodes: ReadonlyMap<string, readonly WorkSummary[]>;
}) {
  const { seasons, episodes } = props;
  const [chosen, choose] = useState(() => firstSeason(seasons, episodes));
  const season = seasons.find((each) => each.work_id === chosen);
  if (!season) return null;
  return (
    <>
      {seasons.length > 1 && (
        <div class="seasons" role="group" aria-label={say("work.episodes")}>
          {seasons.map((each) => (
            <button
              key={each.work_id}
              type="button"
              class="button"
              aria-pressed={each.work_id === chosen}
              onClick={() => choose(each.work_id)}
            >
              {seasonName(each)}
            </button>
          ))}
        </div>
      )}
      <Episodes heading={seasonName(season)} episodes={episodes.get(chosen) ?? []} />
    </>
  );
}

/** The season with the episode that was begun; else the first that is not that of the specials. */
function firstSeason(
  seasons: readonly WorkSummary[],
  episodes: ReadonlyMap<string, readonly WorkSummary[]>,
): string {
  const begun = seasons.find((season) =>
    episodes.get(season.work_id)?.some((each) => worthResuming(each.position_s, each.duration_s)),
  );
  return (begun ?? seasons.find((each) => each.number !== 0) ?? seasons[0])?.work_id ?? "";
}

function Episodes(props: {
  readonly heading: string;
  readonly episodes: readonly WorkSummary[];
}) {
  return (
    <section class="row" aria-labelledby="episodes">
      <h2 id="episodes">{props.heading}</h2>
      <ol class="episodes">
        {props.episodes.map((each) => (
          <Episode key={each.work_id} episode={each} />
        ))}
      </ol>
    </section>
  );
}

function Episode({ episode }: { readonly episode: WorkSummary }) {
  const number = episode.kind === "episode" && episode.number !== null ? `${episode.number}. ` : "";
  return (
    <li>
      <a class="card episode" href={watchPath(episode.work_id)} onClick={follow}>
        <span class="card-picture">
          <Artwork title={episode} />
          <span class="card-play">
            <Icon name="play" />
          </span>
          {worthResuming(episode.position_s, episode.duration_s) && <Watched title={episode} />}
        </span>
        <span class="episode-text">
          <span class="episode-name">{`${number}${episode.name}`}</span>
          <span class="card-facts">
            <span>{durationText(episode.duration_s)}</span>
            <QualityBadge title={episode} />
          </span>
          {episode.synopsis_short && <span class="episode-synopsis">{episode.synopsis_short}</span>}
        </span>
      </a>
    </li>
  );
}

function Cards(props: {
  readonly id: string;
  readonly heading: string;
  readonly works: readonly WorkSummary[];
}) {
  if (props.works.length === 0) return null;
  return (
    <section class="row" aria-labelledby={props.id}>
      <h2 id={props.id}>{props.heading}</h2>
      <ul class="strip">
        {props.works.map((each) => (
          <WorkCard key={each.work_id} work={each} />
        ))}
      </ul>
    </section>
  );
}

/** Genres or themes, each leading to what else there is of it. */
function Subjects({ subjects }: { readonly subjects: Work["genres"] }) {
  return (
    <span>
      {subjects.map(({ term_id, name }, place) => (
        <Fragment key={term_id}>
          {place > 0 && ", "}
          <a class="lead-on" href={searchPath(name)} onClick={follow}>
            {name}
          </a>
        </Fragment>
      ))}
    </span>
  );
}

function Facts({ work }: { readonly work: Work }) {
  const original = work.original_language;
  const rows: readonly (readonly [string, ComponentChildren])[] = [
    [say("work.original"), original && nameOf("language", original, language)],
    [say("work.countries"), work.countries.map((each) => nameOf("region", each, language)).join(", ")],
    [say("work.themes"), work.themes.length > 0 && <Subjects subjects={work.themes} />],
    [say("work.ratings"), work.ratings.map((each) => `${each.scheme} ${each.rating}`).join(", ")],
  ];
  const told = rows.filter(([, said]) => said);
  if (told.length === 0) return null;
  return (
    <section class="row">
      <dl class="told">
        {told.map(([name, said]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{said}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** What is like it. An ornament: where search is away, the page does without. */
function Like({ workId }: { readonly workId: string }) {
  const [works, setWorks] = useState<readonly WorkSummary[]>([]);
  useEffect(() => {
    api.like(workId).then(
      ({ hits }) => setWorks(hits.flatMap(({ work }) => (work ? [work] : []))),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      },
    );
  }, [workId]);
  return <Cards id="like" heading={say("work.like")} works={works} />;
}

function seasonName(season: WorkSummary): string {
  const { name, number } = season;
  if (name) return name;
  return number === 0 ? say("work.specials") : say("work.season", { number: number ?? "" });
}
