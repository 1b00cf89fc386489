// Shaka Player fetches by this what a play has digests of: wrong bytes count as no answer, so that
// the next address of the segment is asked.

import shaka from "shaka-player/dist/shaka-player.dash-es2021.js";
import type { Digests } from "./digests.ts";

/** Who judges the bytes of a play. */
export interface Judge {
  readonly digests: Digests;
  readonly onWrong: (address: string) => void;
}

/** The plugin is of the whole page; its judge is of the play that asks. */
const judges = new WeakMap<shaka.extern.Request, Judge>();

/** Have `judge` look at all that `request` brings. */
export function judged(request: shaka.extern.Request, judge: Judge): void {
  judges.set(request, judge);
}

const fetchChecked: shaka.extern.SchemePlugin = (address, request, type, ...rest) => {
  const fetching: shaka.extern.IAbortableOperation<shaka.extern.Response> =
    shaka.net.HttpFetchPlugin.parse(address, request, type, ...rest);
  const judge = judges.get(request);
  if (!judge) return fetching;
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const { Severity, Category, Code } = shaka.util.Error;
    const reason = new shaka.util.Error(Severity.CRITICAL, Category.PLAYER, Code.OPERATION_ABORTED);
    abort = () => reject(reason);
  });
  const checked = check(fetching.promise, address, request, type, judge);
  return new shaka.util.AbortableOperation(Promise.race([checked, aborted]), () => {
    abort();
    return fetching.abort();
  });
};

async function check(
  answer: Promise<shaka.extern.Response>,
  address: string,
  request: shaka.extern.Request,
  type: shaka.net.NetworkingEngine.RequestType,
  judge: Judge,
): Promise<shaka.extern.Response> {
  const body = answer.then(({ data }) => data as BufferSource);
  const verdict = await judge.digests.judge(address, body, request.uris);
  if (verdict === "right" || verdict === "unsealed") return answer;
  if (verdict === "wrong") judge.onWrong(address);
  const { Severity, Category, Code } = shaka.util.Error;
  const { RECOVERABLE } = Severity;
  throw new shaka.util.Error(RECOVERABLE, Category.NETWORK, Code.HTTP_ERROR, address, verdict, type);
}

for (const scheme of ["http", "https"]) {
  shaka.net.NetworkingEngine.registerScheme(scheme, fetchChecked, undefined, true);
}
