import assert from "node:assert/strict";
import { test } from "node:test";
import { Restarts } from "./restarts.ts";

test("a play starts again once where it broke", () => {
  const restarts = new Restarts();
  assert.ok(restarts.allow(20));
  assert.ok(!restarts.allow(20));
  assert.ok(!restarts.allow(24));
  assert.equal(restarts.count, 1);
});

test("a later break is another break", () => {
  const restarts = new Restarts();
  assert.ok(restarts.allow(20));
  assert.ok(restarts.allow(40));
  assert.equal(restarts.count, 2);
});
