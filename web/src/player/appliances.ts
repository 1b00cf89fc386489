// Which appliances failed of late, so that each segment asks the others first.
//
// Shaka Player tries the addresses of a segment in the manifest's order, for every segment anew:
// an appliance that hangs would cost its timeout each time. Here it costs that once.

const FORGIVEN_AFTER_MS = 30_000;
/** Before any moment at which one failed. */
const LED_AWAY = -1;
export const SHORT_PATIENCE_MS = 1_200;
export const LONG_PATIENCE_MS = 5_000;

/** How to ask for one segment. */
export interface Plan {
  readonly addresses: string[];
  /** How long the first of them may be silent. */
  readonly patienceMs: number;
}

export class Appliances {
  private readonly failedAtMs = new Map<string, number>();
  private readonly corrupted = new Set<string>();
  private led: readonly string[] = [];

  failed(address: string, nowMs: number): void {
    this.failedAtMs.set(originOf(address), nowMs);
  }

  worked(address: string): void {
    this.failedAtMs.delete(originOf(address));
  }

  /** It served other bytes than were published: a broken disk does not mend during a film. */
  corrupt(address: string): void {
    this.corrupted.add(originOf(address));
  }

  /** Take the service's word for which origins to use, the best first; empty for the manifest's. */
  steer(origins: readonly string[]): void {
    this.led = origins;
  }

  /** Those that served wrong bytes, in the order in which they were found out. */
  left(): string[] {
    return [...this.corrupted];
  }

  /**
   * The addresses in their order, or in the service's; then those that it leads away from, those
   * of failing appliances, longest ago first, and those that served wrong bytes.
   *
   * An appliance is given up soon where another one is left that worked. Where all failed of
   * late it may be the viewer's own network that is slow: then the first one gets its time.
   */
  plan(addresses: readonly string[], nowMs: number): Plan {
    const penalty = (address: string) => {
      if (this.corrupted.has(originOf(address))) return Number.POSITIVE_INFINITY;
      const failedAtMs = this.failedAtMs.get(originOf(address)) ?? Number.NEGATIVE_INFINITY;
      if (nowMs - failedAtMs < FORGIVEN_AFTER_MS) return failedAtMs;
      if (this.led.length > 0 && !this.led.includes(originOf(address))) return LED_AWAY;
      return Number.NEGATIVE_INFINITY;
    };
    const place = (address: string) => this.led.indexOf(originOf(address));
    const ordered = [...addresses].sort((a, b) => place(a) - place(b));
    const ranked = ordered.map((address) => ({ address, penalty: penalty(address) }));
    ranked.sort((a, b) => (a.penalty === b.penalty ? 0 : a.penalty < b.penalty ? -1 : 1));
    const hasAnother = (ranked[1]?.penalty ?? 0) < 0;
    return {
      addresses: ranked.map(({ address }) => address),
      patienceMs: hasAnother ? SHORT_PATIENCE_MS : LONG_PATIENCE_MS,
    };
  }
}

/** `http://host:port`; the address itself where it is none. */
export function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : address;
}
