import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { catalogs, chooseCaption, chooseLanguage, nameOf, ownName, regionOf, sentence, type StringKey } from "./strings.ts";

const keys = Object.keys(catalogs.en) as StringKey[];
const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

for (const [language, catalog] of Object.entries(catalogs)) {
  test(`${language} says everything that English says, with the same places`, () => {
    assert.deepEqual(Object.keys(catalog).sort(), [...keys].sort());
    for (const key of keys) {
      assert.ok(catalog[key].trim(), key);
      assert.deepEqual(places(catalog[key]), places(catalogs.en[key]), key);
    }
  });
}

test("every sentence is said somewhere", () => {
  const source = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !/strings(\.test)?\.ts$/.test(name))
    .map((name) => readFileSync(`${import.meta.dirname}/${name}`, "utf8"))
    .join("\n");
  assert.deepEqual(
    keys.filter((key) => !source.includes(`"${key}"`)),
    [],
  );
});

test("the first language that there is a catalog for wins", () => {
  assert.equal(chooseLanguage(["fr-CA", "de-AT", "en"]), "de");
  assert.equal(chooseLanguage(["fr"]), "en");
  assert.equal(chooseLanguage([]), "en");
  assert.equal(chooseLanguage(["constructor"]), "en");
});

test("captions come in the viewer's language, else in the first there is", () => {
  assert.equal(chooseCaption(["en-US", "de"], ["de", "en"]), "en");
  assert.equal(chooseCaption(["pt-BR"], ["pt-PT", "pt-BR"]), "pt-BR");
  assert.equal(chooseCaption(["fr"], ["de", "en"]), "de");
  assert.equal(chooseCaption(["fr"], []), undefined);
});

test("places are filled, and one without a value stays to be seen", () => {
  assert.equal(sentence("en", "player.at", { time: "0:12" }), "0:12 of {duration}");
  assert.equal(sentence("de", "player.at", { time: "0:12", duration: "1:00" }), "0:12 von 1:00");
});

test("languages go by their own names", () => {
  assert.equal(ownName("de"), "Deutsch");
  assert.equal(ownName("es"), "Español");
  assert.equal(ownName("not a tag"), "not a tag");
});

test("the country is that of the first tag that names one", () => {
  assert.equal(regionOf(["de", "de-at", "en-US"]), "AT");
  assert.equal(regionOf(["zh-Hant-TW"]), "TW");
  assert.equal(regionOf(["en", "es-419", "x-private"]), "");
});

test("countries and languages have names in the page's language", () => {
  assert.equal(nameOf("region", "DE", "en"), "Germany");
  assert.equal(nameOf("language", "fr", "de"), "Französisch");
  assert.equal(nameOf("region", "no country", "en"), "no country");
});
