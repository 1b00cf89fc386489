import assert from "node:assert/strict";
import { test } from "node:test";
import { Thumbnails, type Place } from "./thumbnails.ts";

const TILE_S = 2;
const TILES = 4;

const placeAt = (positionS: number): Place => {
  const tile = Math.floor(positionS / TILE_S);
  const sheet = Math.floor(tile / TILES) + 1;
  const addresses = ["a", "b"].map((host) => `http://${host}/thumbnails/${sheet}.jpg`);
  const x = (tile % TILES) * 320;
  return { addresses, x, y: 0, width: 320, height: 180, startS: tile * TILE_S, durationS: TILE_S };
};

function asked(answer: (address: string) => string | undefined = (address) => address) {
  const fetched: string[] = [];
  const thumbnails = new Thumbnails<string>({
    find: async (positionS) => (positionS < 200 ? placeAt(positionS) : undefined),
    fetch: async ([address = ""]) => {
      fetched.push(address);
      return answer(address);
    },
  });
  return { thumbnails, fetched };
}

test("a tile is a part of the sheet that its place names", async () => {
  const { thumbnails } = asked();
  const tile = await thumbnails.at(11);
  const sheet = "http://a/thumbnails/2.jpg";
  assert.deepEqual(tile, { sheet, x: 320, y: 0, width: 320, height: 180, startS: 10, durationS: 2 });
});

test("a film without pictures has no tile, and nothing is fetched", async () => {
  const { thumbnails, fetched } = asked();
  assert.equal(await thumbnails.at(500), undefined);
  assert.deepEqual(fetched, []);
});

test("a sheet is fetched once for all who look at it at the same time", async () => {
  const { thumbnails, fetched } = asked();
  await Promise.all([1, 3, 5, 7].map((positionS) => thumbnails.at(positionS)));
  assert.equal(fetched.length, 1);
});

test("the sheet that was not looked at for the longest is given up, and fetched again", async () => {
  const { thumbnails, fetched } = asked();
  for (const sheet of [0, 1, 2, 3, 4, 5, 0, 6]) await thumbnails.at(sheet * TILES * TILE_S);
  assert.equal(fetched.length, 7);
  await thumbnails.at(0);
  assert.equal(fetched.length, 7);
  await thumbnails.at(TILES * TILE_S);
  assert.equal(fetched.length, 8);
});

test("a sheet that nobody delivers is asked for again", async () => {
  let away = true;
  const { thumbnails, fetched } = asked((address) => (away ? undefined : address));
  assert.equal(await thumbnails.at(0), undefined);
  away = false;
  assert.ok(await thumbnails.at(0));
  assert.equal(fetched.length, 2);
});

test("what was fetched for one play is not shown in the next", async () => {
  const { thumbnails, fetched } = asked();
  await thumbnails.at(0);
  thumbnails.forget();
  await thumbnails.at(0);
  assert.equal(fetched.length, 2);
});
