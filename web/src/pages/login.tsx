import { api, type Service } from "../api.ts";
import { say } from "../language.ts";
import { EmailField, FormPage, PageLink, PasswordField, textOf } from "../parts/form.tsx";

interface LoginPageProps {
  readonly service: Service;
  /** Why the person is here again, such as a login link that was spent. */
  readonly complaint: string;
  readonly onIn: () => Promise<void>;
}

export function LoginPage({ service, complaint, onIn }: LoginPageProps) {
  return (
    <FormPage
      serviceName={service.name}
      title={say("login.title")}
      lead={say("login.lead")}
      submit={say("login.submit")}
      complaint={complaint}
      below={
        <>
          <PageLink to="/forgot" label={say("login.forgot")} />
          <PageLink to="/letter" label={say("login.letter")} />
          {service.sign_up === "open" && <PageLink to="/sign-up" label={say("join.title")} />}
        </>
      }
      onSubmit={async (form) => {
        await api.login(textOf(form, "email"), textOf(form, "password"));
        await onIn();
      }}
    >
      <EmailField />
      <PasswordField label={say("login.password")} />
    </FormPage>
  );
}
