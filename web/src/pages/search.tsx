// What was found for a text: what there is to watch, and who and what leads to more.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, type Found, type Hit } from "../api.ts";
import { isLoggedOut } from "../complaint.ts";
import { say } from "../language.ts";
import { CardSkeleton, WorkCard } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { More } from "../parts/more.tsx";
import { awayOf, hitPath, SearchBox } from "../parts/search-box.tsx";
import { follow, searchPath } from "../route.ts";
import { reasonOf } from "../suggesting.ts";
import { useArrows } from "./home.tsx";

interface SearchPageProps {
  readonly text: string;
  readonly kids: boolean;
  readonly onLoggedOut: () => void;
}

interface Finding {
  /** Undefined until the first answer. */
  readonly found: Found | undefined;
  readonly complaint: string;
  /** The first page, or the one after what was found. */
  readonly more: () => void;
}

function useFinding(text: string, onLoggedOut: () => void): Finding {
  const [found, setFound] = useState<Found>();
  const [complaint, setComplaint] = useState("");
  const asking = useRef(false);
  const ask = useCallback(
    async (before: Found | undefined) => {
      if (asking.current) return;
      asking.current = true;
      try {
        const page = await api.search(text, before?.next_cursor ?? "");
        setFound({ ...page, hits: [...(before?.hits ?? []), ...page.hits] });
        setComplaint("");
      } catch (error) {
        if (isLoggedOut(error)) onLoggedOut();
        else setComplaint(awayOf(error));
      } finally {
        asking.current = false;
      }
    },
    [text, onLoggedOut],
  );
  useEffect(() => {
    if (text) void ask(undefined);
  }, [text, ask]);
  return { found, complaint, more: () => void ask(found) };
}

export function SearchPage({ text, kids, onLoggedOut }: SearchPageProps) {
  const { found, complaint, more } = useFinding(text, onLoggedOut);
  const heading = useRef<HTMLHeadingElement>(null);
  const like = found?.like;
  const title = !text
    ? say("search.label")
    : like
      ? say("search.like", { name: like })
      : say("search.found", { text });
  useArrows();
  useEffect(() => {
    if (!found) return;
    document.title = title;
    // From here arrows and a reader go on to what was found.
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, [found !== undefined, title]);
  return (
    <div class={kids ? "home found kids" : "home found"}>
      <header class="top">
        <a class="button quiet" href="/" onClick={follow}>
          <Icon name="back" />
          {say("page.home")}
        </a>
        <SearchBox text={text} onLoggedOut={onLoggedOut} />
      </header>
      <main aria-busy={text !== "" && !found && !complaint}>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {found && <Hits hits={found.hits} text={text} />}
        {complaint ? (
          <div class="found-away">
            <p role="alert">{complaint}</p>
            <button type="button" class="button" onClick={more}>
              {say("error.retry")}
            </button>
          </div>
        ) : found?.next_cursor ? (
          <More text={say("search.more")} cursor={found.next_cursor} onMore={more} />
        ) : (
          text && !found && <Loading />
        )}
      </main>
    </div>
  );
}

function Hits({ hits, text }: { readonly hits: readonly Hit[]; readonly text: string }) {
  const people = hits.filter(({ what }) => what === "person");
  const subjects = hits.filter(({ what }) => what === "genre" || what === "theme");
  const works = hits.filter(({ what }) => what === "work");
  if (hits.length === 0) {
    return (
      <p class="found-nothing" role="status">
        {say("search.nothing")}
      </p>
    );
  }
  return (
    <>
      <Leads id="people" heading={say("search.people")} hits={people} text={text} />
      <Leads id="subjects" heading={say("search.subjects")} hits={subjects} text={text} />
      {works.length > 0 && (
        <section class="row" aria-labelledby="works">
          <h2 id="works">{say("search.works")}</h2>
          <ul class="grid">
            {works.map(
              (hit) =>
                hit.work && <WorkCard key={hit.hit_id} work={hit.work} reason={reasonOf(hit)} />,
            )}
          </ul>
        </section>
      )}
    </>
  );
}

/** People, genres and themes: each leads to what is found for its name. */
function Leads(props: {
  readonly id: string;
  readonly heading: string;
  readonly hits: readonly Hit[];
  readonly text: string;
}) {
  if (props.hits.length === 0) return null;
  return (
    <section class="row" aria-labelledby={props.id}>
      <h2 id={props.id}>{props.heading}</h2>
      <ul class="leads">
        {props.hits.map((hit) => (
          <li key={hit.hit_id}>
            <a
              class="button"
              href={hitPath(hit)}
              onClick={follow}
              aria-current={hitPath(hit) === searchPath(props.text) ? "page" : undefined}
            >
              {hit.name}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Loading() {
  return (
    <>
      <p class="unseen" role="status">
        {say("search.loading")}
      </p>
      <ul class="grid" aria-hidden="true">
        {Array.from({ length: 8 }, (_, place) => (
          <CardSkeleton key={place} />
        ))}
      </ul>
    </>
  );
}
