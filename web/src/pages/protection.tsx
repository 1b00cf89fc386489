// What protects a login beside the password: an app, passkeys, and the codes for when they are lost.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { api, type Factors, type Totp } from "../api.ts";
import { complaintOf, isLoggedOut } from "../complaint.ts";
import { language, say } from "../language.ts";
import { CodeField, PasswordField, textOf } from "../parts/form.tsx";
import { Part, PartForm } from "../parts/part.tsx";
import { RecoverySheet } from "../parts/recovery-sheet.tsx";
import { knowsPasskeys, makePasskey } from "../passkeys.ts";
import type { StringKey } from "../strings.ts";

const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const on = (moment: string) => day.format(new Date(moment));

type Work = () => Promise<readonly string[] | void>;

export function Protection({ onLoggedOut }: { readonly onLoggedOut: () => void }) {
  const [factors, setFactors] = useState<Factors>();
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [complaint, setComplaint] = useState("");
  /** Does something, and shows what the account has then; recovery codes that came of it too. */
  const attempt = useCallback(
    async (work: Work) => {
      try {
        const made = await work();
        if (made?.length) setCodes(made);
        setFactors(await api.factors());
        setComplaint("");
      } catch (error) {
        if (isLoggedOut(error)) onLoggedOut();
        else setComplaint(complaintOf(error));
      }
    },
    [onLoggedOut],
  );
  useEffect(() => void attempt(async () => {}), [attempt]);
  const protectedNow = factors && (factors.totp_since || factors.passkeys.length > 0);
  return (
    <Part title="protection.title" lead="protection.lead">
      <p class="complaint" role="alert">
        {complaint}
      </p>
      {codes.length > 0 && <RecoverySheet codes={codes} onKept={() => setCodes([])} />}
      {factors && <App factors={factors} attempt={attempt} />}
      {factors && <Passkeys factors={factors} attempt={attempt} />}
      {protectedNow && (
        <Piece title="protection.codes">
          <p class="soft">
            {say("protection.codes_lead", { left: String(factors.recovery_codes_left) })}
          </p>
          <button
            type="button"
            class="button"
            onClick={() => void attempt(async () => (await api.renewRecoveryCodes()).codes)}
          >
            {say("protection.codes_renew")}
          </button>
        </Piece>
      )}
    </Part>
  );
}

function Piece(props: { readonly title: StringKey; readonly children: ComponentChildren }) {
  return (
    <section class="piece" aria-labelledby={props.title}>
      <h3 id={props.title}>{say(props.title)}</h3>
      {props.children}
    </section>
  );
}

interface PieceProps {
  readonly factors: Factors;
  readonly attempt: (work: Work) => Promise<void>;
}

function App({ factors, attempt }: PieceProps) {
  const [totp, setTotp] = useState<Totp>();
  const [removing, setRemoving] = useState(false);
  const [said, setSaid] = useState("");
  if (totp) {
    return (
      <Piece title="protection.app">
        <p class="soft">{say("protection.app_scan")}</p>
        <div class="app-setup">
          <img class="qr" src={totp.qr} alt={say("protection.app_qr")} width={208} height={208} />
          <p>
            <span class="soft">{say("protection.app_secret")}</span>
            <code class="secret">{totp.secret.replace(/(.{4})(?=.)/g, "$1 ")}</code>
          </p>
        </div>
        <PartForm
          submit="protection.app_confirm"
          send={async (form) => {
            const { codes } = await api.confirmTotp(textOf(form, "code"));
            setTotp(undefined);
            await attempt(async () => codes);
            return "";
          }}
        >
          <CodeField recovery={false} />
        </PartForm>
        <Cancel onClick={() => setTotp(undefined)} />
      </Piece>
    );
  }
  return (
    <Piece title="protection.app">
      <p class="soft">
        {factors.totp_since
          ? say("protection.app_since", { when: on(factors.totp_since) })
          : say("protection.app_lead")}
      </p>
      <p class="said" role="status">
        {said}
      </p>
      {!factors.totp_since && (
        <button
          type="button"
          class="button"
          onClick={() => void attempt(async () => setTotp(await api.beginTotp()))}
        >
          {say("protection.app_begin")}
        </button>
      )}
      {factors.totp_since && !removing && (
        <button type="button" class="button" onClick={() => setRemoving(true)}>
          {say("protection.app_remove")}
        </button>
      )}
      {factors.totp_since && removing && (
        <>
          <PartForm
            submit="protection.app_remove"
            danger
            send={async (form) => {
              await api.removeTotp(textOf(form, "password"), textOf(form, "code"));
              setRemoving(false);
              setSaid(say("protection.app_removed"));
              await attempt(async () => {});
              return "";
            }}
          >
            <PasswordField label={say("login.password")} />
            <CodeField recovery />
          </PartForm>
          <Cancel onClick={() => setRemoving(false)} />
        </>
      )}
    </Piece>
  );
}

function Passkeys({ factors, attempt }: PieceProps) {
  const possible = factors.passkeys_possible && knowsPasskeys();
  const [name, setName] = useState(say("protection.passkey_here"));
  return (
    <Piece title="protection.passkeys">
      <p class="soft">
        {say(possible ? "protection.passkeys_lead" : "protection.passkeys_off")}
      </p>
      {factors.passkeys.length > 0 && (
        <ul class="logins">
          {factors.passkeys.map((passkey) => (
            <li key={passkey.passkey_id}>
              <span>
                <strong>{passkey.name}</strong>
                <span class="soft">
                  {passkey.used_at
                    ? say("protection.passkey_used", { when: on(passkey.used_at) })
                    : say("protection.passkey_made", { when: on(passkey.made_at) })}
                </span>
                {passkey.suspect && (
                  <span class="complaint">{say("protection.passkey_suspect")}</span>
                )}
              </span>
              <button
                type="button"
                class="button"
                aria-label={say("protection.remove_this", { name: passkey.name })}
                onClick={() => void attempt(() => api.removePasskey(passkey.passkey_id))}
              >
                {say("protection.remove")}
              </button>
            </li>
          ))}
        </ul>
      )}
      {possible && (
        <form
          class="login-form"
          onSubmit={(event) => {
            event.preventDefault();
            void attempt(async () => {
              const made = await makePasskey(await api.newPasskeyOptions());
              if (!made) return [];
              const { recovery_codes } = await api.addPasskey(made, name.trim());
              setName(say("protection.passkey_here"));
              return recovery_codes;
            });
          }}
        >
          <label>
            {say("protection.passkey_name")}
            <input
              maxLength={60}
              value={name}
              required
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="button">
            {say("protection.passkey_add")}
          </button>
        </form>
      )}
    </Piece>
  );
}

function Cancel({ onClick }: { readonly onClick: () => void }) {
  return (
    <button type="button" class="plain" onClick={onClick}>
      {say("protection.cancel")}
    </button>
  );
}
