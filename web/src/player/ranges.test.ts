import assert from "node:assert/strict";
import { test } from "node:test";
import type { Element } from "./digests.ts";
import { keepRange, shownRanges } from "./ranges.ts";

function element(tagName: string, attributes: Record<string, string>, children: unknown[] = []): Element {
  return { tagName, attributes, children };
}

function pictures(id: string, transfer?: string): Element {
  const schemeIdUri = "urn:mpeg:mpegB:cicp:TransferCharacteristics";
  const said = transfer ? [element("EssentialProperty", { schemeIdUri, value: transfer })] : [];
  return element("AdaptationSet", { id, contentType: "video" }, said);
}

function film(...transfers: (string | undefined)[]): Element {
  const sound = element("AdaptationSet", { id: "sound", contentType: "audio" });
  const sets = transfers.map((transfer, at) => pictures(String(at), transfer));
  return element("MPD", {}, ["\n", element("Period", {}, ["\n", ...sets, sound])]);
}

function left(mpd: Element): (string | undefined)[] {
  const period = mpd.children[1] as Element;
  return period.children
    .filter((child): child is Element => typeof child === "object")
    .map(({ attributes }) => attributes["id"]);
}

function device(decoded: readonly string[]) {
  return {
    async decodingInfo({ video }: MediaDecodingConfiguration) {
      const ten = /av01|hvc1\.2/.test(video?.contentType ?? "");
      const found = ten && decoded.includes(video?.transferFunction ?? "");
      return { supported: found, smooth: found, powerEfficient: found } as never;
    },
  };
}

test("a screen of standard range is given no other, whatever its decoder takes", async () => {
  const shown = await shownRanges(device(["pq", "hlg"]), false);
  assert.deepEqual(shown, ["sdr"]);
  const mpd = film(undefined, "16", "18", undefined);
  keepRange(mpd, shown);
  assert.deepEqual(left(mpd), ["0", "3", "sound"]);
});

test("a screen of high range is given what its decoder takes, and that alone", async () => {
  const shown = await shownRanges(device(["hlg"]), true);
  assert.deepEqual(shown, ["hlg", "sdr"]);
  const mpd = film(undefined, "16", "18");
  keepRange(mpd, shown);
  assert.deepEqual(left(mpd), ["2", "sound"]);
});

test("a film of standard range stays as it is on every screen", async () => {
  const mpd = film(undefined, undefined);
  keepRange(mpd, await shownRanges(device(["pq", "hlg"]), true));
  assert.deepEqual(left(mpd), ["0", "1", "sound"]);
});

test("a device that does not tell is given the standard range", async () => {
  assert.deepEqual(await shownRanges(undefined, true), ["sdr"]);
});
