// Shaka Player behind the few words that the page needs: load, rungs, captions, diagnostics.

import shaka from "shaka-player/dist/shaka-player.dash-es2021.js";
import type { Play } from "../api.ts";
import { say } from "../language.ts";
import { ownName, type StringKey } from "../strings.ts";
import type { Span } from "../timeline.ts";
import { traceparentOf, withSession } from "../trace.ts";
import { Appliances, LONG_PATIENCE_MS, originOf } from "./appliances.ts";
import { choosable, chosen, forcedFor } from "./captions.ts";
import { judged, type Judge } from "./checked-fetch.ts";
import { smoothCodecs } from "./codecs.ts";
import { configurationFor } from "./configuration.ts";
import { Digests, type Element } from "./digests.ts";
import { keepRange, shownRanges } from "./ranges.ts";
import { soundsOf, type SoundRole } from "./sounds.ts";
import { placesOf, priorityOf } from "./steering.ts";
import { Thumbnails, type Place, type Tile } from "./thumbnails.ts";
import { hasFrames } from "./winding.ts";

export interface Rung {
  readonly id: number;
  readonly height: number;
  readonly bitrateKbps: number;
  readonly label: string;
}

export interface Caption {
  /** The language, with `:sdh` where the captions are for those who do not hear. */
  readonly id: string;
  readonly language: string;
  readonly label: string;
}

export interface Sound {
  /** The language, with the role where it is another than the film's own. */
  readonly id: string;
  readonly label: string;
}

/** Why a play stopped. `media` may be mended by another appliance; the others may not. */
export type Failure = "media" | "key" | "eme" | "codec";

export interface EngineEvents {
  readonly onChange: () => void;
  readonly onFailure: (failure: Failure) => void;
}

export class LoadFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, message: string) {
    super(message);
    this.failure = failure;
  }
}

/** A load that another load or the way out overtook: nothing is wrong. */
export class LoadOvertaken extends Error {}

const SOUNDS: Readonly<Record<Exclude<SoundRole, "main">, StringKey>> = {
  description: "player.sound_description",
  clear: "player.sound_clear",
  commentary: "player.sound_commentary",
};

const REWIND_MS = 250;

/** What is buffered so far ahead is played before what was chosen instead. */
const SAFE_MARGIN_S = 4;

const CHANGES = ["adaptation", "variantchanged", "trackschanged", "textchanged", "buffering"];

export class Engine {
  readonly video: HTMLVideoElement;
  /** Pictures that reached the screen, by requestVideoFrameCallback. */
  frames = 0;
  /** The media time of the picture on screen, in seconds. */
  pictureS = 0;
  /** The origin that the last segment came from. */
  appliance = "";
  /** Times that the picture stood still for want of media, starts and seeks not counted. */
  stalls = 0;
  /** Whether this film has single frames to wind by; versions of older releases have none. */
  windable = false;
  private readonly player: shaka.Player;
  private readonly appliances = new Appliances();
  /** The origins of this play's appliances, by the names under which it is steered. */
  private places = new Map<string, string>();
  private readonly judge: Judge = {
    digests: new Digests(fetchList),
    onWrong: (address) => this.appliances.corrupt(address),
  };
  private readonly thumbnails = new Thumbnails<ImageBitmap>({
    find: (positionS) => this.findTile(positionS),
    fetch: (addresses) => this.fetchSheet(addresses),
  });
  private readonly codecs = smoothCodecs(navigator.mediaCapabilities);
  private traceId = "";
  private windRate = 1;
  private rewinding: ReturnType<typeof setInterval> | undefined;
  /** Whether the sound was off before the film was wound. */
  private mutedBefore = false;
  private pinned: number | undefined;
  private closed = false;
  private loads = 0;
  /** One failure for each load: the other streams of a play that broke fail a moment later. */
  private listening = false;

  constructor(video: HTMLVideoElement, captions: HTMLElement, events: EngineEvents) {
    shaka.polyfill.installAll();
    this.video = video;
    this.player = new shaka.Player(null, captions);
    for (const change of CHANGES) this.player.addEventListener(change, events.onChange);
    this.player.addEventListener("error", (event) => {
      const error = (event as unknown as { detail: shaka.util.Error }).detail;
      const failure = failureOf(error);
      if (!this.listening || error.severity !== shaka.util.Error.Severity.CRITICAL) return;
      if (failure) {
        this.listening = false;
        events.onFailure(failure);
      }
    });
    this.watchAppliances();
    this.countFrames();
    video.addEventListener("waiting", this.onWaiting);
  }

