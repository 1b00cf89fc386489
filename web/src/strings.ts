// Every sentence that the page says, keyed by language. A new language is a new column here;
// a test holds the columns alike.

const en = {
  "service.fallback": "Cuemark",
  "page.skip": "Skip to the titles",
  "page.lost": "There is no page at this address.",
  "page.broken": "The page stumbled over an error of its own. Loading it again usually helps.",
  "page.home": "All titles",
  "page.reload": "Load again",
  "error.unreachable": "The service cannot be reached. Check your connection, then try again.",
  "error.away": "A part of the service is away just now. Try again in a moment.",
  "error.other": "That did not work: {message}",
  "error.trace": "(Trace {trace})",
  "error.retry": "Try again",
  "login.title": "Log in",
  "login.lead": "Films that are yours to show.",
  "login.email": "Mail address",
  "login.password": "Password",
  "login.submit": "Log in",
  "login.busy": "Logging in …",
  "login.redeeming": "Opening your login link …",
  "login.wrong": "The mail address and the password do not match. Check both and try again.",
  "login.link_spent": "This login link was used before or is too old. Ask for a new one, or log in with your password.",
  "login.too_many": "Too many people are logging in at once. Wait a few seconds and try again.",
  "login.out": "Log out",
  "home.watching": "Continue watching",
  "home.titles": "All titles",
  "home.loading": "Loading the titles …",
  "home.empty": "There are no titles yet. They appear here as soon as the first one is ready to play.",
  "home.more": "Show more titles",
  "home.play": "Play",
  "home.resume": "Resume at {time}",
  "home.series": "Series",
  "home.about": "About {name}",
  "home.details": "Details",
  "work.loading": "Loading …",
  "work.season": "Season {number}",
  "work.specials": "Specials",
  "work.episode": "Episode {number}",
  "work.episodes": "Episodes",
  "work.play_first": "Play episode {number}",
  "work.more": "Trailers and more",
  "work.inside": "Titles",
  "work.people": "People",
  "work.as": "as {character}",
  "work.original": "Original language",
  "work.countries": "Made in",
  "work.themes": "Themes",
  "work.ratings": "Age ratings",
  "role.actor": "Cast",
  "role.director": "Director",
  "role.creator": "Creator",
  "role.writer": "Writer",
  "role.producer": "Producer",
  "role.composer": "Music",
  "role.cinematographer": "Camera",
  "role.editor": "Editing",
  "role.voice": "Voices",
  "role.narrator": "Narrator",
  "role.host": "Host",
  "role.self": "With",
  "player.next": "Next: {name}",
  "title.quick": "Quick version",
  "title.quick_why": "The first encode. A finer one replaces it by itself.",
  "title.minutes": "{minutes} min",
  "title.seconds": "{seconds} s",
  "title.left": "{time} left",
  "player.label": "Player: {name}",
  "player.loading": "Loading the film …",
  "player.buffering": "Loading …",
  "player.back": "Back to all titles",
  "player.play": "Play",
  "player.pause": "Pause",
  "player.rewind": "Back 10 seconds",
  "player.forward": "Forward 10 seconds",
  "player.wind_back": "Rewind",
  "player.wind_forward": "Fast forward",
  "player.mute": "Mute",
  "player.unmute": "Unmute",
  "player.volume": "Volume",
  "player.seek": "Position",
  "player.at": "{time} of {duration}",
  "player.sound": "Sound",
  "player.sound_description": "{language} (audio description)",
  "player.sound_clear": "{language} (clear speech)",
  "player.sound_commentary": "{language} (commentary)",
  "player.captions": "Captions",
  "player.captions_off": "Off",
  "player.captions_sdh": "{language} (SDH)",
  "player.captions_none": "This title has no captions",
  "player.quality": "Quality",
  "player.auto": "Auto",
  "player.auto_now": "Auto · {quality}",
  "player.speed": "Speed",
  "player.fullscreen": "Full screen",
  "player.fullscreen_leave": "Leave full screen",
  "player.resumed": "Resumed at {time}",
  "player.start_over": "Start over",
  "player.moved": "Moving to another appliance …",
  "player.ended": "The end",
  "player.again": "Watch again",
  "player.stats": "Statistics",
  "player.cannot": "This title cannot be played now. It may still be on its way to the appliances.",
  "player.gone": "There is no such title.",
  "player.no_key": "The licence for this film was refused, so it cannot be decrypted.",
  "player.no_eme": "This browser cannot decrypt films here. It needs https, or the address localhost.",
  "player.no_media": "No appliance can deliver this film just now. Try again in a moment.",
  "player.no_codec": "This browser has no decoder for this film.",
  "stats.appliance": "Appliance",
  "stats.picture": "Picture",
  "stats.frames": "Frames shown",
  "stats.dropped": "Frames dropped",
  "stats.bandwidth": "Bandwidth",
  "stats.buffer": "Buffer",
  "stats.stalls": "Stalls",
  "stats.restarts": "Restarts",
} as const;

