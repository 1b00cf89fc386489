// Tells the service where the viewer is: every five seconds, on each pause, on the way out.

import { api, ApiError, type Play } from "../api.ts";

const EVERY_MS = 5_000;

/** Why no report is taken any more, by the service's codes. */
export type Over = "unknown_play" | "not_logged_in";

export class Reporter {
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly play: Play;
  private readonly video: HTMLVideoElement;
  private readonly onOver: (why: Over) => void;
  private sequence = 0;
  private going = true;
  private lastS: number | undefined;
  private underWay: Promise<unknown> = Promise.resolve();
  private readonly onPause = () => this.report();
  private readonly onHidden = () => {
    if (document.visibilityState === "hidden") this.report();
  };

  /**
   * Starts at once: `video` must already stand where the play begins. `onOver` hears why, where the
   * service has ended the play or knows this login no more.
   */
  constructor(play: Play, video: HTMLVideoElement, onOver: (why: Over) => void) {
    this.play = play;
    this.video = video;
    this.onOver = onOver;
    this.lastS = video.currentTime;
    this.timer = setInterval(this.onPause, EVERY_MS);
    video.addEventListener("pause", this.onPause);
    video.addEventListener("ended", this.onPause);
    window.addEventListener("pagehide", this.onPause);
    document.addEventListener("visibilitychange", this.onHidden);
  }

  /** Stops and reports a last time; returns when every report has arrived or is lost. */
  async last(): Promise<void> {
    this.stop();
    this.report();
    await this.underWay;
  }

  /** The last report, then the end of the playback session, to which none can be made. */
  async end(): Promise<void> {
    await this.last();
    await quietly(api.endPlay(this.play));
  }

  private report(): void {
    const positionS = this.video.currentTime;
    if (positionS === this.lastS) return;
    this.lastS = positionS;
    this.sequence += 1;
    this.underWay = Promise.all([this.underWay, this.send(positionS)]);
  }

  private async send(positionS: number): Promise<void> {
    const answer = await quietly(api.reportProgress(this.play, positionS, this.sequence));
    if (isOver(answer) && this.going) {
      this.stop();
      this.onOver(answer);
    }
  }

  private stop(): void {
    this.going = false;
    clearInterval(this.timer);
    this.video.removeEventListener("pause", this.onPause);
    this.video.removeEventListener("ended", this.onPause);
    window.removeEventListener("pagehide", this.onPause);
    document.removeEventListener("visibilitychange", this.onHidden);
  }
}

function isOver(code: string): code is Over {
  return code === "unknown_play" || code === "not_logged_in";
}

/** A report that is lost costs a few seconds of resume point, never the film: why it was lost. */
async function quietly(request: Promise<void>): Promise<string> {
  try {
    await request;
    return "";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.code;
  }
}
