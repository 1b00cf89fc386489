// What a person chose last time on this device: volume, sound and captions.

import { viewer } from "../viewer.ts";

export interface Preferences {
  readonly volume: number;
  readonly muted: boolean;
  /** The id of a sound: a BCP 47 tag, with its role; empty where none was chosen. */
  readonly sound: string;
  /** A BCP 47 tag, with `:sdh` for captions of that kind; empty for none, undefined where nothing
   * was chosen. */
  readonly caption: string | undefined;
}

/** Each profile has its own on a device. */
const place = () => ["cuemark.player", viewer().profile_id].filter(Boolean).join(".");
const DEFAULTS: Preferences = { volume: 1, muted: false, sound: "", caption: undefined };

export function readPreferences(): Preferences {
  try {
    const stored = JSON.parse(localStorage.getItem(place()) ?? "{}") as Partial<Preferences>;
    const volume = Number(stored.volume ?? DEFAULTS.volume);
    return {
      volume: volume >= 0 && volume <= 1 ? volume : DEFAULTS.volume,
      muted: stored.muted === true,
      sound: typeof stored.sound === "string" ? stored.sound : DEFAULTS.sound,
      caption: typeof stored.caption === "string" ? stored.caption : DEFAULTS.caption,
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return DEFAULTS;
    throw error;
  }
}

/** A browser that keeps nothing (private windows) forgets: that is its owner's wish. */
export function keepPreferences(change: Partial<Preferences>): void {
  try {
    localStorage.setItem(place(), JSON.stringify({ ...readPreferences(), ...change }));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
