// The language of this visit, chosen once from the browser's list.

import { chooseLanguage, regionOf, sentence, type StringKey, type Values } from "./strings.ts";

export const language = chooseLanguage(navigator.languages);

/** The country whose age ratings are shown, as far as the browser's language tells it. */
export const territory = regionOf(navigator.languages);

export function say(key: StringKey, values?: Values): string {
  return sentence(language, key, values);
}