  /** Ready at `startS` when it resolves. Raises `LoadFailed`, or `LoadOvertaken`. */
  async load(play: Play, startS: number): Promise<void> {
    if (!navigator.requestMediaKeySystemAccess) throw new LoadFailed("eme", "no EME here");
    const absolute = (path: string) => new URL(path, location.href).href;
    const systems = play.systems.map((each) => ({
      ...each,
      licence_url: absolute(each.licence_url),
    }));
    this.wind(1);
    this.windable = false;
    const learn = (mpd: Element) => {
      keepRange(mpd, ranges);
      this.judge.digests.learn(mpd);
      this.places = placesOf(mpd);
      this.windable = hasFrames(mpd);
    };
    this.pinned = undefined;
    this.thumbnails.forget();
    this.appliances.steer([]);
    this.traceId = play.trace_id;
    this.loads += 1;
    const load = this.loads;
    this.listening = false;
    const high = matchMedia("(dynamic-range: high)").matches;
    const [codecs, ranges] = await Promise.all([
      this.codecs,
      shownRanges(navigator.mediaCapabilities, high),
    ]);
    if (load !== this.loads) throw new LoadOvertaken("another load");
    const licences = absolute(play.licence_url);
    this.player.configure(configurationFor(licences, systems, codecs, learn, play));
    try {
      await this.player.attach(this.video);
      await this.player.unload();
      if (load !== this.loads) throw new LoadOvertaken("another load");
      this.listening = true;
      await this.player.load(absolute(play.dash_url), startS);
    } catch (error) {
      if (!(error instanceof shaka.util.Error)) throw error;
      if (load !== this.loads) throw new LoadOvertaken(error.message);
      this.listening = false;
      const failure = failureOf(error);
      if (!failure) throw new LoadOvertaken(error.message);
      throw new LoadFailed(failure, error.message);
    }
  }

  /** Fetch nothing more and show nothing; `load` begins again. */
  async unload(): Promise<void> {
    this.listening = false;
    this.wind(1);
    try {
      await this.player.unload();
    } catch (error) {
      // Another load or the way out came first: they unload, too.
      if (!(error instanceof shaka.util.Error) || failureOf(error)) throw error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.rewinding);
    this.video.removeEventListener("waiting", this.onWaiting);
    await this.player.destroy();
  }

  /** A browser that wants a click before sound leaves the film paused at its first picture. */
  play(): void {
    this.video.play().catch((error: unknown) => {
      if (!(error instanceof DOMException)) throw error;
    });
  }

  /** The qualities that can be pinned, the best first. */
  rungs(): Rung[] {
    const tracks = new Map<string, shaka.extern.Track>();
    const all = this.player.getVariantTracks();
    const heard = all.find((track) => track.active)?.audioId;
    for (const track of all) {
      if (heard !== undefined && track.audioId !== heard) continue;
      const key = `${track.height}/${track.videoBandwidth ?? track.bandwidth}`;
      if (!tracks.has(key) || track.active) tracks.set(key, track);
    }
    const heights = [...tracks.values()].map((track) => track.height ?? 0);
    return [...tracks.values()]
      .map((track) => rungOf(track, heights.filter((height) => height === track.height).length > 1))
      .sort((a, b) => b.height - a.height || b.bitrateKbps - a.bitrateKbps);
  }

  /** The rung of what is being fetched now, and whether a person chose it. */
  rung(): { readonly current: Rung | undefined; readonly pinned: boolean } {
    const active = this.player.getVariantTracks().find((track) => track.active);
    return {
      current: active && this.rungs().find((rung) => rung.id === active.id),
      pinned: this.pinned !== undefined,
    };
  }

  /** Keep to one rung from the next segment on, or let the player choose again. */
  pin(rungId: number | undefined): void {
    this.pinned = rungId;
    this.player.configure("abr.enabled", rungId === undefined);
    const track = this.player.getVariantTracks().find((each) => each.id === rungId);
    if (track) this.player.selectVariantTrack(track, true, SAFE_MARGIN_S);
  }

  /** The sounds of the film, each once. */
  sounds(): Sound[] {
    return soundsOf(this.player.getAudioTracks()).map(({ id, language, role, title }) => {
      const name = ownName(language);
      if (title) return { id, label: title };
      return { id, label: role === "main" ? name : say(SOUNDS[role], { language: name }) };
    });
  }

  /** The id of the sound that is played; empty where the film has none. */
  sound(): string {
    return soundsOf(this.player.getAudioTracks()).find(({ track }) => track.active)?.id ?? "";
  }

