// The work that the service may ask for before it looks at a password, done beside the page.

/** Find a number such that SHA-256 of `challenge:number` begins with `bits` zero bits. */
export interface Challenge {
  readonly challenge: string;
  readonly bits: number;
}

/** What is sent as `proof`. */
export function proofOf(asked: Challenge): Promise<string> {
  const worker = new Worker(new URL("./proof-worker.ts", import.meta.url), { type: "module" });
  return new Promise<string>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<string>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message || "the proof was not found"));
    worker.postMessage(asked);
  }).finally(() => worker.terminate());
}
