// Which dynamic range of a film this screen shows: high where both the screen and the decoder do.

import type { Element } from "./digests.ts";

export type Range = "sdr" | "hlg" | "pq";

const TRANSFER = "urn:mpeg:mpegB:cicp:TransferCharacteristics";
/** ITU-T H.273, table 3. */
const RANGES: Readonly<Record<string, Range>> = { "16": "pq", "18": "hlg" };
/** What a device has to keep up with, in ten bits. */
const PICTURE = { width: 1920, height: 1080, bitrate: 6_000_000, framerate: 30 };
const CODECS = ["av01.0.08M.10.0.110.09.16.09.0", "hvc1.2.4.L120.90"];

/** The ranges, the best one first; every screen shows the last of them. */
export async function shownRanges(
  capabilities: Pick<MediaCapabilities, "decodingInfo"> | undefined,
  highScreen: boolean,
): Promise<Range[]> {
  if (!highScreen) return ["sdr"];
  const found = await Promise.all(
    (["pq", "hlg"] as const).map(async (range) =>
      (await Promise.all(CODECS.map((codec) => decodes(capabilities, codec, range)))).some(Boolean)
        ? [range]
        : [],
    ),
  );
  return [...found.flat(), "sdr"];
}

async function decodes(
  capabilities: Pick<MediaCapabilities, "decodingInfo"> | undefined,
  codec: string,
  transferFunction: "pq" | "hlg",
): Promise<boolean> {
  const contentType = `video/mp4; codecs="${codec}"`;
  const video = { ...PICTURE, contentType, colorGamut: "rec2020", transferFunction } as const;
  try {
    const told = await capabilities?.decodingInfo({ type: "media-source", video });
    return Boolean(told?.supported && told.smooth);
  } catch {
    return false;
  }
}

/**
 * Leave a manifest the pictures of one range: the best that is shown here. Without this a player
 * could go from one to the other in the middle of a film, or show PQ as if it were standard.
 */
export function keepRange(mpd: Element, shown: readonly Range[]): void {
  const sets = [...pictureSets(mpd)];
  const there = new Set(sets.map(({ range }) => range));
  const kept = shown.find((range) => there.has(range));
  for (const { period, set, range } of sets) {
    if (range === kept) continue;
    period.children.splice(period.children.indexOf(set), 1);
  }
}

function* pictureSets(
  mpd: Element,
): Generator<{ period: { children: unknown[] }; set: Element; range: Range }> {
  for (const period of elements(mpd, "Period")) {
    for (const set of elements(period, "AdaptationSet")) {
      if (set.attributes["contentType"] !== "video") continue;
      const said = ["EssentialProperty", "SupplementalProperty"]
        .flatMap((name) => elements(set, name))
        .find(({ attributes }) => attributes["schemeIdUri"] === TRANSFER);
      const range = RANGES[said?.attributes["value"] ?? ""] ?? "sdr";
      yield { period: period as unknown as { children: unknown[] }, set, range };
    }
  }
}

function elements(parent: Element, tagName: string): Element[] {
  return parent.children.filter(
    (child): child is Element =>
      typeof child === "object" && child !== null && "tagName" in child && child.tagName === tagName,
  );
}
