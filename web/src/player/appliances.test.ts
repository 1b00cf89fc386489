import assert from "node:assert/strict";
import { test } from "node:test";
import { Appliances, originOf } from "./appliances.ts";

const a = "http://10.0.0.1:8081/t/x/v/1.m4s";
const b = "http://10.0.0.2:8081/t/y/v/1.m4s";

test("the manifest's order stands while all work", () => {
  assert.deepEqual(new Appliances().ordered([a, b], 0), [a, b]);
});

test("an appliance that failed goes last, until it worked or is forgiven", () => {
  const appliances = new Appliances();
  appliances.failed(a, 1_000);
  assert.deepEqual(appliances.ordered([a, b], 2_000), [b, a]);
  assert.deepEqual(appliances.ordered([a, b], 31_000), [a, b]);
  appliances.failed(a, 32_000);
  appliances.worked(a);
  assert.deepEqual(appliances.ordered([a, b], 32_500), [a, b]);
});

test("when all fail the one that failed first is asked first", () => {
  const appliances = new Appliances();
  appliances.failed(a, 1_000);
  appliances.failed(b, 2_000);
  assert.deepEqual(appliances.ordered([b, a], 3_000), [a, b]);
});

test("an appliance is its origin, whatever the token", () => {
  assert.equal(originOf(a), "http://10.0.0.1:8081");
  assert.equal(originOf("nonsense"), "nonsense");
});
