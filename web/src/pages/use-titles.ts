// The titles on the home page, kept fresh while somebody looks at them.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, type Title, type WorkSummary } from "../api.ts";
import { complaintOf, isLoggedOut } from "../complaint.ts";

const SOON_MS = 5_000;
const LATER_MS = 60_000;
const PAGE = 48;

export interface Shelf {
  readonly titles: readonly Title[];
  readonly watching: readonly Title[];
  readonly myList: readonly WorkSummary[];
  readonly series: readonly WorkSummary[];
  readonly nextCursor: string;
}

export interface Titles {
  /** Undefined until the first answer. */
  readonly shelf: Shelf | undefined;
  readonly complaint: string;
  readonly retry: () => void;
  readonly more: () => void;
}

/** A title that is still being made is looked for again soon; a finished shelf seldom. */
export function refreshDelayMs(shelf: Shelf | undefined): number {
  const settled = shelf && shelf.titles.length > 0 && shelf.titles.every((t) => t.quality === "full");
  return settled ? LATER_MS : SOON_MS;
}

export function useTitles(onLoggedOut: () => void): Titles {
  const [shelf, setShelf] = useState<Shelf>();
  const [complaint, setComplaint] = useState("");
  const pages = useRef(1);

  const load = useCallback(async () => {
    try {
      const [watching, myList, first, series] = await Promise.all([
        api.watching(),
        api.myList(),
        api.titles("", PAGE),
        api.works({ kind: "series", limit: String(PAGE) }),
      ]);
      const titles = [...first.titles];
      let nextCursor = first.next_cursor;
      for (let page = 1; page < pages.current && nextCursor; page += 1) {
        const further = await api.titles(nextCursor, PAGE);
        titles.push(...further.titles);
        nextCursor = further.next_cursor;
      }
      setShelf({ titles, watching: watching.titles, myList, series: series.works, nextCursor });
      setComplaint("");
    } catch (error) {
      if (isLoggedOut(error)) onLoggedOut();
      else setComplaint(complaintOf(error));
    }
  }, [onLoggedOut]);

  useEffect(() => void load(), [load]);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (document.visibilityState === "visible") void load();
    }, refreshDelayMs(shelf));
    const seen = () => document.visibilityState === "visible" && void load();
    document.addEventListener("visibilitychange", seen);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [shelf, complaint, load]);

  return {
    shelf,
    complaint,
    retry: () => void load(),
    more: () => {
      pages.current += 1;
      void load();
    },
  };
}
