// Which sounds of a film a viewer can choose, and which one is played.

export interface SoundTrack {
  readonly language: string;
  readonly roles: readonly string[];
  readonly accessibilityPurpose: string | null;
  readonly label: string | null;
  readonly active: boolean;
}

export type SoundRole = "main" | "description" | "clear" | "commentary";

/** A sound that can be chosen. `id` is its language, with its role where that is another than main. */
export interface Choosable<Track> {
  readonly id: string;
  readonly language: string;
  readonly role: SoundRole;
  /** What tells it from another sound of its language and role; empty for the first one. */
  readonly title: string;
  readonly track: Track;
}

export function roleOf(track: SoundTrack): SoundRole {
  if (track.accessibilityPurpose === "visually impaired") return "description";
  if (track.accessibilityPurpose === "hard of hearing") return "clear";
  return track.roles.includes("commentary") ? "commentary" : "main";
}

/** What the menu lists, each sound once, in the order of the manifest. */
export function soundsOf<Track extends SoundTrack>(tracks: readonly Track[]): Choosable<Track>[] {
  const found = new Map<string, Choosable<Track>>();
  for (const track of tracks) {
    const { language, label } = track;
    const role = roleOf(track);
    const plain = role === "main" ? language : `${language}:${role}`;
    const first = found.get(plain);
    const again = first !== undefined && first.track.label !== label;
    const id = again ? `${plain}:${label}` : plain;
    // Of several renditions of one sound the one that plays stands for it.
    if (!found.has(id) || track.active) {
      found.set(id, { id, language, role, title: again ? (label ?? "") : "", track });
    }
  }
  return [...found.values()];
}
