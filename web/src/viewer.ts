// Who watches on this device: what of their profile the page must know before it asks for anything.

export interface Viewer {
  readonly profile_id: string;
  readonly language: string;
  readonly sound_languages: readonly string[];
  readonly caption_languages: readonly string[];
  /** Whether the next episode begins by itself. */
  readonly autoplay: boolean;
}

const PLACE = "cuemark.viewer";
const NOBODY: Viewer = {
  profile_id: "",
  language: "",
  sound_languages: [],
  caption_languages: [],
  autoplay: false,
};

let known: Viewer | undefined;

export function viewer(): Viewer {
  known ??= stored();
  return known;
}

function stored(): Viewer {
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Partial<Viewer>;
    return {
      profile_id: text(kept.profile_id),
      language: text(kept.language),
      sound_languages: texts(kept.sound_languages),
      caption_languages: texts(kept.caption_languages),
      autoplay: kept.autoplay === true,
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return NOBODY;
    throw error;
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : [];

/** Keep who watches; true where the page speaks another language to them, and must load anew. */
export function keepViewer(profile: Viewer | undefined): boolean {
  const before = viewer();
  const now = profile ?? NOBODY;
  known = {
    profile_id: now.profile_id,
    language: now.language,
    sound_languages: now.sound_languages,
    caption_languages: now.caption_languages,
    autoplay: now.autoplay,
  };
  try {
    localStorage.setItem(PLACE, JSON.stringify(known));
  } catch (error) {
    // A browser that keeps nothing speaks its own language: that is its owner's wish.
    if (!(error instanceof DOMException)) throw error;
    return false;
  }
  return known.language !== before.language;
}

interface Choice {
  /** A language, with a role behind it where it is no plain one. */
  readonly id: string;
  readonly language: string;
}

/** The id of what fits best somebody who wants these languages, the best first; empty for none. */
export function firstFor(wanted: readonly string[], choices: readonly Choice[]): string {
  const primary = (tag: string) => tag.toLowerCase().split("-")[0];
  for (const tag of wanted) {
    const near = choices.filter((choice) => primary(choice.language) === primary(tag));
    const exact = near.filter((choice) => choice.language.toLowerCase() === tag.toLowerCase());
    const fitting = exact.length > 0 ? exact : near;
    const found = fitting.find((choice) => choice.id === choice.language) ?? fitting[0];
    if (found) return found.id;
  }
  return "";
}
