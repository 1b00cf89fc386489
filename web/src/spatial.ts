// Moving the focus with four arrows, as a TV remote does.

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Direction = "left" | "right" | "up" | "down";

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
};

export function directionOf(key: string): Direction | undefined {
  return Object.hasOwn(DIRECTIONS, key) ? DIRECTIONS[key] : undefined;
}

/**
 * The index of the box that a press in `direction` should reach, or -1.
 *
 * Only boxes whose near edge lies past the middle of `from` count. Among them the smallest of
 * (distance ahead + twice the distance aside) wins, so that a row or column is kept.
 */
export function nearest(from: Box, boxes: readonly Box[], direction: Direction): number {
  let best = -1;
  let bestCost = Number.POSITIVE_INFINITY;
  boxes.forEach((box, index) => {
    const { ahead, aside } = distances(from, box, direction);
    const cost = ahead + 2 * aside;
    if (ahead > 0 && cost < bestCost) [best, bestCost] = [index, cost];
  });
  return best;
}

function distances(from: Box, to: Box, direction: Direction): { ahead: number; aside: number } {
  const across = direction === "left" || direction === "right";
  const [a, b] = across
    ? [interval(from.left, from.width), interval(to.left, to.width)]
    : [interval(from.top, from.height), interval(to.top, to.height)];
  const [c, d] = across
    ? [interval(from.top, from.height), interval(to.top, to.height)]
    : [interval(from.left, from.width), interval(to.left, to.width)];
  const forward = direction === "right" || direction === "down";
  const ahead = forward ? b.start - a.middle : a.middle - b.end;
  const gap = Math.max(0, d.start - c.end, c.start - d.end);
  return { ahead, aside: gap > 0 ? gap + 0.1 * Math.abs(d.middle - c.middle) : 0 };
}

function interval(start: number, length: number) {
  return { start, end: start + length, middle: start + length / 2 };
}

// What is aside is for a pointer and the tab key: with arrows every row would take two presses.
const FOCUSABLE = "a[href]:not([data-aside]), button:not(:disabled), input:not(:disabled), [tabindex='0']";

/** Move the focus inside `root`; false where nothing lies that way. */
export function moveFocus(root: ParentNode, direction: Direction): boolean {
  const here = document.activeElement;
  if (!(here instanceof HTMLElement)) return false;
  const targets = [...root.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(
    (element) => element !== here && element.offsetParent !== null,
  );
  const boxes = targets.map((element) => element.getBoundingClientRect());
  const target = targets[nearest(here.getBoundingClientRect(), boxes, direction)];
  target?.focus();
  return target !== undefined;
}
