import assert from "node:assert/strict";
import { test } from "node:test";
import { firstFor } from "./viewer.ts";

const choice = (id: string) => ({ id, language: id.split(":")[0] ?? "" });
const choices = ["en:description", "en", "pt-PT", "pt-BR", "de:sdh"].map(choice);

test("the first language of a profile that a film has is taken, plain before special", () => {
  assert.equal(firstFor(["fr", "en"], choices), "en");
  assert.equal(firstFor(["pt-BR"], choices), "pt-BR");
  assert.equal(firstFor(["pt"], choices), "pt-PT");
  assert.equal(firstFor(["de-AT"], choices), "de:sdh");
});

test("where a film has none of them nothing is chosen", () => {
  assert.equal(firstFor(["fr"], choices), "");
  assert.equal(firstFor([], choices), "");
  assert.equal(firstFor(["en"], []), "");
});
