// The language of this visit, chosen once from the browser's list.

import { chooseLanguage, sentence, type StringKey, type Values } from "./strings.ts";

export const language = chooseLanguage(navigator.languages);

export function say(key: StringKey, values?: Values): string {
  return sentence(language, key, values);
}
