// The dialog that asks for a fresh proof, when something was refused for want of one.

import { useEffect, useRef, useState } from "preact/hooks";
import { api, proveBy, type FactorAsked } from "../api.ts";
import { say } from "../language.ts";
import { PasswordField, textOf, useSubmit } from "./form.tsx";
import { SecondStep } from "./second-step.tsx";

interface Asking {
  /** What a second factor is to answer; undefined where the password is all there is. */
  readonly asked: FactorAsked | undefined;
  readonly settle: (proved: boolean) => void;
}

export function Prover() {
  const [asking, setAsking] = useState<Asking>();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(
    () =>
      proveBy(async () => {
        const factors = await api.factors();
        const two = factors.totp_since !== null || factors.passkeys.length > 0;
        const asked = two ? await api.proofOptions() : undefined;
        return new Promise<boolean>((settle) => setAsking({ asked, settle }));
      }),
    [],
  );
  useEffect(() => {
    if (asking) dialog.current?.showModal();
  }, [asking]);
  if (!asking) return null;
  const settle = (proved: boolean) => {
    setAsking(undefined);
    asking.settle(proved);
  };
  return (
    <dialog ref={dialog} class="prover" aria-labelledby="prover-title" onClose={() => settle(false)}>
      <h2 id="prover-title">{say("proof.title")}</h2>
      <p class="soft">{say("proof.lead")}</p>
      {asking.asked ? (
        <SecondStep
          asked={asking.asked}
          give={async (answer) => {
            await api.prove(answer);
            settle(true);
          }}
        />
      ) : (
        <PasswordProof onProved={() => settle(true)} />
      )}
      <button type="button" class="plain" onClick={() => settle(false)}>
        {say("proof.cancel")}
      </button>
    </dialog>
  );
}

function PasswordProof({ onProved }: { readonly onProved: () => void }) {
  const { busy, refused, submit } = useSubmit(async (form) => {
    await api.prove({ password: textOf(form, "password") });
    onProved();
  });
  return (
    <form class="login-form" onSubmit={submit}>
      <PasswordField label={say("login.password")} />
      <p class="complaint" role="alert">
        {refused}
      </p>
      <button class="button primary" type="submit" disabled={busy}>
        {busy ? say("form.busy") : say("factor.submit")}
      </button>
    </form>
  );
}