  /** Play another sound, by its id, from here on; one that this film does not have changes nothing. */
  chooseSound(id: string): void {
    const chosen = soundsOf(this.player.getAudioTracks()).find((each) => each.id === id);
    if (!chosen || chosen.track.active) return;
    const picture = this.player.getVariantTracks().find((track) => track.active)?.videoId;
    this.player.selectAudioTrack(chosen.track, SAFE_MARGIN_S);
    if (this.pinned === undefined) return;
    const { language, label, channelsCount } = chosen.track;
    const again = this.player.getVariantTracks().find(
      (track) =>
        track.videoId === picture &&
        track.audioLanguage === language &&
        track.label === label &&
        track.channelsCount === channelsCount,
    );
    if (again) this.pin(again.id);
  }

  captions(): Caption[] {
    return choosable(this.player.getTextTracks()).map(({ id, language, sdh }) => {
      const name = ownName(language);
      return { id, language, label: sdh ? say("player.captions_sdh", { language: name }) : name };
    });
  }

  /** What `showCaption` takes, with the language of each. */
  captionChoices() {
    return choosable(this.player.getTextTracks());
  }

  /** What `chooseSound` takes, with the language of each. */
  soundChoices() {
    return soundsOf(this.player.getAudioTracks());
  }

  /** The id of the captions on screen; empty where they are off. */
  caption(): string {
    const all = choosable(this.player.getTextTracks());
    return all.find(({ track }) => track.active)?.id ?? "";
  }

  /** The language of the forced captions on screen; empty where there are none. */
  forcedCaption(): string {
    const tracks = this.player.getTextTracks();
    return tracks.find((track) => track.active && track.forced)?.language ?? "";
  }

  /**
   * Show captions by their id. With an empty one, or one that this film does not have, they are
   * off: then only what is forced is shown.
   */
  showCaption(id: string): void {
    const tracks = this.player.getTextTracks();
    const sound = this.player.getVariantTracks().find((track) => track.active)?.language ?? "";
    const track = chosen(tracks, id) ?? forcedFor(tracks, sound, navigator.languages);
    this.player.selectTextTrack(track ?? null);
  }

  /** How many times its speed the film is wound, backwards where negative; 1 where it is not. */
  winding(): number {
    return this.windRate;
  }

  /** Wind at a rate, without sound; with 1 the film plays on. */
  wind(rate: number): void {
    clearInterval(this.rewinding);
    const before = this.windRate;
    if (rate === before) return;
    this.windRate = rate;
    if (before === 1) this.mutedBefore = this.video.muted;
    this.video.muted = rate === 1 ? this.mutedBefore : true;
    if (rate === 1) this.player.cancelTrickPlay();
    else if (rate > 0) this.player.trickPlay(rate);
    else this.rewind(-rate);
    if (rate > 0) this.play();
  }

  /**
   * Seek backwards, as fast as pictures come. Shaka Player's own way fetches backwards, too, and
   * waits for what lies ahead: where little does, for ever.
   */
  private rewind(speed: number): void {
    const { video } = this;
    const [fromS, beganMs] = [video.currentTime, performance.now()];
    video.pause();
    video.playbackRate = video.defaultPlaybackRate;
    this.player.useTrickPlayTrackIfAvailable(true);
    this.rewinding = setInterval(() => {
      if (video.seeking) return;
      const toS = fromS - (speed * (performance.now() - beganMs)) / 1000;
      video.currentTime = Math.max(0, toS);
      if (toS <= 0) this.wind(1);
    }, REWIND_MS);
  }

  /** The small picture of the film at a position; undefined where there is none. */
  tileAt(positionS: number): Promise<Tile<ImageBitmap> | undefined> {
    return this.thumbnails.at(positionS);
  }

  buffered(): Span[] {
    const ranges = this.video.buffered;
    return Array.from({ length: ranges.length }, (_, place) => ({
      startS: ranges.start(place),
      endS: ranges.end(place),
    }));
  }

  /** The origins of the appliances that served wrong bytes: they are asked last from then on. */
  left(): string[] {
    return this.appliances.left();
  }

  stats(): shaka.extern.Stats {
    return this.player.getStats();
  }

  /** How much film the player fetches ahead. */
  bufferingGoalS(): number {
    return this.player.getConfiguration().streaming.bufferingGoal;
  }

  private readonly onWaiting = () => {
    const { paused, seeking, played } = this.video;
    if (!paused && !seeking && this.windRate === 1 && played.length > 0) this.stalls += 1;
  };