export type StringKey = keyof typeof en;
type Catalog = Readonly<Record<StringKey, string>>;

const de: Catalog = {
  "service.fallback": "Cuemark",
  "page.skip": "Zu den Titeln springen",
  "page.lost": "Unter dieser Adresse gibt es keine Seite.",
  "page.broken": "Die Seite ist über einen eigenen Fehler gestolpert. Neu laden hilft meistens.",
  "page.home": "Alle Titel",
  "page.reload": "Neu laden",
  "error.unreachable": "Der Dienst ist nicht erreichbar. Prüfe deine Verbindung und versuche es erneut.",
  "error.away": "Ein Teil des Dienstes ist gerade nicht da. Versuche es gleich noch einmal.",
  "error.other": "Das hat nicht geklappt: {message}",
  "error.trace": "(Spur {trace})",
  "error.retry": "Erneut versuchen",
  "login.title": "Anmelden",
  "login.lead": "Filme, die du selbst zeigen darfst.",
  "login.email": "E-Mail-Adresse",
  "login.password": "Passwort",
  "login.submit": "Anmelden",
  "login.busy": "Anmeldung läuft …",
  "login.redeeming": "Dein Anmeldelink wird geöffnet …",
  "login.wrong": "E-Mail-Adresse und Passwort passen nicht zusammen. Prüfe beides und versuche es erneut.",
  "login.link_spent": "Dieser Anmeldelink wurde schon benutzt oder ist zu alt. Bitte um einen neuen oder melde dich mit deinem Passwort an.",
  "login.too_many": "Gerade melden sich zu viele auf einmal an. Warte ein paar Sekunden und versuche es erneut.",
  "login.out": "Abmelden",
  "home.watching": "Weiterschauen",
  "home.titles": "Alle Titel",
  "home.loading": "Die Titel werden geladen …",
  "home.empty": "Es gibt noch keine Titel. Sie erscheinen hier, sobald der erste bereit ist.",
  "home.more": "Weitere Titel zeigen",
  "home.play": "Abspielen",
  "home.resume": "Weiter ab {time}",
  "home.series": "Serien",
  "home.about": "Über {name}",
  "home.details": "Einzelheiten",
  "work.loading": "Wird geladen …",
  "work.season": "Staffel {number}",
  "work.specials": "Extras",
  "work.episode": "Folge {number}",
  "work.episodes": "Folgen",
  "work.play_first": "Folge {number} abspielen",
  "work.more": "Trailer und mehr",
  "work.inside": "Titel",
  "work.people": "Menschen",
  "work.as": "als {character}",
  "work.original": "Originalsprache",
  "work.countries": "Hergestellt in",
  "work.themes": "Themen",
  "work.ratings": "Altersfreigaben",
  "role.actor": "Besetzung",
  "role.director": "Regie",
  "role.creator": "Idee",
  "role.writer": "Drehbuch",
  "role.producer": "Produktion",
  "role.composer": "Musik",
  "role.cinematographer": "Kamera",
  "role.editor": "Schnitt",
  "role.voice": "Stimmen",
  "role.narrator": "Erzählt von",
  "role.host": "Moderation",
  "role.self": "Mit",
  "player.next": "Weiter: {name}",
  "title.quick": "Schnellfassung",
  "title.quick_why": "Die erste Kodierung. Eine feinere ersetzt sie von selbst.",
  "title.minutes": "{minutes} Min.",
  "title.seconds": "{seconds} s",
  "title.left": "noch {time}",
  "player.label": "Player: {name}",
  "player.loading": "Der Film wird geladen …",
  "player.buffering": "Lädt …",
  "player.back": "Zurück zu allen Titeln",
  "player.play": "Abspielen",
  "player.pause": "Anhalten",
  "player.rewind": "10 Sekunden zurück",
  "player.forward": "10 Sekunden vor",
  "player.wind_back": "Zurückspulen",
  "player.wind_forward": "Vorspulen",
  "player.mute": "Ton aus",
  "player.unmute": "Ton an",
  "player.volume": "Lautstärke",
  "player.seek": "Position",
  "player.at": "{time} von {duration}",
  "player.sound": "Ton",
  "player.sound_description": "{language} (Audiodeskription)",
  "player.sound_clear": "{language} (klare Sprache)",
  "player.sound_commentary": "{language} (Kommentar)",
  "player.captions": "Untertitel",
  "player.captions_off": "Aus",
  "player.captions_sdh": "{language} (für Gehörlose)",
  "player.captions_none": "Dieser Titel hat keine Untertitel",
  "player.quality": "Qualität",
  "player.auto": "Automatisch",
  "player.auto_now": "Auto · {quality}",
  "player.speed": "Tempo",
  "player.fullscreen": "Vollbild",
  "player.fullscreen_leave": "Vollbild verlassen",
  "player.resumed": "Weiter ab {time}",
  "player.start_over": "Von vorn",
  "player.moved": "Wechsel zu einer anderen Appliance …",
  "player.ended": "Ende",
  "player.again": "Noch einmal ansehen",
  "player.stats": "Statistik",
  "player.cannot": "Dieser Titel kann gerade nicht abgespielt werden. Vielleicht ist er noch auf dem Weg zu den Appliances.",
  "player.gone": "Diesen Titel gibt es nicht.",
  "player.no_key": "Die Lizenz für diesen Film wurde verweigert, er lässt sich nicht entschlüsseln.",
  "player.no_eme": "Dieser Browser kann hier keine Filme entschlüsseln. Er braucht https oder die Adresse localhost.",
  "player.no_media": "Gerade kann keine Appliance diesen Film liefern. Versuche es gleich noch einmal.",
  "player.no_codec": "Dieser Browser hat keinen Decoder für diesen Film.",
  "stats.appliance": "Appliance",
  "stats.picture": "Bild",
  "stats.frames": "Gezeigte Bilder",
  "stats.dropped": "Verlorene Bilder",
  "stats.bandwidth": "Bandbreite",
  "stats.buffer": "Puffer",
  "stats.stalls": "Stockungen",
  "stats.restarts": "Neustarts",
};

