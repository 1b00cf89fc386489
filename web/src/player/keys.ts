// What a key does in the player. A keyboard and a TV remote send the same events.

export const JUMP_S = 10;

export type Action =
  | "toggle"
  | "rewind"
  | "forward"
  | "wind-back"
  | "wind-forward"
  | "louder"
  | "softer"
  | "mute"
  | "fullscreen"
  | "captions"
  | "stats"
  | "escape"
  | "left"
  | "right"
  | "up"
  | "down";

/** Where the focus is: on the picture, on the seek bar, on a button, or in an open menu. */
export type Place = "picture" | "seek" | "volume" | "control" | "menu";

const EVERYWHERE: Readonly<Record<string, Action>> = {
  k: "toggle",
  f: "fullscreen",
  m: "mute",
  c: "captions",
  d: "stats",
  Escape: "escape",
  GoBack: "escape",
  BrowserBack: "escape",
  MediaPlayPause: "toggle",
  MediaRewind: "wind-back",
  MediaFastForward: "wind-forward",
  "<": "wind-back",
  ">": "wind-forward",
};

const IN_PLACE: Readonly<Record<Place, Readonly<Record<string, Action>>>> = {
  picture: {
    " ": "toggle",
    Enter: "toggle",
    ArrowLeft: "rewind",
    ArrowRight: "forward",
    ArrowUp: "louder",
    ArrowDown: "down",
  },
  seek: {
    " ": "toggle",
    Enter: "toggle",
    ArrowLeft: "rewind",
    ArrowRight: "forward",
    ArrowUp: "up",
    ArrowDown: "down",
  },
  // Left and right leave the slider, so that a remote is not caught in it.
  volume: {
    ArrowLeft: "left",
    ArrowRight: "right",
    ArrowUp: "louder",
    ArrowDown: "softer",
  },
  control: { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" },
  // A menu moves its own focus.
  menu: {},
};

/** The action of a key, or undefined: then the browser does what it always does. */
export function actionOf(key: string, place: Place): Action | undefined {
  const here = IN_PLACE[place];
  if (Object.hasOwn(here, key)) return here[key];
  const common = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(EVERYWHERE, common) ? EVERYWHERE[common] : undefined;
}
