import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bufferedAhead,
  clock,
  jump,
  positionUnder,
  share,
  worthResuming,
} from "./timeline.ts";

test("a clock reads as people write it", () => {
  assert.equal(clock(0), "0:00");
  assert.equal(clock(7.99), "0:07");
  assert.equal(clock(754), "12:34");
  assert.equal(clock(3723), "1:02:03");
  assert.equal(clock(-3), "0:00");
  assert.equal(clock(Number.NaN), "0:00");
  assert.equal(clock(Number.POSITIVE_INFINITY), "0:00");
});

test("a jump stays inside the film", () => {
  assert.equal(jump(5, -10, 60), 0);
  assert.equal(jump(55, 10, 60), 60);
  assert.equal(jump(20, 10, 60), 30);
  assert.equal(jump(20, 10, Number.NaN), 0);
});

test("a share is between nothing and all", () => {
  assert.equal(share(30, 60), 0.5);
  assert.equal(share(90, 60), 1);
  assert.equal(share(-1, 60), 0);
  assert.equal(share(1, 0), 0);
  assert.equal(share(Number.NaN, 60), 0);
});

test("a pointer beside the bar means its nearer end", () => {
  assert.equal(positionUnder(150, 100, 200, 60), 15);
  assert.equal(positionUnder(0, 100, 200, 60), 0);
  assert.equal(positionUnder(999, 100, 200, 60), 60);
  assert.equal(positionUnder(5, 0, 0, 60), 0);
});

test("what is buffered ahead ends at the first true gap", () => {
  const spans = [
    { startS: 10, endS: 14 },
    { startS: 0, endS: 6 },
    { startS: 6.05, endS: 8 },
  ];
  assert.equal(bufferedAhead(spans, 2), 6);
  assert.equal(bufferedAhead(spans, 11), 3);
  assert.equal(bufferedAhead(spans, 9), 0);
  assert.equal(bufferedAhead([], 9), 0);
});

test("only a point inside the film is worth resuming", () => {
  assert.ok(worthResuming(12, 60));
  assert.ok(!worthResuming(0.4, 60));
  assert.ok(!worthResuming(59.5, 60));
});
