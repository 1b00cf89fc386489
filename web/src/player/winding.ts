// Fast forward and rewind: how fast, and of which films. It shows a film's single frames, which the
// manifest names as a set of their own (DASH-IF IOP 4.3, section 3.2.9).

import type { Element } from "./digests.ts";

const TRICK_MODE = "http://dashif.org/guidelines/trickmode";
const RATES = [4, 8];

/** What the next press of a button brings: faster, and after the fastest the film plays on. */
export function nextRate(rate: number, forward: boolean): number {
  const way = forward ? 1 : -1;
  const faster = RATES.find((each) => rate * way < each || Math.sign(rate) !== way);
  return faster === undefined ? 1 : faster * way;
}

/** Whether the manifest has single frames. */
export function hasFrames(mpd: Element): boolean {
  const { tagName, attributes, children } = mpd;
  if (tagName === "EssentialProperty" && attributes["schemeIdUri"] === TRICK_MODE) return true;
  return children.some(
    (child) =>
      typeof child === "object" && child !== null && "children" in child && hasFrames(child as Element),
  );
}
