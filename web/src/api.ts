// The public API (docs/reference/http-api.md), typed. The cookie is the login: nothing is kept.

import { proofOf, type Challenge } from "./proof.ts";
import type { Capabilities } from "./player/capabilities.ts";
import { newTraceId, traceIdOf, traceparentOf } from "./trace.ts";

export interface Member {
  readonly role: "member" | "operator";
  readonly account_id: string;
  readonly email: string;
  readonly profile_name: string;
  /** Empty where nobody has said yet who is watching. */
  readonly profile_id: string;
  readonly kids: boolean;
}

export const COLORS = ["red", "orange", "yellow", "green", "teal", "blue", "violet", "gray"] as const;
export const AVATARS = ["circle", "square", "triangle", "hexagon", "star", "moon", "wave", "leaf"] as const;
export type Color = (typeof COLORS)[number];
export type Avatar = (typeof AVATARS)[number];

export interface Profile {
  readonly profile_id: string;
  readonly name: string;
  readonly color: Color;
  readonly avatar: Avatar;
  readonly language: string;
  readonly sound_languages: readonly string[];
  readonly caption_languages: readonly string[];
  /** An age from 0 to 18; null for no bound. */
  readonly maturity: number | null;
  readonly kids: boolean;
  readonly has_pin: boolean;
  readonly autoplay: boolean;
}

export interface Household {
  readonly profiles: readonly Profile[];
  readonly current: string;
  readonly most: number;
}

/** What of a profile is to be another; `pin` empty takes it away, `password` is the account's. */
export type ProfileChange = Partial<Omit<Profile, "profile_id" | "has_pin">> & {
  readonly pin?: string;
  readonly password?: string;
};

/** A device on which the account is open. */
export interface OpenLogin {
  readonly login_id: string;
  readonly device: string;
  readonly network: string;
  readonly seen_at: string;
  readonly is_this: boolean;
}

/** A device that asks to be let in. */
export interface WaitingDevice {
  readonly user_code: string;
  readonly device: string;
  readonly network: string;
}

/** What was found of an account: see docs/explanation/fraud.md. */
export interface Finding {
  readonly kind: "stuffing" | "cards" | "sharing";
  readonly expires_at: string;
  readonly forgiven_at: string | null;
}

export type FactorKind = "totp" | "passkey" | "recovery";

/** What a second factor is to answer. */
export interface FactorAsked {
  readonly challenge: string;
  readonly kinds: readonly FactorKind[];
  readonly passkey: RequestOptions | null;
}

/** A question to a passkey, in the JSON of WebAuthn. */
export interface RequestOptions {
  readonly challenge: string;
  readonly rpId: string;
  readonly timeout: number;
  readonly allowCredentials: readonly PublicKeyCredentialDescriptorJSON[];
  readonly userVerification: "required";
}

/** What a passkey answers, in the JSON of WebAuthn. */
export type PasskeyAnswer = AuthenticationResponseJSON | RegistrationResponseJSON;

/** Either of them answers a challenge. */
export interface FactorAnswer {
  readonly code?: string;
  readonly passkey?: PasskeyAnswer;
}

export interface Passkey {
  readonly passkey_id: string;
  readonly name: string;
  readonly made_at: string;
  readonly used_at: string | null;
  readonly suspect: boolean;
}

/** What an account has beside its password. */
export interface Factors {
  readonly totp_since: string | null;
  readonly passkeys: readonly Passkey[];
  readonly recovery_codes_left: number;
  readonly passkeys_possible: boolean;
}

/** An authenticator app to be: `qr` is a picture's address. */
export interface Totp {
  readonly secret: string;
  readonly uri: string;
  readonly qr: string;
}

export interface Service {
  readonly name: string;
  readonly sign_up: "open" | "closed";
  readonly payments: { readonly provider: Provider };
}

/** Who charges members; nothing is sold where it is none. */
export type Provider = "none" | "sandbox" | "debit" | "stripe";

