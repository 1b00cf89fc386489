import assert from "node:assert/strict";
import { test } from "node:test";
import { amountText, countries } from "./money.ts";

test("an amount has the digits of its currency", () => {
  assert.equal(amountText(799, "EUR", "en"), "€7.99");
  assert.equal(amountText(500, "JPY", "en"), "¥500");
  assert.equal(amountText(-1250, "KWD", "en").replace(/\s/g, " "), "-KWD 1.250");
});

test("countries are told by their names, and nothing else is", () => {
  const found = countries("de");
  const codes = found.map(({ code }) => code);
  assert.ok(codes.includes("DE") && codes.includes("CH") && codes.includes("AX"));
  assert.ok(!codes.includes("EU") && !codes.includes("ZZ") && !codes.includes("QQ"));
  assert.equal(new Set(codes).size, codes.length);
  const names = found.map(({ name }) => name);
  assert.deepEqual(names, names.toSorted((left, right) => left.localeCompare(right, "de")));
});
