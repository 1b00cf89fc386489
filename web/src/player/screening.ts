// One viewing of one title on this page. It starts a playback session, and starts another one at
// the same place when the appliances of the first are all gone.

import { api, ApiError, type OtherPlay, type Play } from "../api.ts";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import { chooseCaption, type StringKey } from "../strings.ts";
import { clamp, jump, worthResuming, type Span } from "../timeline.ts";
import {
  Engine,
  LoadFailed,
  LoadOvertaken,
  type Caption,
  type Failure,
  type Rung,
  type Sound,
} from "./engine.ts";
import { JUMP_S } from "./keys.ts";
import { firstFor, viewer } from "../viewer.ts";
import { keepPreferences, readPreferences } from "./preferences.ts";
import { keepPlace, takePlace } from "./reloads.ts";
import { Reporter, type Over } from "./reporter.ts";
import { Restarts } from "./restarts.ts";
import { thisDevice } from "./starting.ts";
import { nextRate } from "./winding.ts";

export interface View {
  readonly phase: "loading" | "moving" | "ready" | "ended" | "failed";
  readonly complaint: string;
  /** Those in whose place this one may begin, where too many run. */
  readonly others: readonly OtherPlay[];
  readonly playing: boolean;
  readonly waiting: boolean;
  readonly positionS: number;
  readonly durationS: number;
  readonly buffered: readonly Span[];
  readonly volume: number;
  readonly muted: boolean;
  readonly speed: number;
  /** Whether it can be wound, and how many times its speed it is: 1 where it is not. */
  readonly windable: boolean;
  readonly windRate: number;
  readonly rungs: readonly Rung[];
  readonly rung: Rung | undefined;
  readonly pinned: boolean;
  readonly sounds: readonly Sound[];
  readonly sound: string;
  readonly captions: readonly Caption[];
  readonly caption: string;
  /** Where a jump just went, for a moment. */
  readonly wentToS: number | undefined;
  /** Where the play was resumed, until the viewer decided about it; else 0. */
  readonly resumedS: number;
}

const COMPLAINTS: Readonly<Record<Failure, StringKey>> = {
  media: "player.no_media",
  key: "player.no_key",
  eme: "player.no_eme",
  codec: "player.no_codec",
};

const OVER: Readonly<Record<Over, StringKey>> = {
  unknown_play: "player.over",
  not_logged_in: "error.logged_out",
};

/** How long the place that a jump went to is shown. */
const PREVIEWED_MS = 1_500;

const VIDEO_EVENTS = [
  "play", "pause", "playing", "waiting", "seeking", "seeked", "timeupdate", "progress",
  "durationchange", "volumechange", "ratechange",
] as const;

export class Screening {
  readonly engine: Engine;
  readonly restarts = new Restarts();
  private readonly titleId: string;
  private readonly device = thisDevice();
  private readonly video: HTMLVideoElement;
  private readonly onChange: () => void;
  private play: Play | undefined;
  private reporter: Reporter | undefined;
  private phase: View["phase"] = "loading";
  private complaint = "";
  private others: readonly OtherPlay[] = [];
  private resumedS = 0;
  private wentToS: number | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;
  /** Where the play that is being loaded shall begin, or where the one that broke stood. */
  private aimS = 0;
  /** Counts the starts, so that the tail of an earlier one does nothing. */
  private turn = 0;

  constructor(
    titleId: string,
    video: HTMLVideoElement,
    captions: HTMLElement,
    onChange: () => void,
  ) {
    this.titleId = titleId;
    this.video = video;
    this.onChange = onChange;
    this.engine = new Engine(video, captions, {
      onChange,
      onFailure: (failure) => this.fail(failure),
    });
    const { volume, muted } = readPreferences();
    video.volume = volume;
    video.muted = muted;
    for (const event of VIDEO_EVENTS) video.addEventListener(event, onChange);
    video.addEventListener("ended", this.onEnded);
    window.addEventListener("pagehide", this.onPageHide);
  }

