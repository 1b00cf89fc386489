import assert from "node:assert/strict";
import { test } from "node:test";
import { Appliances, originOf } from "./appliances.ts";

const a = "http://10.0.0.1:8081/t/x/v/1.m4s";
const b = "http://10.0.0.2:8081/t/y/v/1.m4s";

test("the manifest's order stands while all work", () => {
  assert.deepEqual(new Appliances().plan([a, b], 0).addresses, [a, b]);
});

test("an appliance that failed goes last, until it worked or is forgiven", () => {
  const appliances = new Appliances();
  appliances.failed(a, 1_000);
  assert.deepEqual(appliances.plan([a, b], 2_000).addresses, [b, a]);
  assert.deepEqual(appliances.plan([a, b], 31_000).addresses, [a, b]);
  appliances.failed(a, 32_000);
  appliances.worked(a);
  assert.deepEqual(appliances.plan([a, b], 32_500).addresses, [a, b]);
});

test("when all fail the one that failed first is asked first", () => {
  const appliances = new Appliances();
  appliances.failed(a, 1_000);
  appliances.failed(b, 2_000);
  assert.deepEqual(appliances.plan([b, a], 3_000).addresses, [a, b]);
});

test("patience is short only where somebody else can be asked", () => {
  const appliances = new Appliances();
  assert.equal(appliances.plan([a, b], 0).patienceMs, 1_200);
  assert.equal(appliances.plan([a], 0).patienceMs, 5_000);
  appliances.failed(a, 0);
  assert.equal(appliances.plan([a, b], 1).patienceMs, 5_000);
  assert.equal(appliances.plan([a, b], 31_000).patienceMs, 1_200);
});

test("an appliance with wrong bytes stays last, whatever it delivers and however long ago", () => {
  const appliances = new Appliances();
  appliances.corrupt(a);
  appliances.worked(a);
  appliances.failed(b, 90_000);
  assert.deepEqual(appliances.plan([a, b], 90_001).addresses, [b, a]);
  assert.equal(appliances.plan([a, b], 200_000).patienceMs, 5_000);
  assert.deepEqual(appliances.left(), [originOf(a)]);
});

test("the service's word of now goes before the manifest's order", () => {
  const appliances = new Appliances();
  const c = "http://10.0.0.3:8081/t/z/v/1.m4s";
  appliances.steer([originOf(c), originOf(a)]);
  assert.deepEqual(appliances.plan([a, b, c], 0).addresses, [c, a, b]);
  appliances.steer([]);
  assert.deepEqual(appliances.plan([a, b, c], 0).addresses, [a, b, c]);
});

test("one that the service leads away from is asked in need, before one that failed", () => {
  const appliances = new Appliances();
  appliances.steer([originOf(a)]);
  assert.deepEqual(appliances.plan([b, a], 0), { addresses: [a, b], patienceMs: 1_200 });
  appliances.failed(a, 0);
  assert.deepEqual(appliances.plan([a, b], 1).addresses, [b, a]);
});

test("an appliance is its origin, whatever the token", () => {
  assert.equal(originOf(a), "http://10.0.0.1:8081");
  assert.equal(originOf("nonsense"), "nonsense");
});
