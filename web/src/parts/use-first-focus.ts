import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Puts the focus on an element when it appears, and then leaves it to the person. */
export function useFirstFocus<Kind extends HTMLElement>(): RefObject<Kind | null> {
  const element = useRef<Kind>(null);
  useEffect(() => element.current?.focus(), []);
  return element;
}
