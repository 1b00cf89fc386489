// How well this device protects keys, as far as its browser says. A licence server finds out for
// itself whether it is so: this only lists what would be played in vain otherwise.

export type Robustness = "software" | "hardware";

/** Finds out whether a key system is there with such a configuration; raises where it is not. */
export type Request = (
  keySystem: string,
  configurations: MediaKeySystemConfiguration[],
) => Promise<unknown>;

/** What the service calls a key system, and by which robustness it does all in hardware. */
const IN_HARDWARE: readonly (readonly [string, string, string])[] = [
  ["com.widevine.alpha", "HW_SECURE_ALL", "widevine"],
  ["com.microsoft.playready.recommendation", "3000", "playready"],
  ["com.apple.fps", "", "fairplay"],
];

export interface Protection {
  /** By which it is so; null where any will do. */
  readonly system: string | null;
  readonly robustness: Robustness;
}

const PICTURE = 'video/mp4; codecs="avc1.640028"';

export async function protectionOf(request: Request | undefined): Promise<Protection> {
  if (!request) return { system: null, robustness: "software" };
  const found = await Promise.all(
    IN_HARDWARE.map(([keySystem, robustness, system]) =>
      request(keySystem, [
        {
          initDataTypes: [keySystem === "com.apple.fps" ? "skd" : "cenc"],
          videoCapabilities: [{ contentType: PICTURE, robustness }],
        },
      ]).then(
        () => system,
        () => null,
      ),
    ),
  );
  const systems = found.filter((system) => system !== null);
  if (systems.length === 0) return { system: null, robustness: "software" };
  return { system: systems.length === 1 ? (systems[0] ?? null) : null, robustness: "hardware" };
}
