import assert from "node:assert/strict";
import { test } from "node:test";
import { directionOf, nearest, type Box } from "./spatial.ts";

const box = (left: number, top: number): Box => ({ left, top, width: 100, height: 60 });
// Two rows of three, and a wide button above them.
const grid = [box(0, 100), box(120, 100), box(240, 100), box(0, 200), box(120, 200), box(240, 200)];

test("arrows keep the row and the column", () => {
  assert.equal(nearest(box(120, 100), grid, "right"), 2);
  assert.equal(nearest(box(120, 100), grid, "left"), 0);
  assert.equal(nearest(box(120, 100), grid, "down"), 4);
  assert.equal(nearest(box(240, 200), grid, "up"), 2);
});

test("an edge is an end", () => {
  assert.equal(nearest(box(240, 100), grid, "right"), -1);
  assert.equal(nearest(box(0, 200), grid, "down"), -1);
  assert.equal(nearest(box(0, 0), [], "down"), -1);
});

test("a gap in the column goes to the nearest neighbour beside it", () => {
  assert.equal(nearest(box(370, 0), grid, "down"), 2);
});

test("only arrows are directions", () => {
  assert.equal(directionOf("ArrowUp"), "up");
  assert.equal(directionOf("Enter"), undefined);
  assert.equal(directionOf("constructor"), undefined);
});
