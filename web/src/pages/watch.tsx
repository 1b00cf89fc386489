import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, type Title } from "../api.ts";
import { isLoggedOut } from "../complaint.ts";
import { say } from "../language.ts";
import { Icon } from "../parts/icon.tsx";
import { Controls } from "../player/controls.tsx";
import { expose } from "../player/diagnostics.ts";
import { Notices } from "../player/notices.tsx";
import { Screening, type View } from "../player/screening.ts";
import { Stats } from "../player/stats.tsx";
import { useIdle } from "../player/use-idle.ts";
import { useKeys } from "../player/use-keys.ts";
import { follow, go, workPath } from "../route.ts";

interface WatchPageProps {
  readonly titleId: string;
  readonly onLoggedOut: () => void;
}

export function WatchPage({ titleId, onLoggedOut }: WatchPageProps) {
  const stage = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const captions = useRef<HTMLDivElement>(null);
  const [screening, view] = useScreening(titleId, video, captions);
  const name = useTitleName(titleId, onLoggedOut);
  const next = useNext(titleId, view?.phase === "ended");
  const [fullscreen, toggleFullscreen] = useFullscreen(stage);
  const [menuOpen, setMenuOpen] = useState(false);
  const [stats, setStats] = useState(false);
  const mayIdle = view?.phase === "ready" && view.playing && !view.waiting && !menuOpen;
  const [idle, wake] = useIdle(mayIdle);

  useEffect(() => {
    // Hidden controls keep no focus: the arrows belong to the picture again.
    if (idle) stage.current?.focus({ preventScroll: true });
  }, [idle]);

  useKeys({
    stage,
    screening,
    wake,
    onFullscreen: toggleFullscreen,
    onStats: () => setStats((shown) => !shown),
    onEscape: () => go("/"),
  });

  return (
    <main
      ref={stage}
      class={`stage ${idle ? "idle" : ""} ${view?.phase ?? "loading"}`}
      tabIndex={-1}
      aria-label={say("player.label", { name })}
      onPointerMove={wake}
      onPointerDown={wake}
      onFocusCapture={(event) => event.target !== event.currentTarget && wake()}
    >
      <video ref={video} playsInline preload="auto" disableRemotePlayback />
      <Picture
        screening={screening}
        idle={idle}
        onDouble={toggleFullscreen}
      />
      <div class="captions" ref={captions} />
      {view && screening && (
        <>
          <Notices view={view} screening={screening} next={next} />
          <header class="stage-top">
            <a class="control" href="/" onClick={follow} aria-label={say("player.back")} data-place="control">
              <Icon name="back" />
            </a>
            <h1>
              <a href={workPath(titleId)} onClick={follow}>
                {name}
              </a>
            </h1>
          </header>
          {stats && <Stats screening={screening} />}
          {view.phase !== "failed" && (
            <Controls
              view={view}
              screening={screening}
              fullscreen={fullscreen}
              onFullscreen={toggleFullscreen}
              onMenu={setMenuOpen}
            />
          )}
        </>
      )}
    </main>
  );
}

/** The picture as a target: a mouse plays and pauses with it, a finger shows the controls. */
function Picture(props: {
  readonly screening: Screening | undefined;
  readonly idle: boolean;
  readonly onDouble: () => void;
}) {
  const wasIdle = useRef(false);
  return (
    <div
      class="picture"
      aria-hidden="true"
      onPointerDown={() => {
        wasIdle.current = props.idle;
      }}
      onClick={(event) => {
        const touch = "pointerType" in event && event.pointerType === "touch";
        if (!touch || !wasIdle.current) props.screening?.toggle();
      }}
      onDblClick={props.onDouble}
    />
  );
}

interface Held<Element> {
  readonly current: Element | null;
}

/** A screening for as long as the page shows it, and what it looks like now. */
function useScreening(
  titleId: string,
  video: Held<HTMLVideoElement>,
  captions: Held<HTMLDivElement>,
): readonly [Screening | undefined, View | undefined] {
  const [screening, setScreening] = useState<Screening>();
  const [view, setView] = useState<View>();
  useEffect(() => {
    if (!video.current || !captions.current) return;
    let shown = true;
    const made = new Screening(titleId, video.current, captions.current, () => {
      if (shown) setView(made.view());
    });
    const hide = expose(made);
    setScreening(made);
    void made.start();
    return () => {
      shown = false;
      hide();
      void made.close();
    };
  }, [titleId]);
  return [screening, view];
}

function useTitleName(titleId: string, onLoggedOut: () => void): string {
  const [name, setName] = useState("");
  useEffect(() => {
    // The name is an ornament here: whether the title plays is for the play itself to say.
    api.title(titleId).then(
      (title) => {
        setName(title.name);
        document.title = title.name;
      },
      (error: unknown) => {
        if (isLoggedOut(error)) onLoggedOut();
        else if (!(error instanceof ApiError)) throw error;
      },
    );
  }, [titleId]);
  return name;
}

/** The episode that follows, asked for once this one is over. */
function useNext(titleId: string, ended: boolean): Title | undefined {
  const [next, setNext] = useState<Title>();
  useEffect(() => {
    if (!ended) return;
    let wanted = true;
    const ask = async () => {
      const work = await api.work(titleId, "");
      if (work.next_title_id && wanted) setNext(await api.title(work.next_title_id));
    };
    // Without it the end offers what it offers of a film that nothing follows.
    ask().catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
    return () => {
      wanted = false;
    };
  }, [titleId, ended]);
  return next;
}

function useFullscreen(stage: Held<HTMLElement>): readonly [boolean, () => void] {
  const [fullscreen, setFullscreen] = useState(false);
  useEffect(() => {
    const changed = () => setFullscreen(document.fullscreenElement !== null);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, []);
  const toggle = useCallback(async () => {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await stage.current?.requestFullscreen();
    } catch (error) {
      // Refused without a press of the viewer, or by the device: the film stays where it is.
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    }
  }, []);
  return [fullscreen, () => void toggle()];
}
