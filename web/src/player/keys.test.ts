import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf } from "./keys.ts";

test("over the picture arrows seek and set the volume", () => {
  assert.equal(actionOf("ArrowLeft", "picture"), "rewind");
  assert.equal(actionOf("ArrowRight", "picture"), "forward");
  assert.equal(actionOf("ArrowUp", "picture"), "louder");
  assert.equal(actionOf("ArrowDown", "picture"), "down");
  assert.equal(actionOf(" ", "picture"), "toggle");
});

test("among the controls arrows move the focus and space presses the button", () => {
  assert.equal(actionOf("ArrowRight", "control"), "right");
  assert.equal(actionOf("ArrowUp", "control"), "up");
  assert.equal(actionOf(" ", "control"), undefined);
  assert.equal(actionOf("Enter", "control"), undefined);
});

test("letters work everywhere, in either case", () => {
  for (const place of ["picture", "seek", "volume", "control", "menu"] as const) {
    assert.equal(actionOf("f", place), "fullscreen");
    assert.equal(actionOf("F", place), "fullscreen");
    assert.equal(actionOf("Escape", place), "escape");
  }
});

test("a remote is not caught in the volume slider", () => {
  assert.equal(actionOf("ArrowRight", "volume"), "right");
  assert.equal(actionOf("ArrowUp", "volume"), "louder");
});

test("other keys are left to the browser", () => {
  assert.equal(actionOf("Tab", "picture"), undefined);
  assert.equal(actionOf("constructor", "picture"), undefined);
  assert.equal(actionOf("ArrowUp", "menu"), undefined);
});
