// A member's own account: where it is open, how it is entered, and the way out.

import { useCallback, useEffect, useState } from "preact/hooks";
import { api, ApiError, type Finding, type Member, type OpenLogin, type Service } from "../api.ts";
import { complaintOf, isLoggedOut } from "../complaint.ts";
import { language, say } from "../language.ts";
import { NewPasswordField, PasswordField, textOf } from "../parts/form.tsx";
import { Mark } from "../parts/mark.tsx";
import { Part, PartForm } from "../parts/part.tsx";
import { follow } from "../route.ts";
import { Protection } from "./protection.tsx";

interface AccountPageProps {
  readonly service: Service;
  readonly member: Member;
  readonly onLogOut: () => void;
  readonly onLoggedOut: (complaint?: string) => void;
}

export function AccountPage({ service, member, onLogOut, onLoggedOut }: AccountPageProps) {
  return (
    <div class="account">
      <header class="bar">
        <a class="brand" href="/" onClick={follow}>
          <Mark />
          {service.name}
        </a>
        <button type="button" class="button quiet" onClick={onLogOut}>
          {say("login.out")}
        </button>
      </header>
      <main>
        <h1>{say("account.title")}</h1>
        <p class="lead">{member.email}</p>
        {service.payments.provider !== "none" && (
          <Part title="plan.title" lead="account.plan_lead">
            <a class="button" href="/plan" onClick={follow}>
              {say("plan.show")}
            </a>
          </Part>
        )}
        <Logins onLoggedOut={onLoggedOut} />
        <Shared />
        <Part title="history.title" lead="account.history_lead">
          <a class="button" href="/history" onClick={follow}>
            {say("account.history")}
          </a>
        </Part>
        <Part title="device.title" lead="account.device_lead">
          <a class="button" href="/device" onClick={follow}>
            {say("device.enter")}
          </a>
        </Part>
        <Protection onLoggedOut={onLoggedOut} />
        <Password />
        <Email />
        <Part title="account.export" lead="account.export_lead">
          <a class="button" href="/api/v1/account/export" download="account.json">
            {say("account.export_submit")}
          </a>
        </Part>
        <Deletion onLoggedOut={onLoggedOut} />
      </main>
    </div>
  );
}

/** Shown while the account looks as if it was used in another home, too. */
function Shared() {
  const [found, setFound] = useState<readonly Finding[]>([]);
  useEffect(() => {
    // Without it the page says nothing of this, as it does of most accounts.
    api.findings().then(
      ({ findings }) => setFound(findings),
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
      },
    );
  }, []);
  const holds = found.some(
    (each) =>
      each.kind === "sharing" && !each.forgiven_at && new Date(each.expires_at) > new Date(),
  );
  return holds ? <Part title="account.shared" lead="account.shared_lead">{null}</Part> : null;
}

const hour = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "long" });

function Logins({ onLoggedOut }: { readonly onLoggedOut: () => void }) {
  const [logins, setLogins] = useState<readonly OpenLogin[]>();
  const [complaint, setComplaint] = useState("");
  const attempt = useCallback(
    async (work: () => Promise<void>) => {
      try {
        await work();
        setLogins((await api.logins()).logins);
        setComplaint("");
      } catch (error) {
        if (isLoggedOut(error)) onLoggedOut();
        else setComplaint(complaintOf(error));
      }
    },
    [onLoggedOut],
  );
  useEffect(() => void attempt(async () => {}), [attempt]);
  const others = logins?.filter((login) => !login.is_this) ?? [];
  return (
    <Part title="account.logins" lead="account.logins_lead">
      <p class="complaint" role="alert">
        {complaint}
      </p>
      <ul class="logins" aria-busy={!logins}>
        {logins?.map((login) => (
          <li key={login.login_id}>
            <span>
              <strong>{login.device}</strong>
              <span class="soft">
                {login.is_this
                  ? say("account.this_login")
                  : say("account.seen", { when: hour.format(new Date(login.seen_at)) })}
                {login.network && ` · ${say("account.network", { network: login.network })}`}
              </span>
            </span>
            {!login.is_this && (
              <button
                type="button"
                class="button"
                aria-label={say("account.end_this", { device: login.device })}
                onClick={() => void attempt(() => api.endLogin(login.login_id))}
              >
                {say("account.end")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <button
          type="button"
          class="button"
          onClick={() => void attempt(() => api.endOtherLogins())}
        >
          {say("account.end_all")}
        </button>
      )}
    </Part>
  );
}

function Password() {
  return (
    <Part title="account.password" lead="account.password_lead">
      <PartForm
        submit="account.password_submit"
        send={async (form) => {
          await api.changePassword(textOf(form, "password"), textOf(form, "new_password"));
          return say("account.password_done");
        }}
      >
        <PasswordField label={say("password.old")} />
        <NewPasswordField label={say("password.new")} />
      </PartForm>
    </Part>
  );
}

function Email() {
  return (
    <Part title="account.email" lead="account.email_lead">
      <PartForm
        submit="account.email_submit"
        send={async (form) => {
          const email = textOf(form, "email").trim();
          const { delayed } = await api.changeEmail(email, textOf(form, "password"));
          const said = say("account.email_done", { email });
          return delayed ? `${said} ${say("letter.delayed")}` : said;
        }}
      >
        <label>
          {say("account.new_email")}
          <input name="email" type="email" autocomplete="email" required />
        </label>
        <PasswordField label={say("login.password")} />
      </PartForm>
    </Part>
  );
}

function Deletion({ onLoggedOut }: { readonly onLoggedOut: (complaint?: string) => void }) {
  return (
    <Part title="account.delete" lead="account.delete_lead">
      <PartForm
        submit="account.delete_submit"
        danger
        send={async (form) => {
          const { erased_at } = await api.deleteAccount(textOf(form, "password"));
          const when = day.format(new Date(erased_at));
          onLoggedOut(say("account.delete_done", { when }));
          return "";
        }}
      >
        <PasswordField label={say("login.password")} />
      </PartForm>
    </Part>
  );
}
