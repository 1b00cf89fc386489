// How Shaka Player is set up for a play: its patience, its buffer, the sound that it begins with.

import shaka from "shaka-player/dist/shaka-player.dash-es2021.js";
import type { DrmSystem, Play } from "../api.ts";
import { LONG_PATIENCE_MS } from "./appliances.ts";
import type { Element } from "./digests.ts";

const SURROUND = 6;

/** An appliance that refuses or hangs costs under two seconds, once; then the next one is asked. */
export function configurationFor(
  licenceUrl: string,
  systems: readonly DrmSystem[],
  codecs: readonly string[],
  onManifest: (mpd: Element) => void,
  play: Pick<Play, "trace_id" | "title_id" | "settings">,
) {
  const { settings } = play;
  const patience = {
    maxAttempts: 5,
    baseDelay: 100,
    backoffFactor: 1.6,
    fuzzFactor: 0.3,
    connectionTimeout: LONG_PATIENCE_MS,
    stallTimeout: LONG_PATIENCE_MS,
    timeout: 20_000,
  };
  return {
    drm: { servers: serversOf(licenceUrl, systems) },
    manifest: {
      retryParameters: { maxAttempts: 3, baseDelay: 200, timeout: 5_000 },
      dash: { manifestPreprocessorTXml: (mpd: shaka.extern.xml.Node) => onManifest(mpd) },
    },
    streaming: {
      retryParameters: patience,
      bufferingGoal: settings["player.buffering_goal_s"],
      rebufferingGoal: 0.5,
      maxDisabledTime: 5,
      ignoreTextStreamFailures: true,
    },
    preferredAudio: [preferredSound()],
    ...(codecs.length > 0 && { preferredVideo: codecs.map(preferredPicture) }),
    cmcd: toldOf(play),
    abr: {
      enabled: true,
      switchInterval: 4,
      useNetworkInformation: settings["player.use_network_information"],
      defaultBandwidthEstimate: 1000 * settings["player.default_bandwidth_kbps"],
      bandwidthDowngradeTarget: settings["player.bandwidth_downgrade_target"],
    },
  };
}

/** What each request tells its appliance (CMCD, CTA-5004): in the query, as headers need a preflight. */
function toldOf(play: Pick<Play, "trace_id" | "title_id">) {
  return {
    enabled: true,
    useHeaders: false,
    version: 1,
    sessionId: play.trace_id,
    contentId: play.title_id,
    includeKeys: "bl br bs cid d mtp nor ot pr sf sid st su tb".split(" "),
  };
}

const KEY_SYSTEMS: Readonly<Record<string, string>> = {
  widevine: "com.widevine.alpha",
  playready: "com.microsoft.playready",
};

/** Where each key system of EME gets its licences; which one plays, the manifest's order decides. */
function serversOf(licenceUrl: string, systems: readonly DrmSystem[]): Record<string, string> {
  const servers: Record<string, string> = { "org.w3.clearkey": licenceUrl };
  for (const { system, licence_url } of systems) {
    const keySystem = KEY_SYSTEMS[system];
    if (keySystem) servers[keySystem] = licence_url;
  }
  return servers;
}

function preferredPicture(codec: string): shaka.extern.VideoPreference {
  return { label: "", role: "", language: "", codec, hdrLevel: "", layout: "" };
}

/**
 * The film's own sound; in surround where this machine has the speakers. Then in AAC, in which every
 * sound comes and surround is played by browsers: a player keeps to one codec for all of a film.
 */
function preferredSound(): shaka.extern.AudioPreference {
  const context = new AudioContext();
  const surround = context.destination.maxChannelCount >= SURROUND;
  void context.close();
  return {
    language: "",
    role: "main",
    label: "",
    channelCount: surround ? SURROUND : 2,
    codec: surround ? "mp4a.40.2" : "",
    spatialAudio: false,
  };
}
