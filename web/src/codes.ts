// What the page keeps of an address that a letter led to.

/** Takes the one-time code out of the address bar: it is a password that works once. */
export function takeCode(): string {
  const code = new URLSearchParams(location.hash.replace(/^#/, "")).get("code") ?? "";
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  return code;
}
