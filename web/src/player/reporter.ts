// Tells the service where the viewer is: every five seconds, on each pause, on the way out.

import { api, ApiError, type Play } from "../api.ts";

const EVERY_MS = 5_000;

export class Reporter {
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly play: Play;
  private readonly video: HTMLVideoElement;
  private sequence = 0;
  private lastS: number | undefined;
  private readonly onPause = () => this.report();
  private readonly onHidden = () => {
    if (document.visibilityState === "hidden") this.report();
  };

  /** Starts at once: `video` must already stand where the play begins. */
  constructor(play: Play, video: HTMLVideoElement) {
    this.play = play;
    this.video = video;
    this.lastS = video.currentTime;
    this.timer = setInterval(this.onPause, EVERY_MS);
    video.addEventListener("pause", this.onPause);
    video.addEventListener("ended", this.onPause);
    window.addEventListener("pagehide", this.onPause);
    document.addEventListener("visibilitychange", this.onHidden);
  }

  /** Stops, reports a last time, then ends the playback session. */
  async end(): Promise<void> {
    this.stop();
    await this.report();
    await quietly(api.endPlay(this.play));
  }

  private async report(): Promise<void> {
    const positionS = this.video.currentTime;
    if (positionS === this.lastS) return;
    this.lastS = positionS;
    this.sequence += 1;
    await quietly(api.reportProgress(this.play, positionS, this.sequence));
  }

  private stop(): void {
    clearInterval(this.timer);
    this.video.removeEventListener("pause", this.onPause);
    this.video.removeEventListener("ended", this.onPause);
    window.removeEventListener("pagehide", this.onPause);
    document.removeEventListener("visibilitychange", this.onHidden);
  }
}

/** A report that is lost costs a few seconds of resume point, never the film. */
async function quietly(request: Promise<void>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}