  /** Begin at `fromS`, or where this viewer stopped last time; what is named ends then. */
  async start(
    fromS?: number,
    phase: "loading" | "moving" = "loading",
    insteadOf = this.play?.session_id ?? "",
  ): Promise<void> {
    this.turn += 1;
    const turn = this.turn;
    this.phase = phase;
    this.complaint = "";
    this.others = [];
    this.resumedS = 0;
    this.aimS = fromS ?? 0;
    const reloadedS = takePlace(this.titleId);
    this.onChange();
    // What begins in its stead ends the old play, which hears no report after that.
    if (insteadOf) await this.reporter?.last();
    if (turn !== this.turn) return;
    this.endPlay();
    try {
      const start = { ...(await this.device), instead_of: insteadOf };
      const play = await api.startPlay(this.titleId, start);
      if (turn !== this.turn) return void (await api.endPlay(play));
      this.play = play;
      const resumeS = reloadedS ?? play.resume_s;
      const resumed = fromS === undefined && worthResuming(resumeS, play.duration_s);
      if (resumed) this.aimS = resumeS;
      // What was still buffered played on while the new play was being asked for.
      if (phase === "moving") this.aimS = Math.max(this.aimS, this.video.currentTime);
      await this.engine.load(play, this.aimS);
      if (turn !== this.turn) return;
      this.resumedS = resumed ? resumeS : 0;
      await this.begin(play);
    } catch (error) {
      if (turn === this.turn) this.explain(error);
    }
  }

  /** Ends everything; the object is of no use afterwards. */
  async close(): Promise<void> {
    this.turn += 1;
    clearTimeout(this.settling);
    for (const event of VIDEO_EVENTS) this.video.removeEventListener(event, this.onChange);
    this.video.removeEventListener("ended", this.onEnded);
    window.removeEventListener("pagehide", this.onPageHide);
    this.endPlay();
    await this.engine.close();
  }

  view(): View {
    const { video, engine } = this;
    const ready = this.phase === "ready";
    const { current, pinned } = engine.rung();
    return {
      phase: this.phase,
      complaint: this.complaint,
      others: this.others,
      playing: !video.paused && !video.ended,
      waiting: ready && !video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA,
      positionS: this.positionS(),
      durationS: this.durationS(),
      buffered: engine.buffered(),
      volume: video.volume,
      muted: video.muted || video.volume === 0,
      speed: video.defaultPlaybackRate,
      windable: ready && engine.windable,
      windRate: engine.winding(),
      rungs: engine.rungs(),
      rung: current,
      pinned,
      sounds: engine.sounds(),
      sound: engine.sound(),
      captions: engine.captions(),
      caption: engine.caption(),
      wentToS: this.wentToS,
      resumedS: this.resumedS,
    };
  }

  toggle(): void {
    if (this.phase === "ended") void this.start(0);
    else if (this.engine.winding() !== 1) this.engine.wind(1);
    else if (this.phase === "ready") this.video.paused ? this.engine.play() : this.video.pause();
  }

  seek(positionS: number): void {
    if (this.phase !== "ready" && this.phase !== "ended") return;
    if (this.phase === "ended") return void this.start(positionS);
    this.engine.wind(1);
    this.video.currentTime = clamp(positionS, 0, this.durationS());
    this.onChange();
  }

  jump(byS: number): void {
    this.seek(jump(this.video.currentTime, byS, this.durationS()));
    clearTimeout(this.settling);
    this.wentToS = this.positionS();
    this.settling = setTimeout(() => {
      this.wentToS = undefined;
      this.onChange();
    }, PREVIEWED_MS);
    this.onChange();
  }

  /** Wind, faster with each call; a film that cannot be wound jumps. */
  wind(forward: boolean): void {
    if (!this.view().windable) return this.jump(forward ? JUMP_S : -JUMP_S);
    this.engine.wind(nextRate(this.engine.winding(), forward));
    this.onChange();
  }

