// The field of search with what it suggests: a combobox whose focus stays in the text.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, type Hit } from "../api.ts";
import { complaintOf, isLoggedOut } from "../complaint.ts";
import { say } from "../language.ts";
import { go, searchPath, workPath } from "../route.ts";
import { Latest, moved, NONE, staysInText } from "../suggesting.ts";
import { Icon } from "./icon.tsx";

const PAUSE_MS = 120;
const LONGEST = 200;
const NOTHING: readonly Hit[] = [];

/** The page of a work; of a person or a genre, what is found for the name. */
export function hitPath(hit: Hit): string {
  return hit.what === "work" ? workPath(hit.hit_id) : searchPath(hit.name);
}

/** Where search is away the rest of the service need not be: that is said. */
export function awayOf(error: unknown): string {
  const away = error instanceof ApiError && error.status >= 500;
  return away ? say("search.away") : complaintOf(error);
}

interface Suggested {
  readonly hits: readonly Hit[];
  readonly complaint: string;
}

interface Suggestions extends Suggested {
  /** Suggest for this text, once nobody has typed for a moment. */
  readonly suggest: (text: string) => void;
  /** What was asked for is not wanted any more. */
  readonly drop: () => void;
}

function useSuggestions(onSuggested: () => void, onLoggedOut: () => void): Suggestions {
  const [suggested, setSuggested] = useState<Suggested>({ hits: NOTHING, complaint: "" });
  const latest = useRef(new Latest());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const drop = () => {
    clearTimeout(timer.current);
    latest.current.ask();
  };
  useEffect(() => drop, []);
  const ask = async (text: string, isLast: () => boolean) => {
    try {
      const { hits } = text.trim() ? await api.suggest(text) : { hits: NOTHING };
      if (!isLast()) return;
      setSuggested({ hits, complaint: "" });
    } catch (error) {
      if (!isLast()) return;
      if (isLoggedOut(error)) return onLoggedOut();
      setSuggested({ hits: NOTHING, complaint: awayOf(error) });
    }
    onSuggested();
  };
  const suggest = (text: string) => {
    clearTimeout(timer.current);
    const isLast = latest.current.ask();
    timer.current = setTimeout(() => void ask(text, isLast), PAUSE_MS);
  };
  return { ...suggested, suggest, drop };
}

interface SearchBoxProps {
  readonly text?: string;
  readonly onLoggedOut: () => void;
}

export function SearchBox({ text: first = "", onLoggedOut }: SearchBoxProps) {
  const [text, setText] = useState(first);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(NONE);
  const { hits, complaint, suggest, drop } = useSuggestions(() => {
    setActive(NONE);
    setOpen(true);
  }, onLoggedOut);
  const shown = open && text.trim() !== "" && hits.length > 0;

  const type = (typed: string) => {
    setText(typed);
    setActive(NONE);
    suggest(typed);
  };
  const close = () => {
    drop();
    setOpen(false);
    setActive(NONE);
  };
  const leave = (path: string) => {
    close();
    go(path);
  };
  const choose = () => {
    const hit = shown ? hits[active] : undefined;
    if (hit) leave(hitPath(hit));
    else if (text.trim()) leave(searchPath(text.trim()));
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing) return event.stopPropagation();
    const next = shown && !event.altKey ? moved(event.key, active, hits.length) : undefined;
    if (next !== undefined) {
      setActive(next);
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "ArrowDown" && event.altKey) {
      setOpen(true);
    } else if (event.key === "Escape" && (open || text)) {
      if (open) close();
      else type("");
      event.preventDefault();
    } else if (staysInText(event.key, caretOf(event.currentTarget as HTMLInputElement))) {
      event.stopPropagation();
    }
  };
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        choose();
      }}
    >
      <Icon name="search" />
      <input
        type="text"
        role="combobox"
        aria-label={say("search.label")}
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls="suggestions"
        aria-activedescendant={shown && active !== NONE ? `suggestion-${active}` : undefined}
        placeholder={say("search.label")}
        maxLength={LONGEST}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        enterkeyhint="search"
        value={text}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={pressed}
        onBlur={close}
      />
      <SuggestionList hits={hits} active={active} shown={shown} onChosen={(hit) => leave(hitPath(hit))} />
      <p class={open && complaint ? "search-away" : "unseen"} role="status">
        {open && text.trim() !== "" && (complaint || countOf(hits))}
      </p>
    </form>
  );
}

function SuggestionList(props: {
  readonly hits: readonly Hit[];
  readonly active: number;
  readonly shown: boolean;
  readonly onChosen: (hit: Hit) => void;
}) {
  const { hits, active, shown, onChosen } = props;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <ul
      ref={list}
      id="suggestions"
      class="suggestions"
      role="listbox"
      aria-label={say("search.suggestions")}
      hidden={!shown}
      // The focus stays in the field: with it the list would go before it was chosen from.
      onMouseDown={(event) => event.preventDefault()}
    >
      {hits.map((hit, place) => (
        <li
          key={hit.hit_id}
          id={`suggestion-${place}`}
          role="option"
          aria-selected={place === active}
          onClick={() => onChosen(hit)}
        >
          <span>{hit.name}</span>
          <span class="soft">{kindOf(hit)}</span>
        </li>
      ))}
    </ul>
  );
}

function caretOf(field: HTMLInputElement) {
  const { selectionStart, selectionEnd, value } = field;
  return { start: selectionStart ?? 0, end: selectionEnd ?? 0, length: value.length };
}

function countOf(hits: readonly Hit[]): string {
  return hits.length > 0 ? say("search.shown", { count: hits.length }) : say("search.none");
}

function kindOf({ what, work }: Hit): string {
  if (what === "person") return say("search.person");
  if (what === "genre") return say("search.genre");
  if (what === "theme") return say("search.theme");
  if (work?.kind === "series") return say("home.series");
  return work?.year ? String(work.year) : "";
}
