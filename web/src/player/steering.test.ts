import assert from "node:assert/strict";
import { test } from "node:test";
import { placesOf, priorityOf } from "./steering.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("the names in an answer come in their order", () => {
  assert.deepEqual(priorityOf(bytes('{"VERSION":1,"PATHWAY-PRIORITY":["b","a"]}')), ["b", "a"]);
});

test("what is no answer names nobody", () => {
  for (const text of ["", "null", "[]", "{", '{"PATHWAY-PRIORITY":"a"}', '{"PATHWAY-PRIORITY":[1]}']) {
    assert.deepEqual(priorityOf(bytes(text)), [], text);
  }
  assert.deepEqual(priorityOf(new Uint8Array([0xff, 0xfe])), []);
});

test("a manifest says where each name is", () => {
  const base = (attributes: Record<string, string>, ...children: unknown[]) => ({
    tagName: "BaseURL",
    attributes,
    children,
  });
  const mpd = {
    tagName: "MPD",
    attributes: {},
    children: [
      "\n",
      base({ serviceLocation: "edge-a" }, " http://10.0.0.1:8081/t/x/v/ "),
      base({ serviceLocation: "edge-b" }, "http://10.0.0.1:8082/t/y/v/"),
      base({}, "http://10.0.0.3/"),
      base({ serviceLocation: "edge-c" }),
    ],
  };
  assert.deepEqual(
    [...placesOf(mpd)],
    [["edge-a", "http://10.0.0.1:8081"], ["edge-b", "http://10.0.0.1:8082"]],
  );
});
