import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Digests, type Element, type Fetch } from "./digests.ts";

const A = "http://10.0.0.1:8081/t/x/v1/";
const B = "http://10.0.0.2:8081/t/y/v1/";
const SEGMENTS = ["playlist", "init", "first", "second"];

const bytes = (text: string) => new TextEncoder().encode(text);
const digest = (text: string) => createHash("sha256").update(text).digest().subarray(0, 16);
const LIST = Uint8Array.from(Buffer.concat(SEGMENTS.map(digest)));
const SHA256 = createHash("sha256").update(LIST).digest("hex");

function element(tagName: string, attributes: Record<string, string>, ...children: unknown[]) {
  return { tagName, attributes, children } satisfies Element;
}

const MPD = element(
  "MPD",
  {},
  "\n",
  element(
    "AdaptationSet",
    {},
    element("SupplementalProperty", { schemeIdUri: "urn:other", value: "2" }),
    element(
      "Representation",
      { id: "v-360" },
      element("SupplementalProperty", {
        schemeIdUri: "urn:cuemark:digests:sha-256-128",
        value: `v-360.digests ${SHA256}`,
      }),
    ),
    element("Representation", { id: "unsealed" }),
  ),
);

function learned(fetch: Fetch): Digests {
  const digests = new Digests(fetch);
  digests.learn(MPD);
  return digests;
}

const delivers: Fetch = async () => LIST.slice().buffer;
const body = (text: string) => Promise.resolve(bytes(text));

test("what was published is right, and a flipped bit is wrong", async () => {
  const digests = learned(delivers);
  assert.equal(await digests.judge(`${A}v-360/init.mp4`, body("init"), []), "right");
  assert.equal(await digests.judge(`${A}v-360/2.m4s?CMCD=x`, body("second"), []), "right");
  assert.equal(await digests.judge(`${A}v-360/2.m4s`, body("sfcond"), []), "wrong");
});

test("another segment's bytes, and those past the last one, are wrong", async () => {
  const digests = learned(delivers);
  assert.equal(await digests.judge(`${A}v-360/1.m4s`, body("second"), []), "wrong");
  assert.equal(await digests.judge(`${A}v-360/3.m4s`, body("second"), []), "wrong");
});

test("of what the manifest does not seal nothing is said, and no list is fetched", async () => {
  const digests = learned(() => assert.fail("a list was fetched"));
  assert.equal(await digests.judge(`${A}unsealed/1.m4s`, body("x"), []), "unsealed");
  assert.equal(await digests.judge(`${A}captions/en.vtt`, body("x"), []), "unsealed");
  digests.learn(element("MPD", {}));
  assert.equal(await digests.judge(`${A}v-360/1.m4s`, body("x"), []), "unsealed");
});

test("a list is fetched once, from where the segment came from", async () => {
  const asked: string[] = [];
  const digests = learned((address) => {
    asked.push(address);
    return delivers(address, 0);
  });
  const judged = ["first", "second"].map((text, at) =>
    digests.judge(`${A}v-360/${at + 1}.m4s`, body(text), [`${B}v-360/${at + 1}.m4s`]),
  );
  assert.deepEqual(await Promise.all(judged), ["right", "right"]);
  assert.deepEqual(asked, [`${A}v-360.digests`]);
});

test("a list that is altered or away is fetched elsewhere", async () => {
  for (const bad of [async () => bytes("altered").buffer, async () => assert.fail("away")]) {
    const digests = learned((address) => (address.startsWith(A) ? bad() : delivers(address, 0)));
    const addresses = [`${A}v-360/1.m4s`, `${B}v-360/1.m4s`];
    assert.equal(await digests.judge(`${A}v-360/1.m4s`, body("first"), addresses), "right");
  }
});

test("a list that nobody delivers is asked for again with the next segment", async () => {
  let away = true;
  const digests = learned(async () => (away ? assert.fail("away") : LIST.slice().buffer));
  assert.equal(await digests.judge(`${A}v-360/1.m4s`, body("first"), []), "unlisted");
  away = false;
  assert.equal(await digests.judge(`${A}v-360/1.m4s`, body("first"), []), "right");
});

test("a segment that does not come is its caller's failure", async () => {
  const judged = learned(delivers).judge(`${A}v-360/1.m4s`, Promise.reject(new Error("cut")), []);
  await assert.rejects(judged, /cut/);
});

test("a segment of marked pictures is right in either variant, and in no other", async () => {
  const names = ["playlist", "init", "a1", "b1", "a2", "b2", "init of 2"];
  const list = Uint8Array.from(Buffer.concat(names.map(digest)));
  const seal = createHash("sha256").update(list).digest("hex");
  const representation = element(
    "Representation",
    { id: "v-360" },
    element("SupplementalProperty", {
      schemeIdUri: "urn:cuemark:digests:sha-256-128",
      value: `v-360.digests ${seal}`,
    }),
  );
  const digests = new Digests(async () => list.slice().buffer);
  const period = element("Period", {}, representation);
  digests.learn(element("MPD", {}, period, period));
  const judge = (file: string, text: string) => digests.judge(`${A}v-360/${file}`, body(text), []);
  for (const [file, text] of [["x1", "a1"], ["x1", "b1"], ["x2", "a2"], ["x2", "b2"]] as const) {
    assert.equal(await judge(`${file}.m4s`, text), "right");
  }
  for (const [file, text] of [["x1", "a2"], ["x2", "b1"], ["x1", "init"], ["x2", "init of 2"], ["x2", "c2"]] as const) {
    assert.equal(await judge(`${file}.m4s`, text), "wrong");
  }
  assert.equal(await judge("init.mp4", "init"), "right");
  assert.equal(await judge("init-2.mp4", "init of 2"), "right");
  assert.equal(await judge("init-2.mp4", "b2"), "wrong");
  assert.equal(await judge("x4.m4s", "init of 2"), "wrong");
});

test("the init segments of later periods stand at the end of the list", async () => {
  const list = Uint8Array.from(Buffer.concat([...SEGMENTS, "init of 2", "init of 3"].map(digest)));
  const seal = createHash("sha256").update(list).digest("hex");
  const period = element(
    "Period",
    {},
    element(
      "Representation",
      { id: "v-360" },
      element("SupplementalProperty", {
        schemeIdUri: "urn:cuemark:digests:sha-256-128",
        value: `v-360.digests ${seal}`,
      }),
    ),
  );
  const digests = new Digests(async () => list.slice().buffer);
  digests.learn(element("MPD", {}, period, period, period));
  const judge = (file: string, text: string) => digests.judge(`${A}v-360/${file}`, body(text), []);
  assert.equal(await judge("init.mp4", "init"), "right");
  assert.equal(await judge("init-2.mp4", "init of 2"), "right");
  assert.equal(await judge("init-3.mp4", "init of 3"), "right");
  assert.equal(await judge("init-3.mp4", "init of 2"), "wrong");
  assert.equal(await judge("2.m4s", "second"), "right");
  assert.equal(await judge("init-4.mp4", "init of 3"), "wrong");
});
