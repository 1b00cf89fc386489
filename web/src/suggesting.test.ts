import assert from "node:assert/strict";
import { test } from "node:test";
import { Latest, moved, NONE, reasonOf, staysInText } from "./suggesting.ts";

test("arrows go round all suggestions by way of the text", () => {
  const down = [NONE];
  const up = [NONE];
  for (let press = 0; press < 4; press += 1) {
    down.push(moved("ArrowDown", down.at(-1) ?? NONE, 3) ?? 99);
    up.push(moved("ArrowUp", up.at(-1) ?? NONE, 3) ?? 99);
  }
  assert.deepEqual(down, [NONE, 0, 1, 2, NONE]);
  assert.deepEqual(up, [NONE, 2, 1, 0, NONE]);
});

test("other keys, and arrows without suggestions, are not the list's", () => {
  assert.equal(moved("ArrowLeft", 0, 3), undefined);
  assert.equal(moved("a", 0, 3), undefined);
  assert.equal(moved("ArrowDown", NONE, 0), undefined);
});

test("arrows stay in a text until they are at its end, and then leave the field", () => {
  const at = (start: number, end = start) => ({ start, end, length: 4 });
  assert.deepEqual([0, 1, 4].map((place) => staysInText("ArrowLeft", at(place))), [false, true, true]);
  assert.deepEqual([0, 3, 4].map((place) => staysInText("ArrowRight", at(place))), [true, true, false]);
  assert.ok(staysInText("ArrowLeft", at(0, 4)));
  assert.ok(staysInText("ArrowRight", at(0, 4)));
  for (const key of ["ArrowLeft", "ArrowRight"]) {
    assert.ok(!staysInText(key, { start: 0, end: 0, length: 0 }), key);
  }
  for (const key of ["ArrowDown", "ArrowUp", "Enter"]) assert.ok(!staysInText(key, at(2)), key);
});

test("an answer that was overtaken does not count", () => {
  const latest = new Latest();
  const first = latest.ask();
  assert.ok(first());
  const second = latest.ask();
  assert.ok(!first());
  assert.ok(second());
});

test("a work that is called otherwise says what led to it, once", () => {
  const mara = { field: "person", text: "Mara Lind" } as const;
  const drama = { field: "genre", text: "Drama" } as const;
  assert.equal(reasonOf({ why: [mara, mara, drama] }), "Mara Lind, Drama");
  assert.equal(reasonOf({ why: [mara, { field: "title", text: "Salt" }] }), "");
  assert.equal(reasonOf({ why: [{ field: "text", text: "salt" }] }), "");
  assert.equal(reasonOf({ why: [{ field: "like", text: "Salt" }] }), "");
});
