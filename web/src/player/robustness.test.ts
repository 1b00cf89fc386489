import assert from "node:assert/strict";
import { test } from "node:test";
import { robustnessOf, type Request } from "./robustness.ts";

const only =
  (there: string, robustness: string): Request =>
  async (keySystem, [first]) => {
    const asked = first?.videoCapabilities?.[0]?.robustness;
    if (keySystem !== there || asked !== robustness) throw new Error("not here");
  };

test("one key system in hardware is enough", async () => {
  assert.equal(await robustnessOf(only("com.widevine.alpha", "HW_SECURE_ALL")), "hardware");
  assert.equal(await robustnessOf(only("com.microsoft.playready.recommendation", "3000")), "hardware");
  assert.equal(await robustnessOf(only("com.apple.fps", "")), "hardware");
});

test("a browser without one, or without EME, says software", async () => {
  assert.equal(await robustnessOf(only("com.widevine.alpha", "SW_SECURE_CRYPTO")), "software");
  assert.equal(await robustnessOf(undefined), "software");
});
