// Becoming a member, and getting back in: what is shown to people without a login.

import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { say } from "../language.ts";
import {
  EmailField,
  FormPage,
  NewPasswordField,
  NotePage,
  PageLink,
  textOf,
} from "../parts/form.tsx";
import { takeCode } from "../codes.ts";
import type { StringKey } from "../strings.ts";

interface Named {
  readonly serviceName: string;
}

/** A form that asks for an address, and then says that a letter is on its way. */
function LetterPage(props: {
  readonly serviceName: string;
  readonly title: string;
  readonly lead: string;
  readonly submit: string;
  readonly sent: string;
  readonly ask: (email: string) => Promise<{ readonly delayed: boolean }>;
}) {
  const [sent, setSent] = useState<{ readonly email: string; readonly delayed: boolean }>();
  const { serviceName } = props;
  const back = <PageLink to="/login" label={say("join.back")} />;
  if (sent) {
    const waits = sent.delayed ? ` ${say("letter.delayed")}` : "";
    const text = say("letter.sent", { email: sent.email, why: props.sent }) + waits;
    return (
      <NotePage serviceName={serviceName} title={say("letter.title")} text={text}>
        {back}
      </NotePage>
    );
  }
  return (
    <FormPage
      serviceName={serviceName}
      title={props.title}
      lead={props.lead}
      submit={props.submit}
      below={back}
      onSubmit={async (form) => {
        const email = textOf(form, "email").trim();
        const { delayed } = await props.ask(email);
        setSent({ email, delayed });
      }}
    >
      <EmailField />
    </FormPage>
  );
}

export function SignUpPage({ serviceName }: Named) {
  return (
    <LetterPage
      serviceName={serviceName}
      title={say("join.title")}
      lead={say("join.lead")}
      submit={say("join.submit")}
      sent={say("join.sent")}
      ask={api.signUp}
    />
  );
}

export function LetterLoginPage({ serviceName }: Named) {
  return (
    <LetterPage
      serviceName={serviceName}
      title={say("login.letter_title")}
      lead={say("login.letter_lead")}
      submit={say("forgot.submit")}
      sent={say("forgot.sent")}
      ask={api.requestLoginLetter}
    />
  );
}

export function ForgotPage({ serviceName }: Named) {
  return (
    <LetterPage
      serviceName={serviceName}
      title={say("forgot.title")}
      lead={say("forgot.lead")}
      submit={say("forgot.submit")}
      sent={say("forgot.sent")}
      ask={api.requestReset}
    />
  );
}

/** Behind the letter: a password is chosen, and the account is there. */
export function JoinPage({ serviceName, onIn }: Named & { readonly onIn: () => Promise<void> }) {
  const [code] = useState(takeCode);
  if (!code) return <SpentPage serviceName={serviceName} to="/sign-up" label={say("join.again")} />;
  return (
    <FormPage
      serviceName={serviceName}
      title={say("join.choose")}
      lead={say("join.choose_lead")}
      submit={say("join.enter")}
      onSubmit={async (form) => {
        const name = textOf(form, "profile_name");
        await api.completeSignUp(code, textOf(form, "new_password"), name);
        await onIn();
      }}
    >
      <label>
        {say("join.name")}
        <input name="profile_name" autocomplete="nickname" maxLength={64} />
      </label>
      <NewPasswordField label={say("login.password")} />
    </FormPage>
  );
}

export function ResetPage({ serviceName }: Named) {
  const [code] = useState(takeCode);
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <NotePage serviceName={serviceName} title={say("reset.done")} text={say("reset.done_lead")}>
        <PageLink to="/login" label={say("login.submit")} />
      </NotePage>
    );
  }
  if (!code) return <SpentPage serviceName={serviceName} to="/forgot" label={say("forgot.title")} />;
  return (
    <FormPage
      serviceName={serviceName}
      title={say("reset.title")}
      lead={say("reset.lead")}
      submit={say("reset.submit")}
      onSubmit={async (form) => {
        await api.completeReset(code, textOf(form, "new_password"));
        setDone(true);
      }}
    >
      <NewPasswordField label={say("password.new")} />
    </FormPage>
  );
}

interface Words {
  readonly title: StringKey;
  readonly lead: StringKey;
  readonly submit: StringKey;
  readonly done: StringKey;
  readonly doneLead: StringKey;
}

const TO_NEW: Words = {
  title: "email.title",
  lead: "email.lead",
  submit: "email.submit",
  done: "email.done",
  doneLead: "email.done_lead",
};

const TO_OLD: Words = {
  title: "email_back.title",
  lead: "email_back.lead",
  submit: "email_back.submit",
  done: "email_back.done",
  doneLead: "email_back.done_lead",
};

/** A link that changes the mail address: it is used when the person says so, not when it is opened. */
export function EmailPage({ serviceName, back }: Named & { readonly back: boolean }) {
  const [code] = useState(takeCode);
  const [done, setDone] = useState(false);
  const words = back ? TO_OLD : TO_NEW;
  if (done) {
    return (
      <NotePage
        serviceName={serviceName}
        title={say(words.done)}
        text={say(words.doneLead)}
      >
        <PageLink to={back ? "/login" : "/"} label={say("page.home")} />
      </NotePage>
    );
  }
  if (!code) return <SpentPage serviceName={serviceName} to="/" label={say("page.home")} />;
  return (
    <FormPage
      serviceName={serviceName}
      title={say(words.title)}
      lead={say(words.lead)}
      submit={say(words.submit)}
      onSubmit={async () => {
        await (back ? api.restoreEmail(code) : api.confirmEmail(code));
        setDone(true);
      }}
    />
  );
}

function SpentPage(props: Named & { readonly to: string; readonly label: string }) {
  const { serviceName, to, label } = props;
  return (
    <NotePage serviceName={serviceName} title={say("code.title")} text={say("code.lead")}>
      <PageLink to={to} label={label} />
    </NotePage>
  );
}

