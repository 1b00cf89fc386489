// One trace id (W3C Trace Context) for all that a play asks of control and of appliances.

function hex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const newTraceId = () => hex(16);

export const traceparentOf = (traceId: string) => `00-${traceId}-${hex(8)}-01`;

/** The trace id of a `traceparent` or `traceresponse`; empty where there is none. */
export function traceIdOf(header: string | null): string {
  return /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(header ?? "")?.[1] ?? "";
}

/**
 * A media address with the play's trace as its CMCD session id (CTA-5004), unless the player has
 * told its keys there. A header would cost a request of its own to each address first, since an
 * appliance is another origin.
 */
export function withSession(address: string, traceId: string): string {
  if (/[?&]CMCD=/.test(address)) return address;
  const separator = address.includes("?") ? "&" : "?";
  return `${address}${separator}CMCD=${encodeURIComponent(`sid="${traceId}"`)}`;
}
