// The language of this visit, chosen once: that of the profile, else of the browser's list.

import { chooseLanguage, regionOf, sentence, type StringKey, type Values } from "./strings.ts";
import { viewer } from "./viewer.ts";

const wanted = [...[viewer().language].filter(Boolean), ...navigator.languages];

export const language = chooseLanguage(wanted);

/** The country whose age ratings are shown, as far as the browser's language tells it. */
export const territory = regionOf(navigator.languages);

export function say(key: StringKey, values?: Values): string {
  return sentence(language, key, values);
}
