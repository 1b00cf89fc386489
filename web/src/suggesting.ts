// What keys do in a field with suggestions, and what is told of what was found (WAI-ARIA APG,
// combobox with a listbox): arrows go round the suggestions, by way of the text itself.

import type { Hit } from "./api.ts";

export const NONE = -1;

/** The place after a press among `count` suggestions, or undefined where the key is not ours. */
export function moved(key: string, active: number, count: number): number | undefined {
  if (count === 0) return undefined;
  if (key === "ArrowDown") return active + 1 >= count ? NONE : active + 1;
  if (key === "ArrowUp") return active === NONE ? count - 1 : active - 1;
  return undefined;
}

export interface Caret {
  readonly start: number;
  readonly end: number;
  readonly length: number;
}

/** Whether a key moves within the text. Where it has nowhere to go there, it leaves the field. */
export function staysInText(key: string, { start, end, length }: Caret): boolean {
  if (key === "ArrowLeft") return end > 0;
  if (key === "ArrowRight") return start < length;
  return false;
}

/** Answers may overtake one another: only the one to the last question counts. */
export class Latest {
  #asked = 0;

  /** A question; what it gives says whether it is still the last one. */
  ask(): () => boolean {
    this.#asked += 1;
    const mine = this.#asked;
    return () => mine === this.#asked;
  }
}

const TELLING: readonly string[] = ["series", "person", "theme", "genre"];

/** What leads to a work that is not called what was asked for; empty where its name does. */
export function reasonOf(hit: Pick<Hit, "why">): string {
  if (hit.why.some(({ field }) => field === "title")) return "";
  const told = hit.why.filter(({ field }) => TELLING.includes(field)).map(({ text }) => text);
  return [...new Set(told)].join(", ");
}
