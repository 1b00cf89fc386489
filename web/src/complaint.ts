// What went wrong, as a sentence for the person in front of the screen.

import { ApiError } from "./api.ts";
import { say } from "./language.ts";
import type { StringKey } from "./strings.ts";

const SENTENCES: Readonly<Record<string, StringKey>> = {
  unreachable: "error.unreachable",
  unavailable: "error.away",
  wrong_credentials: "login.wrong",
  not_logged_in: "error.logged_out",
  too_many_logins: "login.too_many",
  letter_needed: "login.letter_needed",
  proof_needed: "login.too_many",
  too_many_requests: "error.too_many_tries",
  account_invalid: "error.account",
  account_exists: "error.account_exists",
  wrong_password: "error.password",
  code_spent: "code.lead",
  sign_up_closed: "error.sign_up_closed",
  too_many_tries: "error.too_many_tries",
  wrong_factor: "error.factor",
  challenge_spent: "error.challenge",
  passkey_known: "error.passkey_known",
  passkey_failed: "error.passkey_failed",
  step_up_needed: "error.step_up",
  user_code_unknown: "error.user_code",
  wrong_pin: "error.pin",
  pin_needed: "profiles.pin_lead",
  password_needed: "profiles.password_lead",
  too_many_profiles: "error.too_many_profiles",
  last_profile: "error.last_profile",
  not_for_kids: "error.not_for_kids",
  not_for_profile: "player.gone",
  list_full: "error.list_full",
  unknown_work: "player.gone",
  cannot_play: "player.cannot",
  not_entitled: "player.no_plan",
  too_many_streams: "player.too_many",
  unknown_title: "player.gone",
  not_found: "player.gone",
};

/** Rethrows what is no refusal of the service: the error boundary shows that. */
export function complaintOf(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  const sentence = sentenceOf(error);
  if (error.status < 500 || !error.traceId) return sentence;
  return `${sentence} ${say("error.trace", { trace: error.traceId })}`;
}

function sentenceOf(error: ApiError): string {
  // How long PINs wait is in the service's own words.
  if (error.code === "too_many_tries" && /PIN/.test(error.message)) return error.message;
  const key = Object.hasOwn(SENTENCES, error.code) ? SENTENCES[error.code] : undefined;
  if (key) return say(key);
  if (error.status >= 500) return say("error.away");
  return say("error.other", { message: error.message });
}

export function isLoggedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}
