import assert from "node:assert/strict";
import { test } from "node:test";
import { capabilitiesOf, type Device } from "./capabilities.ts";

const PLAIN = { system: null, robustness: "software" } as const;

function device(told: Partial<Device>): Device {
  return { plays: () => true, media: undefined, keys: undefined, channels: () => 2, ...told };
}

function smoothUpTo(lines: number): Device["media"] {
  return {
    async decodingInfo({ video }: MediaDecodingConfiguration) {
      const smooth = (video?.height ?? 0) <= lines;
      return { supported: true, smooth, powerEfficient: smooth } as never;
    },
  };
}

test("codecs and sounds are those that the browser says it plays", async () => {
  const plays = (type: string) => /avc1|av01|mp4a/.test(type);
  const found = await capabilitiesOf(device({ plays }), ["sdr"], PLAIN);
  assert.deepEqual(found.codecs, ["h264", "av1"]);
  assert.deepEqual(found.sounds, ["aac"]);
});

test("a browser that tells nothing is asked for what every device can", async () => {
  const found = await capabilitiesOf(device({ plays: undefined }), ["sdr"], PLAIN);
  assert.deepEqual(found, {
    codecs: ["h264"],
    max_height: 1080,
    dynamic_ranges: ["sdr"],
    hdcp: "none",
    system: null,
    robustness: "software",
    sounds: ["aac"],
    max_channels: 2,
  });
});

test("the height is the largest that is smooth", async () => {
  const height = async (lines: number) =>
    (await capabilitiesOf(device({ media: smoothUpTo(lines) }), ["sdr"], PLAIN)).max_height;
  assert.deepEqual(await Promise.all([720, 1440, 2160].map(height)), [1080, 1440, 2160]);
});

test("a browser that raises for a codec that it does not know still tells its height", async () => {
  const decodingInfo = async () => {
    throw new TypeError("not a codec");
  };
  const found = await capabilitiesOf(device({ media: { decodingInfo } }), ["sdr"], PLAIN);
  assert.equal(found.max_height, 1080);
});

test("HDCP is the newest that the way to the screen has, and none where nobody can say", async () => {
  const upTo = (newest: string) => async () => ({
    getStatusForPolicy: async ({ minHdcpVersion }: { minHdcpVersion: string }) =>
      minHdcpVersion <= newest ? "usable" : "output-restricted",
  });
  const hdcp = async (keys: Device["keys"]) =>
    (await capabilitiesOf(device({ keys }), ["sdr"], PLAIN)).hdcp;
  assert.equal(await hdcp(upTo("2.2")), "2.2");
  assert.equal(await hdcp(upTo("1.0")), "1.0");
  assert.equal(await hdcp(upTo("")), "none");
  assert.equal(await hdcp(async () => ({})), "none");
  assert.equal(await hdcp(() => Promise.reject(new DOMException("no"))), "none");
});

test("surround is of whoever has the speakers", async () => {
  const found = await capabilitiesOf(device({ channels: () => 6 }), ["pq", "sdr"], {
    system: "widevine",
    robustness: "hardware",
  });
  assert.equal(found.max_channels, 6);
  assert.deepEqual(found.dynamic_ranges, ["pq", "sdr"]);
  assert.equal(found.system, "widevine");
});
