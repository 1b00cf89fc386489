// What this browser calls itself by, to the service and to people.

const DEVICE = "cuemark.device";

/** The same for as long as the browser keeps it; empty where it keeps nothing. */
export function deviceId(): string {
  try {
    const kept = localStorage.getItem(DEVICE);
    if (kept && /^[0-9a-f]{32}$/.test(kept)) return kept;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const fresh = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
    localStorage.setItem(DEVICE, fresh);
    return fresh;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    return "";
  }
}

const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["SamsungBrowser/", "Samsung Internet"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;
const MACHINES = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["Windows", "Windows"],
  ["Mac OS", "Mac"],
  ["CrOS", "Chromebook"],
  ["Linux", "Linux"],
] as const;

/** As people would say it: "Firefox, Linux". */
export function deviceName(userAgent: string): string {
  const named = [BROWSERS, MACHINES].map(
    (names) => names.find(([sign]) => userAgent.includes(sign))?.[1],
  );
  return named.filter(Boolean).join(", ") || "web";
}