/** In whole minor units of a currency (cents, yen). */
export interface Money {
  readonly amount_minor: number;
  readonly currency: string;
}

export interface Plan {
  readonly plan_id: string;
  readonly name: string;
  readonly prices: readonly { readonly money: Money }[];
  readonly interval: "month" | "year";
  readonly allowance: {
    readonly max_height: number;
    readonly streams: number;
    readonly ads: boolean;
  };
  readonly trial_days: number;
}

export interface Subscription {
  readonly state:
    | "incomplete"
    | "trialing"
    | "active"
    | "past_due"
    | "pausing"
    | "paused"
    | "canceled"
    | "ended";
  readonly plan_id: string;
  readonly plan_name: string;
  readonly price: Money;
  readonly territory: string;
  readonly period_ends_at: string;
  readonly card: "none" | "pending" | "action" | "ready" | "declined";
  readonly next_plan_id: string;
  readonly action_url: string;
  readonly coupon: string;
  readonly decline_code: string;
}

export interface InvoicePreview {
  readonly plan_name: string;
  readonly currency: string;
  readonly lines: readonly { readonly text: string; readonly amount_minor: number }[];
  readonly total_minor: number;
  readonly due_at: string | null;
  readonly at_once: boolean;
}

export interface Invoice {
  readonly invoice_id: string;
  readonly number: string;
  readonly status: "open" | "paid" | "void";
  readonly currency: string;
  readonly total_minor: number;
  readonly refunded_minor: number;
  readonly charged_back_minor: number;
  readonly issued_at: string;
}

export interface Order {
  readonly plan_id: string;
  readonly territory: string;
  readonly card: string;
  readonly coupon: string;
}

interface Letter {
  readonly delayed: boolean;
}

export interface Title {
  readonly title_id: string;
  readonly name: string;
  readonly synopsis: string;
  readonly duration_s: number;
  readonly quality: "none" | "quick" | "full";
  readonly artwork_url: string;
  readonly position_s: number;
  readonly series: string;
}

export type WorkKind = "franchise" | "series" | "season" | "episode" | "movie" | "supplemental";

/** A work in a list: a title, or what holds titles. */
export interface WorkSummary {
  readonly work_id: string;
  readonly kind: WorkKind;
  readonly name: string;
  readonly synopsis_short: string;
  readonly number: number | null;
  readonly parent_id: string | null;
  readonly year: number | null;
  readonly artwork_url: string;
  readonly quality: "none" | "quick" | "full";
  readonly duration_s: number;
  readonly position_s: number;
}

export interface Credit {
  readonly person_id: string;
  readonly name: string;
  readonly role: string;
  readonly character: string;
}

export interface AgeRating {
  readonly scheme: string;
  readonly rating: string;
}

/** A work with what it lies in (the nearest last), and who made it. */
export interface Work {
  readonly work: WorkSummary;
  readonly synopsis: string;
  readonly above: readonly WorkSummary[];
  readonly original_language: string;
  readonly countries: readonly string[];
  readonly genres: readonly { readonly term_id: string; readonly name: string }[];
  readonly themes: readonly { readonly term_id: string; readonly name: string }[];
  readonly credits: readonly Credit[];
  readonly ratings: readonly AgeRating[];
  readonly rating: AgeRating | null;
  readonly next_title_id: string | null;
}

export interface WorkPage {
  readonly works: readonly WorkSummary[];
  readonly next_cursor: string;
}

/** In which field something was found, and what stands there. */
export interface Match {
  readonly field: "title" | "series" | "person" | "genre" | "theme" | "text" | "like";
  readonly text: string;
}

export interface Hit {
  readonly what: "work" | "person" | "genre" | "theme";
  readonly hit_id: string;
  readonly name: string;
  readonly why: readonly Match[];
  readonly work: WorkSummary | null;
}

