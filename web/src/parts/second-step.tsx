// What stands in for a second factor: a code, or a passkey. A page of the login, or a dialog.

import { useState } from "preact/hooks";
import type { FactorAnswer, FactorAsked } from "../api.ts";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import { knowsPasskeys, usePasskey } from "../passkeys.ts";
import { CodeField, textOf, useSubmit } from "./form.tsx";

interface SecondStepProps {
  readonly asked: FactorAsked;
  readonly give: (answer: FactorAnswer) => Promise<void>;
}

export function SecondStep({ asked, give }: SecondStepProps) {
  const [refused, setRefused] = useState("");
  const [waiting, setWaiting] = useState(false);
  const form = useSubmit(async (sent) => {
    setRefused("");
    await give({ code: textOf(sent, "code") });
  });
  const passkey = knowsPasskeys() ? asked.passkey : null;
  const codes = asked.kinds.some((kind) => kind !== "passkey");
  async function byPasskey() {
    if (!passkey) return;
    setWaiting(true);
    setRefused("");
    try {
      const answer = await usePasskey(passkey);
      if (answer) await give({ passkey: answer });
    } catch (error) {
      setRefused(complaintOf(error));
    } finally {
      setWaiting(false);
    }
  }
  return (
    <form class="login-form" onSubmit={form.submit}>
      {passkey && (
        <button
          type="button"
          class={codes ? "button" : "button primary"}
          disabled={waiting}
          onClick={() => void byPasskey()}
        >
          {say("passkey.use")}
        </button>
      )}
      {codes && <CodeField recovery={asked.kinds.includes("recovery")} />}
      <p class="complaint" role="alert">
        {refused || form.refused}
      </p>
      {codes && (
        <button class="button primary" type="submit" disabled={form.busy || waiting}>
          {form.busy ? say("form.busy") : say("factor.submit")}
        </button>
      )}
    </form>
  );
}
