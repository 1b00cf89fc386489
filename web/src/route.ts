// Where in the page we are: one address for each view, told from its path and query alone.

import { useEffect, useState } from "preact/hooks";

export type Route =
  | { readonly view: "home" }
  | { readonly view: "login" }
  | { readonly view: "account" }
  | { readonly view: "device" }
  | { readonly view: "plan" }
  | { readonly view: "profiles" }
  | { readonly view: "manage" }
  | { readonly view: "history" }
  | { readonly view: "search"; readonly text: string }
  | { readonly view: Open }
  | { readonly view: "watch"; readonly titleId: string }
  | { readonly view: "work"; readonly workId: string }
  | { readonly view: "lost" };

/** What is shown to people whether they are logged in or not. */
export type Open = "sign-up" | "join" | "forgot" | "letter" | "reset" | "email" | "email-back";

const OPEN: readonly Open[] = ["sign-up", "join", "forgot", "letter", "reset", "email", "email-back"];

export function isOpen(view: Route["view"]): view is Open {
  return (OPEN as readonly string[]).includes(view);
}

export function routeOf(address: string): Route {
  const [path = "", query = ""] = address.split("?", 2);
  if (path === "/") return { view: "home" };
  if (path === "/login") return { view: "login" };
  if (path === "/account") return { view: "account" };
  if (path === "/device") return { view: "device" };
  if (path === "/plan") return { view: "plan" };
  if (path === "/profiles") return { view: "profiles" };
  if (path === "/profiles/manage") return { view: "manage" };
  if (path === "/history") return { view: "history" };
  if (path === "/search") {
    return { view: "search", text: new URLSearchParams(query).get("text") ?? "" };
  }
  const open = OPEN.find((view) => path === `/${view}`);
  if (open) return { view: open };
  const watched = /^\/watch\/([A-Za-z0-9_-]{1,64})$/.exec(path);
  if (watched?.[1]) return { view: "watch", titleId: watched[1] };
  const about = /^\/title\/([A-Za-z0-9_-]{1,64})$/.exec(path);
  if (about?.[1]) return { view: "work", workId: about[1] };
  return { view: "lost" };
}

/** The one-time code of a login link's fragment; empty where there is none. */
export function codeOf(fragment: string): string {
  return new URLSearchParams(fragment.replace(/^#/, "")).get("code") ?? "";
}

export const watchPath = (titleId: string) => `/watch/${encodeURIComponent(titleId)}`;

export const workPath = (workId: string) => `/title/${encodeURIComponent(workId)}`;

export const searchPath = (text: string) => `/search?${new URLSearchParams({ text }).toString()}`;

const MOVED = "cuemark:moved";

export function go(path: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  window.scrollTo(0, 0);
  window.dispatchEvent(new Event(MOVED));
}

/** Follow a link within the page, unless the person asked for a new tab or window. */
export function follow(event: MouseEvent): void {
  const link = event.currentTarget as HTMLAnchorElement;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

export function useRoute(): Route {
  const [path, setPath] = useState(location.pathname + location.search);
  useEffect(() => {
    const moved = () => setPath(location.pathname + location.search);
    window.addEventListener("popstate", moved);
    window.addEventListener(MOVED, moved);
    return () => {
      window.removeEventListener("popstate", moved);
      window.removeEventListener(MOVED, moved);
    };
  }, []);
  return routeOf(path);
}