/** `like` is the title whose like was asked for; empty where it was not. */
export interface Found {
  readonly hits: readonly Hit[];
  readonly next_cursor: string;
  readonly like: string;
}

export type Rating = "down" | "up" | "love";

/** How the profile stands to a work; an empty rating: it has given none. */
export interface Standing {
  readonly work_id: string;
  readonly listed: boolean;
  readonly rating: Rating | "";
}

/** A play of a title, and how far it came. */
export interface Viewing {
  readonly title: Title;
  readonly position_s: number;
  readonly watched_at: string;
}

export interface HistoryPage {
  readonly viewings: readonly Viewing[];
  readonly next_cursor: string;
}

interface MyList {
  readonly works: readonly { readonly work: WorkSummary }[];
}

export interface TitlePage {
  readonly titles: readonly Title[];
  readonly next_cursor: string;
}

/** A DRM system by which a play may have its keys. */
export interface DrmSystem {
  readonly system: string;
  readonly licence_url: string;
}

export interface Play {
  /** Ours, not the service's answer: under it everything of this play is asked for. */
  readonly trace_id: string;
  readonly session_id: string;
  readonly title_id: string;
  readonly version_id: string;
  readonly duration_s: number;
  readonly resume_s: number;
  readonly appliances: readonly string[];
  readonly dash_url: string;
  readonly licence_url: string;
  readonly progress_url: string;
  readonly systems: readonly DrmSystem[];
  readonly settings: PlayerSettings;
}

/** What the player goes by: it may be tried on some members (`contracts/experiments/settings.py`). */
export interface PlayerSettings {
  readonly "player.bandwidth_downgrade_target": number;
  readonly "player.buffering_goal_s": number;
  readonly "player.default_bandwidth_kbps": number;
  readonly "player.use_network_information": boolean;
}

/** On what a play begins, and which one it ends. */
export interface PlayStart {
  readonly device: string;
  readonly device_id: string;
  readonly capabilities: Capabilities;
  readonly instead_of: string;
}

/** A play of this account that runs elsewhere, and in whose place another one may begin. */
export interface OtherPlay {
  readonly session_id: string;
  readonly title: string;
  readonly device: string;
}

/** A refusal of the service (its status and code), or `unreachable` with status 0. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** What finds the request in the service's log; empty where it was not reached. */
  readonly traceId: string;
  /** The work that is to be done before the same is asked again; undefined where none is. */
  readonly proof: Challenge | undefined;
  readonly plays: readonly OtherPlay[];

  constructor(
    status: number,
    code: string,
    message: string,
    traceId = "",
    told: { readonly proof?: Challenge | undefined; readonly plays?: readonly OtherPlay[] } = {},
  ) {
    super(message);
    this.plays = told.plays ?? [];
    this.status = status;
    this.code = code;
    this.traceId = traceId;
    this.proof = told.proof;
  }
}

const BASE = "/api/v1";
const TIMEOUT_MS = 15_000;
const HISTORY_PAGE = 100;
const LIST_PAGE = 48;
const LIKE_ROW = 16;

interface Call {
  readonly body?: unknown;
  /** Lets the request outlive the page. */
  readonly keepalive?: boolean;
  readonly traceId?: string;
}

/** Asks the person for a fresh proof; false where they would rather not. */
type Prover = () => Promise<boolean>;

let prover: Prover | undefined;

/** From here on who is asked for a proof is asked by this, and then the call is made again. */
export function proveBy(ask: Prover): () => void {
  prover = ask;
  return () => {
    if (prover === ask) prover = undefined;
  };
}

async function call(method: string, path: string, options: Call = {}): Promise<Response> {
  try {
    return await callOnce(method, path, options);
  } catch (error) {
    const asked = error instanceof ApiError && error.code === "step_up_needed";
    if (!asked || !prover || !(await prover())) throw error;
  }
  return callOnce(method, path, options);
}

