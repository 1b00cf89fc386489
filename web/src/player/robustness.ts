// How well this device protects keys, as far as its browser says. A licence server finds out for
// itself whether it is so: this only lists what would be played in vain otherwise.

export type Robustness = "software" | "hardware";

/** Finds out whether a key system is there with such a configuration; raises where it is not. */
export type Request = (
  keySystem: string,
  configurations: MediaKeySystemConfiguration[],
) => Promise<unknown>;

/** The robustness by which each key system says that it decrypts and decodes in hardware. */
const IN_HARDWARE: readonly (readonly [string, string])[] = [
  ["com.widevine.alpha", "HW_SECURE_ALL"],
  ["com.microsoft.playready.recommendation", "3000"],
  ["com.apple.fps", ""],
];

const PICTURE = 'video/mp4; codecs="avc1.640028"';

export async function robustnessOf(request: Request | undefined): Promise<Robustness> {
  if (!request) return "software";
  const found = await Promise.all(
    IN_HARDWARE.map(([keySystem, robustness]) =>
      request(keySystem, [
        {
          initDataTypes: [keySystem === "com.apple.fps" ? "skd" : "cenc"],
          videoCapabilities: [{ contentType: PICTURE, robustness }],
        },
      ]).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true) ? "hardware" : "software";
}