  private async findTile(positionS: number): Promise<Place | undefined> {
    // The end itself is of no segment.
    const lastS = Math.max(0, this.video.duration - 0.01);
    const found = await this.player.getThumbnails(null, Math.min(positionS, lastS));
    if (!found) return undefined;
    const { uris, positionX, positionY, width, height, startTime, duration } = found;
    const where = { x: positionX, y: positionY, width, height };
    return { addresses: uris, ...where, startS: startTime, durationS: duration };
  }

  /** A sheet comes like a segment: from the best appliance, its bytes held against their digest. */
  private async fetchSheet(addresses: readonly string[]): Promise<ImageBitmap | undefined> {
    const network = this.player.getNetworkingEngine();
    if (!network) return undefined;
    const patience = this.player.getConfiguration().streaming.retryParameters;
    const request = shaka.net.NetworkingEngine.makeRequest([...addresses], patience);
    try {
      const { data } = await network.request(shaka.net.NetworkingEngine.RequestType.SEGMENT, request)
        .promise;
      return await createImageBitmap(new Blob([data as BlobPart], { type: "image/jpeg" }));
    } catch (error) {
      // Not delivered, or no picture: the bar does without.
      if (error instanceof shaka.util.Error || error instanceof DOMException) return undefined;
      throw error;
    }
  }

  private watchAppliances(): void {
    const network = this.player.getNetworkingEngine();
    if (!network) throw new Error("Shaka Player has no networking engine");
    const { SEGMENT, MANIFEST, LICENSE, CONTENT_STEERING } = shaka.net.NetworkingEngine.RequestType;
    network.registerRequestFilter((type, request) => {
      if (type === MANIFEST || type === LICENSE) {
        request.headers["traceparent"] = traceparentOf(this.traceId);
      }
      if (type !== SEGMENT) return;
      judged(request, this.judge);
      if (request.attempt > 0) {
        // The addresses stay in their places now: each try asks the next place.
        request.retryParameters.connectionTimeout = LONG_PATIENCE_MS;
        request.retryParameters.stallTimeout = LONG_PATIENCE_MS;
        return;
      }
      const { addresses, patienceMs } = this.appliances.plan(request.uris, performance.now());
      request.uris = addresses.map((address) => withSession(address, this.traceId));
      request.retryParameters.connectionTimeout = patienceMs;
      request.retryParameters.stallTimeout = patienceMs;
    });
    network.registerResponseFilter((type, response) => {
      if (type === CONTENT_STEERING) {
        const names = priorityOf(response.data as BufferSource);
        this.appliances.steer(names.flatMap((name) => this.places.get(name) ?? []));
      }
      if (type !== SEGMENT) return;
      this.appliances.worked(response.uri);
      this.appliance = originOf(response.uri);
    });
    network.addEventListener("retry", (event) => {
      const { error } = event as unknown as { error: shaka.util.Error | null };
      const address: unknown = error?.data[0];
      if (typeof address === "string") this.appliances.failed(address, performance.now());
    });
  }

  private countFrames(): void {
    this.video.requestVideoFrameCallback((_now, picture) => {
      if (this.closed) return;
      this.frames += 1;
      this.pictureS = picture.mediaTime;
      this.countFrames();
    });
  }
}

async function fetchList(address: string, patienceMs: number): Promise<ArrayBuffer> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(patienceMs) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.arrayBuffer();
}

function rungOf(track: shaka.extern.Track, ambiguous: boolean): Rung {
  const height = track.height ?? 0;
  const bitrateKbps = Math.round((track.videoBandwidth ?? track.bandwidth) / 1000);
  const rate = bitrateKbps < 1000 ? `${bitrateKbps} kb/s` : `${(bitrateKbps / 1000).toFixed(1)} Mb/s`;
  return {
    id: track.id,
    height,
    bitrateKbps,
    label: ambiguous ? `${height}p · ${rate}` : `${height}p`,
  };
}

/** Undefined where the error only says that something else came first. */
function failureOf(error: shaka.util.Error): Failure | undefined {
  const { Code, Category } = shaka.util.Error;
  const overtaken: number[] = [Code.LOAD_INTERRUPTED, Code.OPERATION_ABORTED, Code.OBJECT_DESTROYED];
  if (overtaken.includes(error.code)) return undefined;
  const undecodable: number[] = [
    Code.CONTENT_UNSUPPORTED_BY_BROWSER,
    Code.MEDIA_SOURCE_OPERATION_THREW,
  ];
  if (error.code === Code.REQUESTED_KEY_SYSTEM_CONFIG_UNAVAILABLE) return "eme";
  if (undecodable.includes(error.code)) return "codec";
  if (error.category === Category.DRM || error.code === Code.RESTRICTIONS_CANNOT_BE_MET) return "key";
  return "media";
}
