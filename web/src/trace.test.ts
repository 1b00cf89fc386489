import assert from "node:assert/strict";
import { test } from "node:test";
import { newTraceId, traceIdOf, traceparentOf, withSession } from "./trace.ts";

test("a trace id goes into a traceparent and comes back out of it", () => {
  const traceId = newTraceId();
  assert.match(traceId, /^[0-9a-f]{32}$/);
  assert.notEqual(traceId, newTraceId());
  assert.equal(traceIdOf(traceparentOf(traceId)), traceId);
});

test("what is no traceparent has no trace id", () => {
  for (const header of [null, "", "00-abc-def-01", `00-${"g".repeat(32)}-${"0".repeat(16)}-01`]) {
    assert.equal(traceIdOf(header), "");
  }
});

test("a media address carries the trace as its CMCD session id, as appliances read it", () => {
  const traceId = "a".repeat(32);
  const session = `CMCD=sid%3D%22${traceId}%22`;
  assert.equal(withSession("http://b:1/t/x/1.m4s", traceId), `http://b:1/t/x/1.m4s?${session}`);
  assert.equal(withSession("http://b:1/1.m4s?a=b", traceId), `http://b:1/1.m4s?a=b&${session}`);
  const told = `http://b:1/1.m4s?CMCD=br%3D1%2C${session.slice(5)}`;
  assert.equal(withSession(told, traceId), told);
});
