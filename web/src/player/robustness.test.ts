import assert from "node:assert/strict";
import { test } from "node:test";
import { protectionOf, type Request } from "./robustness.ts";

const only =
  (there: string, robustness: string): Request =>
  async (keySystem, [first]) => {
    const asked = first?.videoCapabilities?.[0]?.robustness;
    if (keySystem !== there || asked !== robustness) throw new Error("not here");
  };

test("one key system in hardware is enough", async () => {
  const by = async (keySystem: string, robustness: string) => protectionOf(only(keySystem, robustness));
  const hard = (system: string) => ({ system, robustness: "hardware" });
  assert.deepEqual(await by("com.widevine.alpha", "HW_SECURE_ALL"), hard("widevine"));
  assert.deepEqual(await by("com.microsoft.playready.recommendation", "3000"), hard("playready"));
  assert.deepEqual(await by("com.apple.fps", ""), hard("fairplay"));
});

test("a browser with several in hardware leaves it to the service which one", async () => {
  const found = await protectionOf(async () => undefined);
  assert.deepEqual(found, { system: null, robustness: "hardware" });
});

test("a browser without one, or without EME, says software", async () => {
  const soft = { system: null, robustness: "software" };
  assert.deepEqual(await protectionOf(only("com.widevine.alpha", "SW_SECURE_CRYPTO")), soft);
  assert.deepEqual(await protectionOf(undefined), soft);
});