async function callOnce(method: string, path: string, options: Call): Promise<Response> {
  const request: RequestInit = { method, signal: AbortSignal.timeout(TIMEOUT_MS) };
  const headers = new Headers();
  if (options.traceId) headers.set("traceparent", traceparentOf(options.traceId));
  if (options.body !== undefined) {
    request.body = JSON.stringify(options.body);
    headers.set("Content-Type", "application/json");
  }
  request.headers = headers;
  if (options.keepalive) request.keepalive = true;
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch (error) {
    throw new ApiError(0, "unreachable", error instanceof Error ? error.message : String(error));
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  const text = await response.text();
  const { status } = response;
  const traceId = traceIdOf(response.headers.get("traceresponse"));
  try {
    const { error, proof } = JSON.parse(text) as {
      error?: { code?: string; message?: string; plays?: readonly OtherPlay[] };
      proof?: Challenge;
    };
    const { code = "", message = text, plays = [] } = error ?? {};
    return new ApiError(status, code, message, traceId, { proof, plays });
  } catch (error) {
    if (error instanceof SyntaxError) return new ApiError(status, "", text.slice(0, 200), traceId);
    throw error;
  }
}

async function json<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await call(method, `${BASE}${path}`, { body });
  return (await response.json()) as Answer;
}

type Begun = FactorAsked | { readonly token: string };

/** What is to be answered before the login is open, if anything. */
async function entered(begun: Promise<Begun>): Promise<FactorAsked | undefined> {
  const answer = await begun;
  return "challenge" in answer ? answer : undefined;
}

const id = encodeURIComponent;

/** The last report of a position. Lists that show positions wait for it, however it ends. */
let reporting: Promise<unknown> = Promise.resolve();

async function jsonAfterReport<Answer>(path: string): Promise<Answer> {
  await Promise.allSettled([reporting]);
  return json<Answer>("GET", path);
}

/** Asks, and once more with the proof of work that may be wanted for it. */
async function proven<Answer>(ask: (proof?: string) => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ApiError) || !error.proof) throw error;
    return ask(await proofOf(error.proof));
  }
}

