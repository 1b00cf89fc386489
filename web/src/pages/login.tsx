import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, type FactorAnswer, type FactorAsked, type Service } from "../api.ts";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import {
  Brand,
  EmailField,
  FormPage,
  PageLink,
  PasswordField,
  textOf,
} from "../parts/form.tsx";
import { SecondStep } from "../parts/second-step.tsx";
import { fillsInPasskeys, knowsPasskeys, usePasskey } from "../passkeys.ts";

interface LoginPageProps {
  readonly service: Service;
  /** Why the person is here again, such as a login link that was spent. */
  readonly complaint: string;
  /** What is to be answered yet, where the first step is done. */
  readonly asked?: FactorAsked | undefined;
  readonly onIn: () => Promise<void>;
}

export function LoginPage({ service, complaint, asked, onIn }: LoginPageProps) {
  const [second, setSecond] = useState(asked);
  const [refused, setRefused] = useState("");
  /** False where it took too long: then it begins again. */
  async function gave(challenge: string, answer: FactorAnswer): Promise<boolean> {
    try {
      await api.giveFactor(challenge, answer);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "challenge_spent") throw error;
      setRefused(complaintOf(error));
      setSecond(undefined);
      return false;
    }
    return true;
  }
  const passkey = usePasskeyLogin(second === undefined, setRefused, onIn);
  if (second) {
    return (
      <main class="login">
        <div class="login-form">
          <Brand name={service.name} />
          <h1>{say("factor.title")}</h1>
          <p class="lead">{say(leadOf(second))}</p>
          <SecondStep
            asked={second}
            give={async (answer) => {
              if (await gave(second.challenge, answer)) await onIn();
            }}
          />
          <p class="below">
            <button type="button" class="plain" onClick={() => setSecond(undefined)}>
              {say("join.back")}
            </button>
          </p>
        </div>
      </main>
    );
  }
  return (
    <FormPage
      serviceName={service.name}
      title={say("login.title")}
      lead={say("login.lead")}
      submit={say("login.submit")}
      complaint={refused || complaint}
      below={
        <>
          {passkey && (
            <button type="button" class="button passkey" onClick={passkey}>
              {say("passkey.use")}
            </button>
          )}
          <PageLink to="/forgot" label={say("login.forgot")} />
          <PageLink to="/letter" label={say("login.letter")} />
          {service.sign_up === "open" && <PageLink to="/sign-up" label={say("join.title")} />}
        </>
      }
      onSubmit={async (form) => {
        setRefused("");
        const next = await api.login(textOf(form, "email"), textOf(form, "password"));
        if (next) setSecond(next);
        else await onIn();
      }}
    >
      <EmailField />
      <PasswordField label={say("login.password")} />
    </FormPage>
  );
}

const leadOf = ({ kinds }: FactorAsked) => {
  if (!kinds.includes("passkey")) return "factor.lead_app";
  return kinds.includes("totp") ? "factor.lead_any" : "factor.lead_passkey";
};

/** Offers passkeys in the mail address's field, and gives what a button does; undefined without. */
function usePasskeyLogin(
  wanted: boolean,
  complain: (sentence: string) => void,
  onIn: () => Promise<void>,
): (() => void) | undefined {
  const typing = useRef<AbortController>(undefined);
  useEffect(() => {
    if (!wanted) return undefined;
    const leaving = new AbortController();
    typing.current = leaving;
    void (async () => {
      if (!(await fillsInPasskeys()) || leaving.signal.aborted) return;
      await enter({ whileTyping: true, signal: leaving.signal });
    })();
    return () => leaving.abort();
  }, [wanted]);
  async function enter(asking: { readonly whileTyping?: boolean; readonly signal?: AbortSignal }) {
    try {
      const answer = await usePasskey(await api.passkeyOptions(), asking);
      if (!answer) return;
      await api.loginByPasskey(answer);
      await onIn();
    } catch (error) {
      complain(complaintOf(error));
    }
  }
  if (!knowsPasskeys()) return undefined;
  return () => {
    // One question at a time: the browser refuses the second.
    typing.current?.abort();
    complain("");
    void enter({});
  };
}
