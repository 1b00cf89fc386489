// Which bytes are the film's.
//
// The manifest, which comes from the service, names the SHA-256 of a list; the list, which any
// appliance may deliver, has one digest for each file of a rendition: sha-256-128 of RFC 6920, the
// first 16 bytes of its SHA-256, for playlist, init segment, segment 1, segment 2, and so on. Thumbnails are a
// rendition of sheets, without an init segment. Where keys change, the init segments of later periods
// stand at the end of the list. Of marked pictures each segment has two digests, one for each of its
// variants: either is the film's.

import { LONG_PATIENCE_MS, SHORT_PATIENCE_MS } from "./appliances.ts";

const SCHEME = "urn:cuemark:digests:sha-256-128";
const DIGEST_BYTES = 16;
const INIT_PLACE = 1;

/** An element as Shaka Player parsed it. */
export interface Element {
  readonly tagName: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly unknown[];
}

/** A file of a rendition: below which address, of which rendition, at which place of its list. */
interface File {
  readonly base: string;
  readonly rendition: string;
  readonly place: number;
  /** How many digests it has there, any of which it may have. */
  readonly variants: number;
  /** Of the init segment of a later period, counted from 0: its place is told from the list's end. */
  readonly period: number;
}

interface Seal {
  /** Where the list is, below an appliance's address. */
  readonly path: string;
  /** In hex. */
  readonly sha256: string;
}

/**
 * `right` and `wrong` bytes; `unsealed` where the manifest says nothing of the file; `unlisted`
 * where it does, and nobody delivers the list that it names.
 */
export type Verdict = "right" | "wrong" | "unsealed" | "unlisted";

/** Fetches bytes; raises where there are none in that time. */
export type Fetch = (address: string, patienceMs: number) => Promise<ArrayBuffer>;

export class Digests {
  private readonly seals = new Map<string, Seal>();
  private readonly lists = new Map<string, Promise<Uint8Array | undefined>>();
  private periods = 1;
  private readonly fetch: Fetch;

  constructor(fetch: Fetch) {
    this.fetch = fetch;
  }

  /** Take the seals of a manifest in the place of those before. */
  learn(mpd: Element): void {
    this.seals.clear();
    this.lists.clear();
    this.periods = mpd.children.filter((child) => isElement(child) && child.tagName === "Period").length;
    for (const [rendition, seal] of sealsOf(mpd)) this.seals.set(rendition, seal);
  }

  /** What is to be said of `body`, fetched from `address`; the same file is at all `addresses`. */
  async judge(
    address: string,
    body: Promise<BufferSource>,
    addresses: readonly string[],
  ): Promise<Verdict> {
    const file = fileOf(address);
    const seal = file && this.seals.get(file.rendition);
    if (!file || !seal) return "unsealed";
    const listing = this.listOf(file.rendition, seal, [address, ...addresses]);
    const [list, found] = await Promise.all([listing, body.then(sha256)]);
    if (!list) return "unlisted";
    const digest = new Uint8Array(found, 0, DIGEST_BYTES);
    const place = file.period > 0 ? list.length / DIGEST_BYTES - this.periods + file.period : file.place;
    for (let variant = 0; variant < file.variants; variant++) {
      const expected = list.subarray((place + variant) * DIGEST_BYTES, (place + variant + 1) * DIGEST_BYTES);
      if (expected.length === DIGEST_BYTES && expected.every((byte, at) => byte === digest[at])) return "right";
    }
    return "wrong";
  }

  private listOf(rendition: string, seal: Seal, addresses: readonly string[]) {
    const known = this.lists.get(rendition);
    if (known) return known;
    const list = this.fetchList(seal, addresses).then((found) => {
      if (!found) this.lists.delete(rendition);
      return found;
    });
    this.lists.set(rendition, list);
    return list;
  }

  private async fetchList(seal: Seal, addresses: readonly string[]) {
    const bases = new Set(addresses.flatMap((address) => fileOf(address)?.base ?? []));
    let others = bases.size;
    for (const base of bases) {
      others -= 1;
      const patienceMs = others > 0 ? SHORT_PATIENCE_MS : LONG_PATIENCE_MS;
      const listed = await this.fetch(base + seal.path, patienceMs).catch(() => undefined);
      if (listed && hex(await sha256(listed)) === seal.sha256) return new Uint8Array(listed);
    }
    return undefined;
  }
}

/** The seals of a manifest, by the rendition's id. */
function sealsOf(element: Element): [string, Seal][] {
  const children = element.children.filter(isElement);
  const below = children.flatMap(sealsOf);
  if (element.tagName !== "Representation") return below;
  const supplement = children.find(
    ({ tagName, attributes }) =>
      tagName === "SupplementalProperty" && attributes["schemeIdUri"] === SCHEME,
  );
  const [path, sha256] = supplement?.attributes["value"]?.split(" ") ?? [];
  const rendition = element.attributes["id"];
  return path && sha256 && rendition ? [[rendition, { path, sha256 }], ...below] : below;
}

export function isElement(child: unknown): child is Element {
  return typeof child === "object" && child !== null && "tagName" in child && "children" in child;
}

/** Undefined where `address` is no file of a rendition. Sheets of pictures have no init segment. */
function fileOf(address: string): File | undefined {
  const path = address.split(/[?#]/, 1)[0] ?? "";
  const [, base, rendition, period, marked, segment, sheet] =
    /^(.*\/)([^/]+)\/(?:init(?:-(\d+))?\.mp4|(x?)(\d+)\.m4s|(\d+)\.jpg)$/.exec(path) ?? [];
  if (base === undefined || rendition === undefined) return undefined;
  const variants = marked ? 2 : 1;
  const before = variants * (Number(segment ?? 0) - 1);
  const place = sheet === undefined ? INIT_PLACE + 1 + before : Number(sheet);
  return { base, rendition, place, variants, period: Math.max(0, Number(period ?? 1) - 1) };
}

const sha256 = (bytes: BufferSource) => crypto.subtle.digest("SHA-256", bytes);

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