export const api = {
  service: () => json<Service>("GET", "/service"),
  me: () => json<Member>("GET", "/me"),
  household: () => json<Household>("GET", "/profiles"),
  createProfile: (profile: ProfileChange) => json<Profile>("POST", "/profiles", profile),
  changeProfile: (profileId: string, change: ProfileChange) =>
    json<Profile>("PATCH", `/profiles/${id(profileId)}`, change),
  async deleteProfile(profileId: string, password: string): Promise<void> {
    await call("POST", `${BASE}/profiles/${id(profileId)}/deletion`, { body: { password } });
  },
  chooseProfile: (profile_id: string, pin = "", password = "") =>
    json<Profile>("PUT", "/profile", { profile_id, pin, password }),
  titles: (after = "", limit = 48) =>
    jsonAfterReport<TitlePage>(`/titles?after=${id(after)}&limit=${limit}`),
  title: (titleId: string) => json<Title>("GET", `/titles/${id(titleId)}`),
  work: (workId: string, territory: string) =>
    jsonAfterReport<Work>(`/works/${id(workId)}?territory=${id(territory)}`),
  works: (wanted: Readonly<Record<string, string>>) =>
    jsonAfterReport<WorkPage>(`/works?${new URLSearchParams(wanted).toString()}`),
  search: (text: string, after: string) =>
    jsonAfterReport<Found>(`/search?${new URLSearchParams({ text, after }).toString()}`),
  suggest: (text: string) =>
    json<Found>("GET", `/search/suggestions?${new URLSearchParams({ text }).toString()}`),
  like: (workId: string) => jsonAfterReport<Found>(`/works/${id(workId)}/like?limit=${LIKE_ROW}`),
  async schemaOrg(workId: string): Promise<string> {
    const response = await call("GET", `${BASE}/works/${id(workId)}/schema.jsonld`);
    return response.text();
  },
  history: (after: string) =>
    jsonAfterReport<HistoryPage>(`/history?after=${id(after)}&limit=${HISTORY_PAGE}`),
  async removeFromHistory(titleId: string): Promise<void> {
    await call("DELETE", `${BASE}/history/${id(titleId)}`);
  },
  async clearHistory(): Promise<void> {
    await call("DELETE", `${BASE}/history`);
  },
  async myList(): Promise<readonly WorkSummary[]> {
    const { works } = await jsonAfterReport<MyList>(`/my-list?limit=${LIST_PAGE}`);
    return works.map(({ work }) => work);
  },
  async setListed(workId: string, listed: boolean): Promise<void> {
    await call(listed ? "PUT" : "DELETE", `${BASE}/my-list/${id(workId)}`);
  },
  /** Undefined while nobody knows. */
  async standing(workId: string): Promise<Standing | undefined> {
    const path = `/standing?work_ids=${id(workId)}`;
    return (await json<{ standings: readonly Standing[] }>("GET", path)).standings[0];
  },
  async rate(workId: string, rating: Rating | ""): Promise<void> {
    const path = `${BASE}/ratings/${id(workId)}`;
    await (rating ? call("PUT", path, { body: { rating } }) : call("DELETE", path));
  },
  watching: () => jsonAfterReport<{ titles: readonly Title[] }>("/continue-watching"),

  login: (email: string, password: string): Promise<FactorAsked | undefined> =>
    proven((proof) => entered(json<Begun>("POST", "/login", { email, password, proof }))),
  redeem: (code: string) => entered(json<Begun>("POST", "/login/link", { code })),
  async giveFactor(challenge: string, answer: FactorAnswer): Promise<void> {
    await proven((proof) => json("POST", "/login/factor", { challenge, ...answer, proof }));
  },
  passkeyOptions: () => json<RequestOptions>("POST", "/login/passkey/options"),
  async loginByPasskey(passkey: PasskeyAnswer): Promise<void> {
    await proven((proof) => json("POST", "/login/passkey", { passkey, proof }));
  },
  async logout(): Promise<void> {
    await call("POST", `${BASE}/logout`);
  },

  requestLoginLetter: (email: string) => json<Letter>("POST", "/login/letter", { email }),
  signUp: (email: string) => json<Letter>("POST", "/sign-up", { email }),
  async completeSignUp(code: string, password: string, profile_name: string): Promise<void> {
    await json("POST", "/sign-up/complete", { code, password, profile_name });
  },
  requestReset: (email: string) => json<Letter>("POST", "/password-reset", { email }),
  async completeReset(code: string, password: string): Promise<void> {
    await call("POST", `${BASE}/password-reset/complete`, { body: { code, password } });
  },
  async confirmEmail(code: string): Promise<void> {
    await call("POST", `${BASE}/email/confirm`, { body: { code } });
  },
  async restoreEmail(code: string): Promise<void> {
    await call("POST", `${BASE}/email/restore`, { body: { code } });
  },
  async changePassword(old_password: string, new_password: string): Promise<void> {
    await call("PUT", `${BASE}/account/password`, { body: { old_password, new_password } });
  },
  changeEmail: (email: string, password: string) =>
    json<Letter>("PUT", "/account/email", { email, password }),
  logins: () => json<{ logins: readonly OpenLogin[] }>("GET", "/account/logins"),
  findings: () => json<{ findings: readonly Finding[] }>("GET", "/account/findings"),
  async endLogin(loginId: string): Promise<void> {
    await json("DELETE", `/account/logins/${id(loginId)}`);
  },
  async endOtherLogins(): Promise<void> {
    await json("DELETE", "/account/logins");
  },
  deleteAccount: (password: string) =>
    json<{ erased_at: string }>("POST", "/account/deletion", { password }),
  factors: () => json<Factors>("GET", "/account/factors"),
  proofOptions: () => json<FactorAsked>("POST", "/account/proof/options"),
  async prove(answer: FactorAnswer & { readonly password?: string }): Promise<void> {
    await json("POST", "/account/proof", answer);
  },
  beginTotp: () => json<Totp>("POST", "/account/totp"),
  confirmTotp: (code: string) =>
    json<{ codes: readonly string[] }>("POST", "/account/totp/confirm", { code }),
  async removeTotp(password: string, code: string): Promise<void> {
    await call("POST", `${BASE}/account/totp/removal`, { body: { password, code } });
  },
  renewRecoveryCodes: () =>
    json<{ codes: readonly string[] }>("POST", "/account/recovery-codes"),
  newPasskeyOptions: () =>
    json<PublicKeyCredentialCreationOptionsJSON>("POST", "/account/passkeys/options"),
  addPasskey: (passkey: PasskeyAnswer, name: string) =>
    json<{ recovery_codes: readonly string[] }>("POST", "/account/passkeys", { passkey, name }),
  async renamePasskey(passkeyId: string, name: string): Promise<void> {
    await call("PUT", `${BASE}/account/passkeys/${id(passkeyId)}`, { body: { name } });
  },
  async removePasskey(passkeyId: string): Promise<void> {
    await call("DELETE", `${BASE}/account/passkeys/${id(passkeyId)}`);
  },
  lookUpDevice: (userCode: string) =>
    json<WaitingDevice>("GET", `/device-sign-in?user_code=${id(userCode)}`),
  async answerDevice(user_code: string, allow: boolean): Promise<void> {
    await call("POST", `${BASE}/device-sign-in`, { body: { user_code, allow } });
  },

  plans: (territory: string) =>
    json<{ plans: readonly Plan[] }>("GET", `/plans?territory=${id(territory)}`),
  subscription: () => json<Subscription>("GET", "/subscription"),
  subscribe: (order: Order) =>
    proven((proof) => json<Subscription>("POST", "/subscription", { ...order, proof })),
  changePlan: (plan_id: string) => json<Subscription>("PUT", "/subscription/plan", { plan_id }),
  changeSubscription: (change: "cancel" | "pause" | "resume") =>
    json<Subscription>("POST", "/subscription/changes", { change }),
  replaceCard: (card: string) =>
    proven((proof) => json<Subscription>("PUT", "/subscription/card", { card, proof })),
  testCard: (number: string) =>
    json<{ token: string }>("POST", "/billing/test-cards", { number }),
  preview: (planId = "") =>
    json<InvoicePreview>("GET", `/subscription/preview${planId && `?plan_id=${id(planId)}`}`),
  invoices: (after = "") =>
    json<{ invoices: readonly Invoice[]; next_cursor: string }>(
      "GET",
      `/invoices?limit=24&after=${id(after)}`,
    ),
  invoicePath: (invoiceId: string, form: "page" | "pdf") =>
    `${BASE}/invoices/${id(invoiceId)}/${form}`,

  async startPlay(titleId: string, start: PlayStart): Promise<Play> {
    const traceId = newTraceId();
    const body = { title_id: titleId, ...start };
    const response = await call("POST", `${BASE}/plays`, { body, traceId });
    return { ...((await response.json()) as Omit<Play, "trace_id">), trace_id: traceId };
  },
  async reportProgress(play: Play, position_s: number, sequence: number): Promise<void> {
    const report = call("PUT", play.progress_url, {
      body: { position_s, sequence },
      keepalive: true,
      traceId: play.trace_id,
    });
    reporting = report;
    await report;
  },
  async endPlay(play: Play): Promise<void> {
    const options = { keepalive: true, traceId: play.trace_id };
    await call("DELETE", `${BASE}/plays/${id(play.session_id)}`, options);
  },
};
