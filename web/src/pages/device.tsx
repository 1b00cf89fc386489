// Letting a television in: its code is typed here, and what asks is shown before it is let in.

import { useState } from "preact/hooks";
import { api, type WaitingDevice } from "../api.ts";
import { say } from "../language.ts";
import { FormPage, NotePage, PageLink, textOf } from "../parts/form.tsx";

const SHOWN = "user_code";

export function DevicePage({ serviceName }: { readonly serviceName: string }) {
  const [device, setDevice] = useState<WaitingDevice>();
  const [answer, setAnswer] = useState<"allowed" | "denied">();
  const home = <PageLink to="/" label={say("page.home")} />;
  if (answer) {
    return (
      <NotePage
        serviceName={serviceName}
        title={say(answer === "allowed" ? "device.allowed" : "device.denied")}
        text={say(answer === "allowed" ? "device.allowed_lead" : "device.denied_lead")}
      >
        {home}
      </NotePage>
    );
  }
  if (device) {
    return (
      <FormPage
        serviceName={serviceName}
        title={say("device.ask", { device: device.device })}
        lead={say(device.network ? "device.ask_lead" : "device.ask_lead_nowhere", {
          network: device.network,
          code: device.user_code,
        })}
        submit={say("device.allow")}
        below={
          <button
            type="button"
            class="plain"
            onClick={() => {
              // That it is denied matters less than that nothing is allowed: the code runs out.
              void api.answerDevice(device.user_code, false).finally(() => setAnswer("denied"));
            }}
          >
            {say("device.deny")}
          </button>
        }
        onSubmit={async () => {
          await api.answerDevice(device.user_code, true);
          setAnswer("allowed");
        }}
      />
    );
  }
  return (
    <FormPage
      serviceName={serviceName}
      title={say("device.title")}
      lead={say("device.lead")}
      submit={say("device.next")}
      below={home}
      onSubmit={async (form) => setDevice(await api.lookUpDevice(textOf(form, SHOWN)))}
    >
      <label>
        {say("device.code")}
        <input
          class="code"
          name={SHOWN}
          autocomplete="one-time-code"
          autocapitalize="characters"
          spellcheck={false}
          maxLength={20}
          value={new URLSearchParams(location.search).get(SHOWN) ?? ""}
          required
          autofocus
        />
      </label>
    </FormPage>
  );
}
