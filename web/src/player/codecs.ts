// Which video codecs this device decodes smoothly, the one that needs the fewest bits first.

const CODECS = [
  ["av01", "av01.0.08M.08"],
  ["hvc1", "hvc1.1.6.L120.90"],
  ["avc1", "avc1.640028"],
] as const;

/** What a device has to keep up with, to be given a codec where a film has several. */
const PICTURE = { width: 1920, height: 1080, bitrate: 6_000_000, framerate: 30 };

/**
 * What codec strings begin with. Shaka Player keeps to the first one that a film has; without being
 * told it would take the cheapest for each size, and change decoders in the middle of a film.
 */
export async function smoothCodecs(
  capabilities: Pick<MediaCapabilities, "decodingInfo"> | undefined,
): Promise<string[]> {
  const found = await Promise.all(
    CODECS.map(async ([begins, codec]) => {
      const contentType = `video/mp4; codecs="${codec}"`;
      const video = { ...PICTURE, contentType };
      try {
        const told = await capabilities?.decodingInfo({ type: "media-source", video });
        return told?.supported && told.smooth ? begins : "";
      } catch {
        return "";
      }
    }),
  );
  return found.filter((begins) => begins !== "");
}
