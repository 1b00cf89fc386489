// Plays of one title that follow one another, as one entry: each time the page is loaded anew
// another play begins.

import type { Viewing } from "./api.ts";

export interface Sitting {
  /** The last of the plays. */
  readonly viewing: Viewing;
  readonly furthestS: number;
}

/** The latest first, as `viewings` are. */
export function sittingsOf(viewings: readonly Viewing[]): readonly Sitting[] {
  const found: Sitting[] = [];
  for (const viewing of viewings) {
    const last = found[found.length - 1];
    if (last && last.viewing.title.title_id === viewing.title.title_id) {
      const furthestS = Math.max(last.furthestS, viewing.position_s);
      found[found.length - 1] = { viewing: last.viewing, furthestS };
    } else {
      found.push({ viewing, furthestS: viewing.position_s });
    }
  }
  return found;
}