export const catalogs = { en, de } as const satisfies Record<string, Catalog>;
export type Language = keyof typeof catalogs;

/** The first of `languages` that a person wants, counting `en` as good as `en-US`. */
export function chooseCaption(
  wanted: readonly string[],
  languages: readonly string[],
): string | undefined {
  const primary = (tag: string) => tag.toLowerCase().split("-")[0];
  for (const tag of wanted) {
    const exact = languages.find((language) => language.toLowerCase() === tag.toLowerCase());
    const near = exact ?? languages.find((language) => primary(language) === primary(tag));
    if (near) return near;
  }
  return languages[0];
}

/** The first of a person's languages (BCP 47 tags, best first) that there is a catalog for. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split("-")[0] ?? "";
    if (Object.hasOwn(catalogs, primary)) return primary as Language;
  }
  return "en";
}

/** The country of the first language tag that names one; empty where none does. */
export function regionOf(wanted: readonly string[]): string {
  for (const tag of wanted) {
    const region = /^[A-Za-z]{2,3}(?:-[A-Za-z]{4})?-([A-Za-z]{2})(?:-|$)/.exec(tag)?.[1];
    if (region) return region.toUpperCase();
  }
  return "";
}

/** What a country or a language is called in the page's own language; the code where unknown. */
export function nameOf(type: "region" | "language", code: string, language: Language): string {
  try {
    return new Intl.DisplayNames([language], { type }).of(code) ?? code;
  } catch (error) {
    if (error instanceof RangeError) return code;
    throw error;
  }
}

export type Values = Readonly<Record<string, string | number>>;

/** The sentence for `key`, its `{places}` filled from `values`; a place with no value stays. */
export function sentence(language: Language, key: StringKey, values: Values = {}): string {
  const text: string = catalogs[language][key];
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** A language by the name that its own speakers give it; the tag itself where none is known. */
export function ownName(tag: string): string {
  try {
    const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
    return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
  } catch (error) {
    if (error instanceof RangeError) return tag;
    throw error;
  }
}
