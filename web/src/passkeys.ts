// Passkeys: what the service asks goes to the browser, and its answer back, in WebAuthn's JSON.

import { ApiError, type PasskeyAnswer, type RequestOptions } from "./api.ts";

const ADDRESS = /^[\d.]+$|:/;

/** Whether there are passkeys here: browsers have none at an IP address, nor without https. */
export const knowsPasskeys = (): boolean =>
  !ADDRESS.test(location.hostname) &&
  typeof PublicKeyCredential === "function" &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function";

/** Whether passkeys are offered in the field of the mail address, beside remembered passwords. */
export async function fillsInPasskeys(): Promise<boolean> {
  return knowsPasskeys() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
}

interface Asking {
  /** The browser offers passkeys where the person types, and waits. */
  readonly whileTyping?: boolean;
  readonly signal?: AbortSignal;
}

/** The answer of a passkey; undefined where the person chose none. */
export async function usePasskey(
  options: RequestOptions,
  asking: Asking = {},
): Promise<PasskeyAnswer | undefined> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON({
    ...options,
    allowCredentials: [...options.allowCredentials],
  });
  const request: CredentialRequestOptions = { publicKey };
  if (asking.whileTyping) request.mediation = "conditional";
  if (asking.signal) request.signal = asking.signal;
  return chosen(navigator.credentials.get(request));
}

/** A new passkey; undefined where the person made none. */
export async function makePasskey(
  options: PublicKeyCredentialCreationOptionsJSON,
): Promise<PasskeyAnswer | undefined> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return chosen(navigator.credentials.create({ publicKey }));
}

async function chosen(
  asked: Promise<Credential | null>,
): Promise<PasskeyAnswer | undefined> {
  try {
    const credential = await asked;
    return credential instanceof PublicKeyCredential ? (credential.toJSON() as PasskeyAnswer) : undefined;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === "NotAllowedError" || error.name === "AbortError") return undefined;
    const code = error.name === "InvalidStateError" ? "passkey_known" : "passkey_failed";
    throw new ApiError(400, code, error.message);
  }
}
