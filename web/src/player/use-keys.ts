import { useEffect, useRef } from "preact/hooks";
import { moveFocus, type Direction } from "../spatial.ts";
import { actionOf, JUMP_S, type Action, type Place } from "./keys.ts";
import type { Screening } from "./screening.ts";

const VOLUME_STEP = 0.1;

export interface KeyTargets {
  readonly stage: { readonly current: HTMLElement | null };
  readonly screening: Screening | undefined;
  /** Somebody is there: show the controls. */
  readonly wake: () => void;
  readonly onFullscreen: () => void;
  readonly onStats: () => void;
  /** Escape where no menu is open and nothing fills the screen. */
  readonly onEscape: () => void;
}

/** Every key of the player, wherever the focus is. */
export function useKeys(targets: KeyTargets): void {
  const latest = useRef(targets);
  latest.current = targets;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      latest.current.wake();
      const action = actionOf(event.key, placeOf(document.activeElement));
      if (!action) return;
      event.preventDefault();
      perform(action, latest.current);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

function placeOf(focused: Element | null): Place {
  const holder = focused?.closest<HTMLElement>("[data-place]");
  return (holder?.dataset["place"] as Place | undefined) ?? "picture";
}

function perform(action: Action, targets: KeyTargets): void {
  const { screening, stage } = targets;
  switch (action) {
    case "toggle":
      return screening?.toggle();
    case "rewind":
      return screening?.jump(-JUMP_S);
    case "forward":
      return screening?.jump(JUMP_S);
    case "wind-back":
      return screening?.wind(false);
    case "wind-forward":
      return screening?.wind(true);
    case "louder":
      return screening?.louder(VOLUME_STEP);
    case "softer":
      return screening?.louder(-VOLUME_STEP);
    case "mute":
      return screening?.mute();
    case "captions":
      return screening?.toggleCaptions();
    case "fullscreen":
      return targets.onFullscreen();
    case "stats":
      return targets.onStats();
    case "escape":
      return document.fullscreenElement ? void document.exitFullscreen() : targets.onEscape();
    case "left":
    case "right":
    case "up":
    case "down":
      return move(action, stage.current);
  }
}

/** Down from the picture enters the controls, up from their top leaves them. */
function move(direction: Direction, stage: HTMLElement | null): void {
  if (!stage) return;
  const inside = stage !== document.activeElement && stage.contains(document.activeElement);
  if (!inside) {
    stage.querySelector<HTMLElement>(".control-play")?.focus();
  } else if (!moveFocus(stage, direction) && direction === "up") {
    stage.focus({ preventScroll: true });
  }
}
