// The small pictures of a film. They stand on sheets, which are fetched when somebody looks for a
// place in it, and a few of which are kept.

const KEPT_SHEETS = 6;

/** Where the picture for a position is, as the manifest has it. Lengths in pixels of the sheet. */
export interface Place {
  /** The same sheet at several appliances. */
  readonly addresses: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly startS: number;
  readonly durationS: number;
}

/** A picture that can be drawn: a part of a sheet. */
export interface Tile<Sheet> extends Omit<Place, "addresses"> {
  readonly sheet: Sheet;
}

export interface Source<Sheet> {
  /** Undefined where the film has no picture for that position. */
  readonly find: (positionS: number) => Promise<Place | undefined>;
  /** Undefined where nobody delivers it. */
  readonly fetch: (addresses: readonly string[]) => Promise<Sheet | undefined>;
}

export class Thumbnails<Sheet> {
  private readonly source: Source<Sheet>;
  /** By their first address, the latest used last. */
  private readonly sheets = new Map<string, Promise<Sheet | undefined>>();

  constructor(source: Source<Sheet>) {
    this.source = source;
  }

  /** The picture for a position in seconds; undefined where there is none, or none to be had. */
  async at(positionS: number): Promise<Tile<Sheet> | undefined> {
    const place = await this.source.find(positionS);
    if (!place) return undefined;
    const { addresses, ...where } = place;
    const sheet = await this.sheet(addresses);
    return sheet && { ...where, sheet };
  }

  /** Another play has other addresses. */
  forget(): void {
    this.sheets.clear();
  }

  private sheet(addresses: readonly string[]): Promise<Sheet | undefined> {
    const name = addresses[0] ?? "";
    const sheet = this.sheets.get(name) ?? this.source.fetch(addresses);
    this.sheets.delete(name);
    this.sheets.set(name, sheet);
    void sheet.then((found) => {
      if (!found && this.sheets.get(name) === sheet) this.sheets.delete(name);
    });
    for (const oldest of this.sheets.keys()) {
      if (this.sheets.size <= KEPT_SHEETS) break;
      this.sheets.delete(oldest);
    }
    return sheet;
  }
}
