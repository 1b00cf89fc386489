// A page with one form on it: who asks, what for, and what came of it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import { follow } from "../route.ts";
import { Mark } from "./mark.tsx";

/** A code of the app, or a recovery code. */
export function CodeField({ recovery }: { readonly recovery: boolean }) {
  return (
    <label>
      {say("factor.code")}
      <input
        name="code"
        class="code"
        autocomplete="one-time-code"
        autocapitalize="characters"
        spellcheck={false}
        maxLength={40}
        required
        autofocus
      />
      {recovery && <span class="rule">{say("factor.recovery")}</span>}
    </label>
  );
}

interface FormPageProps {
  readonly serviceName: string;
  readonly title: string;
  readonly lead?: string;
  readonly submit: string;
  /** Said before anything was sent, such as why the person is here again. */
  readonly complaint?: string;
  readonly children?: ComponentChildren;
  readonly below?: ComponentChildren;
  readonly onSubmit: (form: FormData) => Promise<void>;
}

export function FormPage(props: FormPageProps) {
  const { busy, refused, submit } = useSubmit(props.onSubmit);
  return (
    <main class="login">
      <form class="login-form" onSubmit={submit} aria-labelledby="form-title">
        <Brand name={props.serviceName} />
        <h1 id="form-title">{props.title}</h1>
        {props.lead && <p class="lead">{props.lead}</p>}
        {props.children}
        <p class="complaint" role="alert">
          {refused ?? props.complaint}
        </p>
        <button class="button primary" type="submit" disabled={busy}>
          {busy ? say("form.busy") : props.submit}
        </button>
        {props.below && <p class="below">{props.below}</p>}
      </form>
    </main>
  );
}

/** Sends a form once at a time, and keeps what was said against it. */
export function useSubmit(send: (form: FormData) => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setRefused("");
    try {
      await send(form);
    } catch (error) {
      setRefused(complaintOf(error));
    } finally {
      setBusy(false);
    }
  }
  return { busy, refused, submit };
}

/** The same page without a form: something was done, or waits for a letter. */
export function NotePage(props: {
  readonly serviceName: string;
  readonly title: string;
  readonly text: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <main class="login">
      <div class="login-form" role="status">
        <Brand name={props.serviceName} />
        <h1>{props.title}</h1>
        <p class="lead">{props.text}</p>
        {props.children && <p class="below">{props.children}</p>}
      </div>
    </main>
  );
}

export function PageLink({ to, label }: { readonly to: string; readonly label: string }) {
  return (
    <a class="plain" href={to} onClick={follow}>
      {label}
    </a>
  );
}

export function EmailField() {
  return (
    <label>
      {say("login.email")}
      <input name="email" type="email" autocomplete="username webauthn" required autofocus />
    </label>
  );
}

export function NewPasswordField({ label }: { readonly label: string }) {
  return (
    <label>
      {label}
      <input
        name="new_password"
        type="password"
        autocomplete="new-password"
        minLength={8}
        maxLength={1024}
        required
        aria-describedby="password-rule"
      />
      <span class="rule" id="password-rule">
        {say("password.rule")}
      </span>
    </label>
  );
}

export function PasswordField({ label }: { readonly label: string }) {
  return (
    <label>
      {label}
      <input name="password" type="password" autocomplete="current-password" required />
    </label>
  );
}

export const textOf = (form: FormData, name: string): string => String(form.get(name) ?? "");

export function Brand({ name }: { readonly name: string }) {
  return (
    <p class="brand">
      <Mark />
      {name}
    </p>
  );
}
