// Where the service says, while a film plays, that its segments shall come from.
//
// Shaka Player asks, by DASH Content Steering (ETSI TS 103 998), and puts the addresses of each
// segment in order. But it bans a place that failed by its host, whatever the port, for a minute,
// and where no place is left it takes them all as the manifest has them: on one machine with several
// appliances that would forget what the service said. So the page reads the answers, too.

import { originOf } from "./appliances.ts";
import { isElement, type Element } from "./digests.ts";

/** The origins of a manifest's appliances, by their names. */
export function placesOf(mpd: Element): Map<string, string> {
  const places = new Map<string, string>();
  for (const child of mpd.children) {
    if (!isElement(child) || child.tagName !== "BaseURL") continue;
    const name = child.attributes["serviceLocation"];
    const address = child.children.find((each) => typeof each === "string");
    if (name !== undefined && address) places.set(name, originOf(address.trim()));
  }
  return places;
}

/** The names in an answer, the best first; none where it is not one that can be read. */
export function priorityOf(body: BufferSource): string[] {
  try {
    const answer = JSON.parse(new TextDecoder().decode(body)) as unknown;
    if (typeof answer !== "object" || answer === null || !("PATHWAY-PRIORITY" in answer)) return [];
    const names = answer["PATHWAY-PRIORITY"];
    return Array.isArray(names) ? names.filter((each) => typeof each === "string") : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}
