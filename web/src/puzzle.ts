// Puzzles as `src/cuemark/kit/puzzle.py` has them. SHA-256 (FIPS 180-4) is our own here: the
// browser's is there on secure pages only, and costs a turn of the loop for each hash.

const K = new Uint32Array(64);
const H0 = new Uint32Array(8);

/** The first 32 bits of the fractional part of a root (section 4.2.2 and 5.3.3). */
const fraction = (root: number): number => Math.floor((root - Math.floor(root)) * 2 ** 32);

for (let number = 2, found = 0; found < 64; number++) {
  let prime = true;
  for (let divisor = 2; divisor * divisor <= number; divisor++) {
    if (number % divisor === 0) prime = false;
  }
  if (!prime) continue;
  K[found] = fraction(Math.cbrt(number));
  if (found < 8) H0[found] = fraction(Math.sqrt(number));
  found++;
}

const words = new Uint32Array(64);
const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by));
const at = (array: Uint32Array, place: number): number => array[place] as number;

/** One round of the hash over 64 bytes, into `state`. */
function compress(state: Uint32Array, block: DataView, offset: number): void {
  for (let i = 0; i < 16; i++) words[i] = block.getUint32(offset + i * 4);
  for (let i = 16; i < 64; i++) {
    const before = at(words, i - 15);
    const late = at(words, i - 2);
    const s0 = turned(before, 7) ^ turned(before, 18) ^ (before >>> 3);
    const s1 = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    words[i] = (at(words, i - 16) + s0 + at(words, i - 7) + s1) | 0;
  }
  let a = at(state, 0);
  let b = at(state, 1);
  let c = at(state, 2);
  let d = at(state, 3);
  let e = at(state, 4);
  let f = at(state, 5);
  let g = at(state, 6);
  let h = at(state, 7);
  for (let i = 0; i < 64; i++) {
    const s1 = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const one = (h + s1 + ((e & f) ^ (~e & g)) + at(K, i) + at(words, i)) | 0;
    const s0 = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22);
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  const end = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i++) state[i] = at(state, i) + (end[i] as number);
}

/** SHA-256 of ASCII text as eight words. */
export function sha256(text: string): Uint32Array {
  const state = H0.slice();
  const padded = new DataView(new ArrayBuffer(Math.ceil((text.length + 9) / 64) * 64));
  for (let i = 0; i < text.length; i++) padded.setUint8(i, text.charCodeAt(i));
  padded.setUint8(text.length, 0x80);
  padded.setUint32(padded.byteLength - 4, text.length * 8);
  for (let offset = 0; offset < padded.byteLength; offset += 64) compress(state, padded, offset);
  return state;
}

function zeros(hash: Uint32Array): number {
  let count = 0;
  for (const word of hash) {
    count += Math.clz32(word);
    if (word !== 0) break;
  }
  return count;
}

/** The least number such that SHA-256 of `challenge:number` begins with `bits` zero bits. */
export function solve(challenge: string, bits: number): string {
  for (let number = 0; ; number++) {
    if (zeros(sha256(`${challenge}:${number}`)) >= bits) return String(number);
  }
}
