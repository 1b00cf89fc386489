import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { complaintOf } from "../complaint.ts";
import { say } from "../language.ts";
import { Mark } from "../parts/mark.tsx";

interface LoginPageProps {
  readonly serviceName: string;
  /** Why the person is here again, such as a login link that was spent. */
  readonly complaint: string;
  readonly onIn: () => Promise<void>;
}

export function LoginPage({ serviceName, complaint, onIn }: LoginPageProps) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  const said = refused ?? complaint;

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setRefused("");
    try {
      await api.login(String(form.get("email")), String(form.get("password")));
      await onIn();
    } catch (error) {
      setRefused(complaintOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="login">
      <form class="login-form" onSubmit={submit} aria-labelledby="login-title">
        <p class="brand">
          <Mark />
          {serviceName}
        </p>
        <h1 id="login-title">{say("login.title")}</h1>
        <p class="lead">{say("login.lead")}</p>
        <label>
          {say("login.email")}
          <input name="email" type="email" autocomplete="username" required autofocus />
        </label>
        <label>
          {say("login.password")}
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="complaint" role="alert">
          {said}
        </p>
        <button class="button primary" type="submit" disabled={busy}>
          {say(busy ? "login.busy" : "login.submit")}
        </button>
      </form>
    </main>
  );
}
