// Amounts of money and places, as people write them.

/** Minor units of a currency (ISO 4217) as an amount in a language. */
export function amountText(minor: number, currency: string, language: string): string {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minor / 10 ** digits);
}

/** Codes that stand for no country: unions, tests, islands that ISO 3166-1 only keeps for others. */
const NO_COUNTRY = new Set(
  "AC AN BU CP CQ CS DD DG EA EU EZ FX IC NT QO SU TA TP UN XA XB YD YU ZR ZZ".split(" "),
);

/** All countries (ISO 3166-1) that a language has names for, sorted by them. */
export function countries(language: string): readonly { code: string; name: string }[] {
  const names = new Intl.DisplayNames([language], { type: "region", fallback: "none" });
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  return letters
    .flatMap((first) => letters.map((second) => first + second))
    .filter((code) => !NO_COUNTRY.has(code))
    .flatMap((code) => {
      const name = names.of(code);
      return name ? [{ code, name }] : [];
    })
    .sort((left, right) => left.name.localeCompare(right.name, language));
}
