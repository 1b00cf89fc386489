// What the profile watched, and the way to take something out of that.

import { useCallback, useEffect, useState } from "preact/hooks";
import { api, type Viewing } from "../api.ts";
import { complaintOf, isLoggedOut } from "../complaint.ts";
import { language, say } from "../language.ts";
import { Artwork } from "../parts/artwork.tsx";
import { Icon } from "../parts/icon.tsx";
import { follow, workPath } from "../route.ts";
import { sittingsOf, type Sitting } from "../sittings.ts";
import { clock } from "../timeline.ts";
import { useArrows } from "./home.tsx";

const ENDED_SHARE = 0.95;
const day = new Intl.DateTimeFormat(language, { dateStyle: "long" });

interface Watched {
  readonly viewings: readonly Viewing[];
  readonly nextCursor: string;
}

export function HistoryPage({ onLoggedOut }: { readonly onLoggedOut: () => void }) {
  const [watched, setWatched] = useState<Watched>();
  const [complaint, setComplaint] = useState("");
  useArrows();
  const attempt = useCallback(
    async (work: () => Promise<Watched>) => {
      try {
        setWatched(await work());
        setComplaint("");
      } catch (error) {
        if (isLoggedOut(error)) onLoggedOut();
        else setComplaint(complaintOf(error));
      }
    },
    [onLoggedOut],
  );
  useEffect(() => {
    document.title = say("history.title");
    void attempt(() => more([], ""));
  }, [attempt]);
  const remove = (titleId: string, from: Watched) =>
    attempt(async () => {
      await api.removeFromHistory(titleId);
      const left = from.viewings.filter(({ title }) => title.title_id !== titleId);
      return { ...from, viewings: left };
    });
  return (
    <div class="account">
      <header class="bar">
        <a class="button quiet" href="/account" onClick={follow}>
          <Icon name="back" />
          {say("account.title")}
        </a>
      </header>
      <main>
        <h1>{say("history.title")}</h1>
        <p class="lead">{say("history.lead")}</p>
        <p class="complaint" role="alert">
          {complaint}
        </p>
        {watched ? (
          <>
            <Sittings watched={watched} onRemove={(titleId) => void remove(titleId, watched)} />
            {watched.nextCursor && (
              <button
                type="button"
                class="button"
                onClick={() => void attempt(() => more(watched.viewings, watched.nextCursor))}
              >
                {say("history.more")}
              </button>
            )}
          </>
        ) : (
          !complaint && <p role="status">{say("history.loading")}</p>
        )}
        {watched && watched.viewings.length > 0 && (
          <Clear
            onClear={() =>
              void attempt(async () => {
                await api.clearHistory();
                return { viewings: [], nextCursor: "" };
              })
            }
          />
        )}
      </main>
    </div>
  );
}

/** What was read before, and the next page. One without a row that can be shown is passed over. */
async function more(before: readonly Viewing[], cursor: string): Promise<Watched> {
  let page = await api.history(cursor);
  while (page.viewings.length === 0 && page.next_cursor) page = await api.history(page.next_cursor);
  return { viewings: [...before, ...page.viewings], nextCursor: page.next_cursor };
}

function Sittings(props: {
  readonly watched: Watched;
  readonly onRemove: (titleId: string) => void;
}) {
  const sittings = sittingsOf(props.watched.viewings);
  if (sittings.length === 0) return <p role="status">{say("history.empty")}</p>;
  return (
    <ul class="history">
      {sittings.map((sitting) => (
        <Row key={sitting.viewing.watched_at} sitting={sitting} onRemove={props.onRemove} />
      ))}
    </ul>
  );
}

function Row(props: { readonly sitting: Sitting; readonly onRemove: (titleId: string) => void }) {
  const { viewing, furthestS } = props.sitting;
  const { title } = viewing;
  const ended = furthestS >= ENDED_SHARE * title.duration_s;
  const far = say("history.part", { time: clock(furthestS), duration: clock(title.duration_s) });
  return (
    <li>
      <a class="card sitting" href={workPath(title.title_id)} onClick={follow}>
        <span class="card-picture">
          <Artwork title={title} />
        </span>
        <span class="episode-text">
          <span class="episode-name">{title.name}</span>
          <span class="soft">{ended ? say("history.seen") : far}</span>
          <span class="soft">{day.format(new Date(viewing.watched_at))}</span>
        </span>
      </a>
      <button
        type="button"
        class="button quiet round"
        aria-label={say("history.remove", { name: title.name })}
        title={say("history.remove", { name: title.name })}
        onClick={() => props.onRemove(title.title_id)}
      >
        <Icon name="remove" />
      </button>
    </li>
  );
}

/** A second press is asked for: there is no way back. */
function Clear({ onClear }: { readonly onClear: () => void }) {
  const [asked, setAsked] = useState(false);
  return (
    <button
      type="button"
      class={asked ? "button danger" : "button"}
      onBlur={() => setAsked(false)}
      onClick={() => (asked ? onClear() : setAsked(true))}
    >
      {asked ? say("history.clear_sure") : say("history.clear")}
    </button>
  );
}
