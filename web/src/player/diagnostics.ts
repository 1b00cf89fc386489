// What the player knows about itself: for the statistics on screen, and for whoever measures it
// from outside through `window.cuemark`. Read only.

import { bufferedAhead } from "../timeline.ts";
import type { Screening } from "./screening.ts";

export interface Diagnostics {
  readonly phase: string;
  readonly position_s: number;
  readonly duration_s: number;
  /** Pictures that reached the screen, and the media time of the last one. */
  readonly frames: number;
  readonly picture_s: number;
  readonly dropped_frames: number;
  readonly appliance: string;
  /** The origins that served wrong bytes, and are asked last since. */
  readonly left: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly bitrate_kbps: number;
  readonly bandwidth_kbps: number;
  readonly buffer_s: number;
  readonly buffering_goal_s: number;
  readonly stalls: number;
  readonly restarts: number;
  /** The id of the sound that is played. */
  readonly sound: string;
  /** Of the captions that were chosen, and of those shown unasked; empty where there are none. */
  readonly caption: string;
  readonly forced_caption: string;
}

declare global {
  interface Window {
    readonly cuemark?: Diagnostics;
  }
}

export function diagnosticsOf(screening: Screening): Diagnostics {
  const { engine, restarts } = screening;
  const view = screening.view();
  const stats = engine.stats();
  return Object.freeze({
    phase: view.phase,
    position_s: view.positionS,
    duration_s: view.durationS,
    frames: engine.frames,
    picture_s: engine.pictureS,
    dropped_frames: stats.droppedFrames || 0,
    appliance: engine.appliance,
    left: engine.left(),
    width: engine.video.videoWidth,
    height: engine.video.videoHeight,
    bitrate_kbps: view.rung?.bitrateKbps ?? 0,
    bandwidth_kbps: Math.round((stats.estimatedBandwidth || 0) / 1000),
    buffer_s: bufferedAhead(view.buffered, view.positionS),
    buffering_goal_s: engine.bufferingGoalS(),
    stalls: engine.stalls,
    restarts: restarts.count,
    sound: view.sound,
    caption: view.caption,
    forced_caption: engine.forcedCaption(),
  });
}

/** Show `screening` to the outside as `window.cuemark`; the answer takes it away again. */
export function expose(screening: Screening): () => void {
  Object.defineProperty(window, "cuemark", {
    configurable: true,
    get: () => diagnosticsOf(screening),
  });
  return () => Reflect.deleteProperty(window, "cuemark");
}
