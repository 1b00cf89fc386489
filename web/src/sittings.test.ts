import assert from "node:assert/strict";
import { test } from "node:test";
import type { Title, Viewing } from "./api.ts";
import { sittingsOf } from "./sittings.ts";

function viewing(title_id: string, position_s: number, watched_at: string): Viewing {
  return { title: { title_id } as Title, position_s, watched_at };
}

test("plays of one title in a row are one sitting, as far as they came", () => {
  const found = sittingsOf([
    viewing("a", 10, "2026-01-04"),
    viewing("a", 50, "2026-01-03"),
    viewing("b", 20, "2026-01-02"),
    viewing("a", 30, "2026-01-01"),
  ]);
  assert.deepEqual(
    found.map(({ viewing: each, furthestS }) => [each.title.title_id, each.watched_at, furthestS]),
    [
      ["a", "2026-01-04", 50],
      ["b", "2026-01-02", 20],
      ["a", "2026-01-01", 30],
    ],
  );
  assert.deepEqual(sittingsOf([]), []);
});
