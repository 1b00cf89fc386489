// A part of the account page: what it is about, and a form that says below what came of it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { say } from "../language.ts";
import type { StringKey } from "../strings.ts";
import { useSubmit } from "./form.tsx";

export function Part(props: {
  readonly title: StringKey;
  readonly lead?: StringKey;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="part" aria-labelledby={props.title}>
      <h2 id={props.title}>{say(props.title)}</h2>
      {props.lead && <p class="soft">{say(props.lead)}</p>}
      {props.children}
    </section>
  );
}

export function PartForm(props: {
  readonly submit: StringKey;
  readonly danger?: boolean;
  readonly send: (form: FormData) => Promise<string>;
  readonly children: ComponentChildren;
}) {
  const [done, setDone] = useState("");
  const { busy, refused, submit } = useSubmit(async (form) => {
    setDone("");
    setDone(await props.send(form));
  });
  return (
    <form
      class="login-form"
      onSubmit={(event) => {
        const form = event.currentTarget;
        void submit(event).then(() => form.reset());
      }}
    >
      {props.children}
      <p class="complaint" role="alert">
        {refused}
      </p>
      <p class="said" role="status">
        {done}
      </p>
      <button class={props.danger ? "button danger" : "button"} type="submit" disabled={busy}>
        {busy ? say("form.busy") : say(props.submit)}
      </button>
    </form>
  );
}
