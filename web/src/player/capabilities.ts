// What this device can play, as far as its browser says: the service lists nothing else.

import type { Range } from "./ranges.ts";

export interface Capabilities {
  readonly codecs: readonly string[];
  /** In lines. */
  readonly max_height: number;
  readonly dynamic_ranges: readonly Range[];
  readonly hdcp: string;
  readonly system: string | null;
  readonly robustness: "software" | "hardware";
  readonly sounds: readonly string[];
  readonly max_channels: number;
}

/** What of a browser is asked; each part of it may be missing. */
export interface Device {
  readonly plays: ((type: string) => boolean) | undefined;
  readonly media: Pick<MediaCapabilities, "decodingInfo"> | undefined;
  readonly keys: (() => Promise<Keys>) | undefined;
  readonly channels: () => number;
}

/** A key system's, of which HDCP can be asked where the browser knows how. */
export interface Keys {
  getStatusForPolicy?(policy: { minHdcpVersion: string }): Promise<string>;
}

const PICTURES = [
  ["h264", "avc1.640028", "avc1.640033"],
  ["hevc", "hvc1.1.6.L120.90", "hvc1.1.6.L150.90"],
  ["av1", "av01.0.08M.08", "av01.0.12M.08"],
] as const;
const SOUNDS = [["aac", "mp4a.40.2"], ["opus", "opus"], ["eac3", "ec-3"]] as const;
const LARGER = [
  { height: 2160, width: 3840, bitrate: 16_000_000 },
  { height: 1440, width: 2560, bitrate: 10_000_000 },
] as const;
const FULL_HD = 1080;
const HDCP = ["2.3", "2.2", "2.1", "2.0", "1.4", "1.3", "1.2", "1.1", "1.0"];
const STEREO = 2;
/** A key system that must be loaded first keeps no film waiting for longer. */
const PATIENCE_MS = 400;

export async function capabilitiesOf(
  device: Device,
  ranges: readonly Range[],
  protection: Pick<Capabilities, "system" | "robustness">,
): Promise<Capabilities> {
  const plays = (type: string) => device.plays?.(type) ?? false;
  const codecs = PICTURES.filter(([, codec]) => plays(`video/mp4; codecs="${codec}"`));
  const sounds = SOUNDS.filter(([, codec]) => plays(`audio/mp4; codecs="${codec}"`));
  return {
    codecs: codecs.length > 0 ? codecs.map(([name]) => name) : ["h264"],
    max_height: await heightOf(device.media, codecs.map(([, , large]) => large)),
    dynamic_ranges: ranges,
    hdcp: await Promise.race([hdcpOf(device.keys), none(PATIENCE_MS)]),
    ...protection,
    sounds: sounds.length > 0 ? sounds.map(([name]) => name) : ["aac"],
    max_channels: Math.max(STEREO, device.channels()),
  };
}

/** The highest picture that one of the codecs brings smoothly. */
async function heightOf(media: Device["media"], codecs: readonly string[]): Promise<number> {
  for (const { height, width, bitrate } of LARGER) {
    for (const codec of codecs) {
      const contentType = `video/mp4; codecs="${codec}"`;
      const video = { contentType, width, height, bitrate, framerate: 30 };
      try {
        const told = await media?.decodingInfo({ type: "media-source", video });
        if (told?.supported && told.smooth) return height;
      } catch (error) {
        // Some browsers raise for a codec that they have never heard of.
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }
  return FULL_HD;
}

function none(afterMs: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve("none"), afterMs));
}

async function hdcpOf(keys: Device["keys"]): Promise<string> {
  try {
    const system = await keys?.();
    for (const version of HDCP) {
      const status = await system?.getStatusForPolicy?.({ minHdcpVersion: version });
      if (status === "usable") return version;
    }
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
  }
  return "none";
}

/** The keys of the first key system that this browser has. */
export async function keysOf(
  request: Navigator["requestMediaKeySystemAccess"],
  contentType: string,
): Promise<Keys> {
  const wanted = (robustness: string) => [
    { initDataTypes: ["cenc"], videoCapabilities: [{ contentType, robustness }] },
  ];
  const widevine = request("com.widevine.alpha", wanted("SW_SECURE_CRYPTO"));
  const access = await widevine.catch(() => request("org.w3.clearkey", wanted("")));
  return (await access.createMediaKeys()) as unknown as Keys;
}
