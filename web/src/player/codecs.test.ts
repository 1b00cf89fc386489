import assert from "node:assert/strict";
import { test } from "node:test";
import { smoothCodecs } from "./codecs.ts";

function device(smooth: (codec: string) => boolean | undefined) {
  return {
    async decodingInfo(asked: MediaDecodingConfiguration) {
      const codec = /codecs="(\w+)/.exec(asked.video?.contentType ?? "")?.[1] ?? "";
      const found = smooth(codec);
      if (found === undefined) throw new TypeError("not a codec");
      return { supported: true, smooth: found, powerEfficient: found } as never;
    },
  };
}

test("the codec that needs the fewest bits comes first of those that are smooth", async () => {
  assert.deepEqual(await smoothCodecs(device(() => true)), ["av01", "hvc1", "avc1"]);
  assert.deepEqual(await smoothCodecs(device((codec) => codec !== "av01")), ["hvc1", "avc1"]);
});

test("a codec that the device has never heard of is none", async () => {
  const found = await smoothCodecs(device((codec) => (codec === "hvc1" ? undefined : true)));
  assert.deepEqual(found, ["av01", "avc1"]);
});

test("a device that does not tell is asked for nothing", async () => {
  assert.deepEqual(await smoothCodecs(undefined), []);
});
