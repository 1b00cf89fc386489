import { useEffect, useState } from "preact/hooks";
import type { Title } from "../api.ts";
import { say } from "../language.ts";
import { Mark } from "../parts/mark.tsx";
import { useFirstFocus } from "../parts/use-first-focus.ts";
import { follow, go, watchPath } from "../route.ts";
import { clock } from "../timeline.ts";
import { viewer } from "../viewer.ts";
import type { Screening, View } from "./screening.ts";

const RESUME_NOTE_MS = 7_000;
/** How long somebody has to say that the next episode is not to begin by itself. */
const NEXT_IN_S = 8;

interface NoticesProps {
  readonly view: View;
  readonly screening: Screening;
  /** The episode that follows, once it is known. */
  readonly next?: Title | undefined;
}

/** What the player says over the picture: that it loads, resumed, ended, or why it stopped. */
export function Notices({ view, screening, next }: NoticesProps) {
  if (view.phase === "failed") return <Failed view={view} screening={screening} />;
  if (view.phase === "ended") return <Ended screening={screening} next={next} />;
  const busy = busyText(view);
  return (
    <>
      {busy && (
        <div class="notice-busy" role="status">
          <Mark />
          <p>{busy}</p>
        </div>
      )}
      {view.resumedS > 0 && <Resumed view={view} screening={screening} />}
    </>
  );
}

function busyText(view: View): string {
  if (view.phase === "moving") return say("player.moved");
  if (view.phase === "loading") return say("player.loading");
  return view.waiting ? say("player.buffering") : "";
}

function Resumed({ view, screening }: NoticesProps) {
  useEffect(() => {
    const timer = setTimeout(() => screening.decided(), RESUME_NOTE_MS);
    return () => clearTimeout(timer);
  }, [screening]);
  return (
    <div class="notice-resumed" role="status" data-place="control">
      <span>{say("player.resumed", { time: clock(view.resumedS) })}</span>
      <button type="button" onClick={() => screening.startOver()}>
        {say("player.start_over")}
      </button>
    </div>
  );
}

function Ended({ screening, next }: Pick<NoticesProps, "screening" | "next">) {
  return (
    <div class="notice" data-place="control">
      <Mark />
      <p role="status">{say("player.ended")}</p>
      {next && (
        <a class="button primary" href={watchPath(next.title_id)} onClick={follow}>
          {say("player.next", { name: next.name })}
        </a>
      )}
      {next && viewer().autoplay && <BeginsSoon titleId={next.title_id} />}
      <Choices action={say("player.again")} onAction={() => void screening.start(0)} />
    </div>
  );
}

/** Counts down to a title, and goes there unless it is told not to. */
function BeginsSoon({ titleId }: { readonly titleId: string }) {
  const [leftS, setLeftS] = useState(NEXT_IN_S);
  const [stopped, setStopped] = useState(false);
  useEffect(() => {
    if (stopped) return;
    if (leftS === 0) return go(watchPath(titleId));
    const timer = setTimeout(() => setLeftS(leftS - 1), 1_000);
    return () => clearTimeout(timer);
  }, [titleId, leftS, stopped]);
  if (stopped) return null;
  return (
    <p class="notice-soon">
      <span>{say("player.next_in", { seconds: String(leftS) })}</span>
      <button type="button" class="plain" onClick={() => setStopped(true)}>
        {say("player.next_stop")}
      </button>
    </p>
  );
}

function Failed({ view, screening }: NoticesProps) {
  return (
    <div class="notice" data-place="control">
      <Mark />
      <p role="alert">{view.complaint}</p>
      {view.others.map((other) => (
        <button
          type="button"
          class="button"
          key={other.session_id}
          onClick={() => void screening.start(undefined, "loading", other.session_id)}
        >
          {say("player.instead", {
            title: other.title,
            device: other.device || say("player.instead_unnamed"),
          })}
        </button>
      ))}
      <Choices
        action={say("error.retry")}
        onAction={() => void screening.start(view.positionS > 0 ? view.positionS : undefined)}
      />
    </div>
  );
}

function Choices({ action, onAction }: { readonly action: string; readonly onAction: () => void }) {
  const first = useFirstFocus<HTMLButtonElement>();
  return (
    <div class="notice-choices">
      <button type="button" class="button primary" onClick={onAction} ref={first}>
        {action}
      </button>
      <a class="button" href="/" onClick={follow}>
        {say("player.back")}
      </a>
    </div>
  );
}
