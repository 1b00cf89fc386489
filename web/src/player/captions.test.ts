import assert from "node:assert/strict";
import { test } from "node:test";
import { choosable, chosen, forcedFor, type TextTrack } from "./captions.ts";

const track = (language: string, role = "subtitle"): TextTrack => ({
  language,
  roles: role === "caption" ? ["caption", "caption"] : [role],
  forced: role === "forced-subtitle",
});
const EN = track("en");
const EN_SDH = track("en", "caption");
const EN_FORCED = track("en", "forced-subtitle");
const DE_FORCED = track("de", "forced-subtitle");
const PT_SDH = track("pt-BR", "caption");
const ALL = [EN, EN_SDH, EN_FORCED, DE_FORCED, PT_SDH];

test("each kind of each language can be chosen once, and forced tracks never", () => {
  assert.deepEqual(
    choosable([...ALL, EN]).map(({ id, sdh }) => [id, sdh]),
    [["en", false], ["en:sdh", true], ["pt-BR:sdh", true]],
  );
});

test("what was chosen is found, else its language in another kind", () => {
  assert.equal(chosen(ALL, "en"), EN);
  assert.equal(chosen(ALL, "en:sdh"), EN_SDH);
  assert.equal(chosen(ALL, "pt-BR"), PT_SDH);
  assert.equal(chosen([EN], "en:sdh"), EN);
  assert.equal(chosen(ALL, "de"), undefined);
  assert.equal(chosen(ALL, ""), undefined);
});

test("a forced track belongs to the language of the sound", () => {
  assert.equal(forcedFor(ALL, "de", ["en"]), DE_FORCED);
  assert.equal(forcedFor(ALL, "en-US", ["de"]), EN_FORCED);
  assert.equal(forcedFor(ALL, "fr", ["en"]), undefined);
  assert.equal(forcedFor([EN, EN_SDH], "en", ["en"]), undefined);
});

test("sound that does not say its language leaves it to the viewer's", () => {
  assert.equal(forcedFor(ALL, "und", ["de-AT"]), DE_FORCED);
  assert.equal(forcedFor(ALL, "", ["fr"]), EN_FORCED);
  assert.equal(forcedFor([EN], "und", ["en"]), undefined);
});
