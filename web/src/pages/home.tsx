import { useEffect } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Member, Title } from "../api.ts";
import { say } from "../language.ts";
import { Artwork } from "../parts/artwork.tsx";
import { durationText, QualityBadge } from "../parts/badge.tsx";
import { Card, CardSkeleton, WorkCard } from "../parts/card.tsx";
import { Icon } from "../parts/icon.tsx";
import { Mark } from "../parts/mark.tsx";
import { SearchBox } from "../parts/search-box.tsx";
import { follow, watchPath, workPath } from "../route.ts";
import { directionOf, moveFocus } from "../spatial.ts";
import { clock, worthResuming } from "../timeline.ts";
import { useTitles, type Shelf } from "./use-titles.ts";

interface HomePageProps {
  readonly serviceName: string;
  readonly member: Member;
  readonly onLogOut: () => void;
  readonly onLoggedOut: () => void;
}

export function HomePage({ serviceName, member, onLogOut, onLoggedOut }: HomePageProps) {
  const { shelf, complaint, retry, more } = useTitles(onLoggedOut);
  useArrows();
  return (
    <div class={member.kids ? "home kids" : "home"}>
      <a class="skip" href="#titles">
        {say("page.skip")}
      </a>
      <header class="top">
        <p class="brand">
          <Mark />
          {serviceName}
        </p>
        <SearchBox onLoggedOut={onLoggedOut} />
        {member.role === "member" ? (
          <a
            class="who"
            href="/profiles"
            onClick={follow}
            aria-label={say("profiles.switch", { name: member.profile_name })}
          >
            {member.profile_name || member.email}
          </a>
        ) : (
          <span class="who">{member.profile_name || member.email}</span>
        )}
        {!member.kids && (
          <button type="button" class="button quiet" onClick={onLogOut}>
            {say("login.out")}
          </button>
        )}
      </header>
      <main id="titles" tabIndex={-1} aria-busy={!shelf && !complaint}>
        {shelf && member.kids ? (
          <KidsShelves shelf={shelf} name={member.profile_name} onMore={more} />
        ) : shelf ? (
          <Shelves shelf={shelf} onMore={more} />
        ) : complaint ? (
          <Sentence text={complaint} alert>
            <button type="button" class="button" onClick={retry}>
              {say("error.retry")}
            </button>
          </Sentence>
        ) : (
          <Loading />
        )}
      </main>
    </div>
  );
}

/** Arrows move the focus over the page; without a focus, down enters it. */
export function useArrows(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const direction = directionOf(event.key);
      if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
      if (document.activeElement === document.body) {
        document.querySelector<HTMLElement>("main a")?.focus();
        event.preventDefault();
      } else if (moveFocus(document, direction)) {
        event.preventDefault();
      }
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

function Shelves({ shelf, onMore }: { readonly shelf: Shelf; readonly onMore: () => void }) {
  const first = shelf.watching[0] ?? shelf.titles[0];
  if (!first) return <Sentence text={say("home.empty")} />;
  return (
    <>
      <Feature title={first} />
      {shelf.watching.length > 0 && (
        <section class="row" aria-labelledby="watching">
          <h2 id="watching">{say("home.watching")}</h2>
          <ul class="strip">
            {shelf.watching.map((title) => (
              <Card key={title.title_id} title={title} />
            ))}
          </ul>
        </section>
      )}
      {shelf.myList.length > 0 && (
        <section class="row" aria-labelledby="my-list">
          <h2 id="my-list">{say("home.my_list")}</h2>
          <ul class="strip">
            {shelf.myList.map((work) => (
              <WorkCard key={work.work_id} work={work} />
            ))}
          </ul>
        </section>
      )}
      {shelf.series.length > 0 && (
        <section class="row" aria-labelledby="series">
          <h2 id="series">{say("home.series")}</h2>
          <ul class="strip">
            {shelf.series.map((work) => (
              <WorkCard key={work.work_id} work={work} />
            ))}
          </ul>
        </section>
      )}
      <section class="row" aria-labelledby="all">
        <h2 id="all">{say("home.titles")}</h2>
        <ul class="grid">
          {shelf.titles.map((title) => (
            <Card key={title.title_id} title={title} />
          ))}
        </ul>
        {shelf.nextCursor && (
          <button type="button" class="button more" onClick={onMore}>
            {say("home.more")}
          </button>
        )}
      </section>
    </>
  );
}

/** For a child: what it began, and what there is. Pictures to press, and nothing to read. */
function KidsShelves(props: {
  readonly shelf: Shelf;
  readonly name: string;
  readonly onMore: () => void;
}) {
  const { watching, titles, nextCursor } = props.shelf;
  if (titles.length === 0) return <Sentence text={say("kids.empty")} />;
  const begun = new Set(watching.map((title) => title.title_id));
  return (
    <section class="row" aria-labelledby="all">
      <h1 id="all">{say("kids.hello", { name: props.name })}</h1>
      <ul class="grid">
        {[...watching, ...titles.filter((title) => !begun.has(title.title_id))].map((title) => (
          <Card key={title.title_id} title={title} />
        ))}
      </ul>
      {nextCursor && (
        <button type="button" class="button more" onClick={props.onMore}>
          {say("home.more")}
        </button>
      )}
    </section>
  );
}

/** The large picture at the top: what was watched last, or the first title. */
function Feature({ title }: { readonly title: Title }) {
  const begun = worthResuming(title.position_s, title.duration_s);
  return (
    <section class="feature" aria-labelledby="feature">
      <Artwork key={title.artwork_url} title={title} eager plain />
      <div class="feature-text">
        <h1 id="feature">{title.name}</h1>
        <p class="facts">
          <span>{durationText(title.duration_s)}</span>
          <QualityBadge title={title} />
        </p>
        {title.synopsis && <p class="synopsis">{title.synopsis}</p>}
        <div class="choices">
          <a class="button primary" href={watchPath(title.title_id)} onClick={follow}>
            <Icon name="play" />
            {begun ? say("home.resume", { time: clock(title.position_s) }) : say("home.play")}
          </a>
          <a class="button" href={workPath(title.title_id)} onClick={follow}>
            {say("home.details")}
          </a>
        </div>
      </div>
    </section>
  );
}

function Sentence(props: {
  readonly text: string;
  readonly alert?: boolean;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class="sentence">
      <Mark />
      <p role={props.alert ? "alert" : "status"}>{props.text}</p>
      {props.children}
    </div>
  );
}

function Loading() {
  return (
    <>
      <p class="unseen" role="status">
        {say("home.loading")}
      </p>
      <div class="feature skeleton" aria-hidden="true" />
      <section class="row" aria-hidden="true">
        <ul class="grid">
          {Array.from({ length: 8 }, (_, place) => (
            <CardSkeleton key={place} />
          ))}
        </ul>
      </section>
    </>
  );
}
