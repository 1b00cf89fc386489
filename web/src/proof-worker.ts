// Solves one challenge on a thread of its own, so that the page stays what it is meanwhile.

import type { Challenge } from "./proof.ts";
import { solve } from "./puzzle.ts";

self.onmessage = (event: MessageEvent<Challenge>) => {
  const { challenge, bits } = event.data;
  self.postMessage(`${challenge}:${solve(challenge, bits)}`);
};
