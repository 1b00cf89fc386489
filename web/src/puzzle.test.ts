import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { sha256, solve } from "./puzzle.ts";

const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, "0")).join("");
const theirs = (text: string) => createHash("sha256").update(text).digest("hex");

test("SHA-256 is that of the standard, whatever the length", () => {
  assert.equal(
    hex(sha256("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  for (let length = 0; length < 200; length++) {
    const text = "q".repeat(length);
    assert.equal(hex(sha256(text)), theirs(text));
  }
});

test("a solution is the first number that begins with so many zero bits", () => {
  const number = Number(solve("one.two", 12));
  const zeros = (each: number) => BigInt(`0x${theirs(`one.two:${each}`)}`) < 1n << 244n;
  assert.ok(zeros(number));
  for (let each = 0; each < number; each++) assert.ok(!zeros(each));
});

test("no bits are solved at once", () => {
  assert.equal(solve("one.two", 0), "0");
});
