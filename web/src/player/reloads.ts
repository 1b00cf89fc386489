// Where the viewer was when they reloaded the page: the new page asks for the resume point before
// the old one's last report of progress may have arrived.

const PLACE = "cuemark.reloaded";

/** The page goes away, perhaps to come again. */
export function keepPlace(titleId: string, positionS: number): void {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify({ titleId, positionS }));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

/** In seconds, once; undefined where the page was not reloaded while this title played. */
export function takePlace(titleId: string): number | undefined {
  try {
    const stored = sessionStorage.getItem(PLACE);
    sessionStorage.removeItem(PLACE);
    const [navigation] = performance.getEntriesByType("navigation");
    if (stored === null || !navigation || !("type" in navigation)) return undefined;
    const kept = JSON.parse(stored) as { readonly titleId?: unknown; readonly positionS?: unknown };
    const fits = navigation.type === "reload" && kept.titleId === titleId;
    return fits && typeof kept.positionS === "number" ? kept.positionS : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return undefined;
    throw error;
  }
}
