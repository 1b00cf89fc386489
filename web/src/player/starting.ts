// On what a play begins: found out once, while the page is being made ready.

import type { PlayStart } from "../api.ts";
import { capabilitiesOf, keysOf } from "./capabilities.ts";
import { shownRanges } from "./ranges.ts";
import { protectionOf } from "./robustness.ts";
import { deviceId, deviceName } from "./this-device.ts";

const PICTURE = 'video/mp4; codecs="avc1.640028"';

export async function thisDevice(): Promise<Omit<PlayStart, "instead_of">> {
  const request = navigator.requestMediaKeySystemAccess?.bind(navigator);
  const media = navigator.mediaCapabilities;
  const high = matchMedia("(dynamic-range: high)").matches;
  const [ranges, protection] = await Promise.all([shownRanges(media, high), protectionOf(request)]);
  const device = {
    plays: globalThis.MediaSource?.isTypeSupported.bind(MediaSource),
    media,
    keys: request && (() => keysOf(request, PICTURE)),
    channels: speakers,
  };
  return {
    device: deviceName(navigator.userAgent),
    device_id: deviceId(),
    capabilities: await capabilitiesOf(device, ranges, protection),
  };
}

function speakers(): number {
  const context = new AudioContext();
  const found = context.destination.maxChannelCount;
  void context.close();
  return found;
}
