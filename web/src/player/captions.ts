// Which of a film's text tracks a viewer can choose, and which one is shown without being chosen.

import { chooseCaption } from "../strings.ts";

export interface TextTrack {
  readonly language: string;
  readonly roles: readonly string[];
  readonly forced: boolean;
}

/** A track that can be chosen. `id` is its language, with `:sdh` where it also says what is heard. */
export interface Choosable<Track> {
  readonly id: string;
  readonly language: string;
  readonly sdh: boolean;
  readonly track: Track;
}

/** What the menu lists, each once, in the order of the manifest: never a forced track. */
export function choosable<Track extends TextTrack>(tracks: readonly Track[]): Choosable<Track>[] {
  const found = new Map<string, Choosable<Track>>();
  for (const track of tracks) {
    if (track.forced) continue;
    const sdh = track.roles.includes("caption");
    const id = sdh ? `${track.language}:sdh` : track.language;
    if (!found.has(id)) found.set(id, { id, language: track.language, sdh, track });
  }
  return [...found.values()];
}

/** The track of an id, else another one of its language; undefined where there is none. */
export function chosen<Track extends TextTrack>(
  tracks: readonly Track[],
  id: string,
): Track | undefined {
  const all = choosable(tracks);
  const language = id.split(":")[0];
  const found = all.find((each) => each.id === id) ?? all.find((each) => each.language === language);
  return found?.track;
}

/**
 * The forced track that is shown while captions are off: that of the sound's language. Where the
 * sound does not say its language, that of a language the viewer wants, else the first.
 */
export function forcedFor<Track extends TextTrack>(
  tracks: readonly Track[],
  soundLanguage: string,
  wanted: readonly string[],
): Track | undefined {
  const forced = tracks.filter((track) => track.forced);
  const languages = forced.map((track) => track.language);
  const primary = (tag: string) => tag.toLowerCase().split("-")[0];
  const silent = ["", "und", "mul", "zxx"].includes(primary(soundLanguage) ?? "");
  const language = silent
    ? chooseCaption(wanted, languages)
    : (languages.find((each) => each.toLowerCase() === soundLanguage.toLowerCase()) ??
      languages.find((each) => primary(each) === primary(soundLanguage)));
  return forced.find((track) => track.language === language);
}