  startOver(): void {
    this.decided();
    this.seek(0);
  }

  /** The note about the resume point has been answered, or has been there long enough. */
  decided(): void {
    this.resumedS = 0;
    this.onChange();
  }

  setVolume(volume: number): void {
    this.video.volume = clamp(volume, 0, 1);
    this.video.muted = this.video.volume === 0;
    keepPreferences({ volume: this.video.volume || 1, muted: this.video.muted });
  }

  louder(by: number): void {
    this.setVolume((this.video.muted ? 0 : this.video.volume) + by);
  }

  mute(): void {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.video.volume = 1;
    keepPreferences({ volume: this.video.volume, muted: this.video.muted });
  }

  setSpeed(speed: number): void {
    this.engine.wind(1);
    this.video.playbackRate = speed;
    this.video.defaultPlaybackRate = speed;
  }

  pin(rungId: number | undefined): void {
    this.engine.pin(rungId);
    this.onChange();
  }

  chooseSound(id: string): void {
    this.engine.chooseSound(id);
    keepPreferences({ sound: id });
    this.onChange();
  }

  showCaption(id: string): void {
    this.engine.showCaption(id);
    keepPreferences({ caption: id });
    this.onChange();
  }

  /** Captions off, or on in a language of this person. */
  toggleCaptions(): void {
    const captions = this.engine.captions();
    const language = chooseCaption(navigator.languages, captions.map((each) => each.language));
    const on = captions.find((each) => each.language === language)?.id ?? "";
    this.showCaption(this.engine.caption() ? "" : on);
  }

  private readonly onEnded = () => {
    this.phase = "ended";
    this.endPlay();
    this.onChange();
  };

  private readonly onPageHide = () => {
    if (this.phase === "ready") keepPlace(this.titleId, this.video.currentTime);
  };

  private positionS(): number {
    const shown = this.phase === "ready" || this.phase === "ended";
    return shown ? this.video.currentTime : this.aimS;
  }

  private durationS(): number {
    const { duration } = this.video;
    return Number.isFinite(duration) ? duration : (this.play?.duration_s ?? 0);
  }

  private async begin(play: Play): Promise<void> {
    const { sound, caption } = readPreferences();
    const { sound_languages, caption_languages } = viewer();
    this.engine.chooseSound(sound || firstFor(sound_languages, this.engine.soundChoices()));
    this.engine.showCaption(caption ?? firstFor(caption_languages, this.engine.captionChoices()));
    this.reporter = new Reporter(play, this.video, (why) => this.stop(say(OVER[why])));
    this.phase = "ready";
    this.onChange();
    this.engine.play();
  }

  private fail(failure: Failure): void {
    if (this.phase === "failed") return;
    const positionS = this.positionS();
    if (failure === "media" && this.restarts.allow(positionS)) {
      void this.start(positionS, "moving");
    } else {
      const sentence = say(COMPLAINTS[failure]);
      const trace = failure === "media" && this.play ? this.play.trace_id : "";
      this.stop(trace ? `${sentence} ${say("error.trace", { trace })}` : sentence);
    }
  }

  private explain(error: unknown): void {
    if (error instanceof LoadOvertaken) return;
    if (error instanceof LoadFailed) return this.fail(error.failure);
    if (error instanceof ApiError) this.others = error.plays;
    this.stop(complaintOf(error));
  }

  private stop(complaint: string): void {
    this.turn += 1;
    this.aimS = this.positionS();
    this.phase = "failed";
    this.complaint = complaint;
    this.video.pause();
    this.endPlay();
    void this.engine.unload();
    this.onChange();
  }

  private endPlay(): void {
    const { play, reporter } = this;
    this.play = undefined;
    this.reporter = undefined;
    if (reporter) void reporter.end();
    else if (play) {
      api.endPlay(play).catch((error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      });
    }
  }
}
