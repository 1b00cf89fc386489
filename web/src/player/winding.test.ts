import assert from "node:assert/strict";
import { test } from "node:test";
import { hasFrames, nextRate } from "./winding.ts";

test("each press is faster, and after the fastest the film plays on", () => {
  assert.deepEqual([1, 4, 8].map((rate) => nextRate(rate, true)), [4, 8, 1]);
  assert.deepEqual([1, -4, -8].map((rate) => nextRate(rate, false)), [-4, -8, 1]);
});

test("turning round begins slowly", () => {
  assert.equal(nextRate(8, false), -4);
  assert.equal(nextRate(-8, true), 4);
});

test("a film has frames where its manifest says so", () => {
  const property = (schemeIdUri: string) => ({
    tagName: "EssentialProperty",
    attributes: { schemeIdUri },
    children: [],
  });
  const mpd = (scheme: string) => ({
    tagName: "MPD",
    attributes: {},
    children: ["text", { tagName: "Period", attributes: {}, children: [property(scheme)] }],
  });
  assert.equal(hasFrames(mpd("http://dashif.org/guidelines/trickmode")), true);
  assert.equal(hasFrames(mpd("http://dashif.org/guidelines/thumbnail_tile")), false);
});
