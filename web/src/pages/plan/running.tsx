// The subscription as it stands, what is charged next, and what can be done about it.

import { api, type InvoicePreview, type Subscription } from "../../api.ts";
import { language, say } from "../../language.ts";
import { amountText } from "../../money.ts";
import { Part } from "../../parts/part.tsx";
import type { StringKey } from "../../strings.ts";
import { useAct } from "./use-act.ts";

const day = new Intl.DateTimeFormat(language, { dateStyle: "long" });

export const dayText = (moment: string): string => day.format(new Date(moment));

type Change = "cancel" | "pause" | "resume";

const STATES: Readonly<Record<Subscription["state"], StringKey>> = {
  incomplete: "state.incomplete",
  trialing: "state.trialing",
  active: "state.active",
  past_due: "state.past_due",
  pausing: "state.pausing",
  paused: "state.paused",
  canceled: "state.canceled",
  ended: "plan.ended",
};

const CHANGES: Readonly<Record<Subscription["state"], readonly Change[]>> = {
  incomplete: ["cancel"],
  trialing: ["cancel"],
  active: ["pause", "cancel"],
  past_due: ["cancel"],
  pausing: ["resume", "cancel"],
  paused: ["resume", "cancel"],
  canceled: ["resume"],
  ended: [],
};

const LABELS: Readonly<Record<Change, StringKey>> = {
  cancel: "plan.cancel",
  pause: "plan.pause",
  resume: "plan.resume",
};

const DECLINES: Readonly<Record<string, StringKey>> = {
  insufficient_funds: "declined.insufficient_funds",
  stolen_card: "declined.stolen_card",
  closed_account: "declined.closed_account",
  authentication_failed: "declined.authentication_failed",
  expired: "declined.expired",
};

export function Running(props: {
  readonly subscription: Subscription;
  readonly next: InvoicePreview | undefined;
  readonly onChanged: () => Promise<void>;
}) {
  const { subscription, next, onChanged } = props;
  const { busy, complaint, act } = useAct(onChanged);
  const { state, action_url, decline_code } = subscription;
  const reason = DECLINES[decline_code] ?? "declined.other";
  return (
    <Part title="plan.yours">
      <p class="plan-name">
        <strong>{subscription.plan_name}</strong>{" "}
        <span class="soft">
          {amountText(subscription.price.amount_minor, subscription.price.currency, language)}
        </span>
      </p>
      <p role="status" data-state={state}>
        {say(STATES[state], { day: dayText(subscription.period_ends_at) })}
      </p>
      {decline_code && !action_url && (
        <p class="complaint" role="alert">
          {say(reason, { code: decline_code })}
        </p>
      )}
      {action_url && (
        <>
          <p>{say("plan.action")}</p>
          <a class="button primary" href={action_url}>
            {say("plan.approve")}
          </a>
        </>
      )}
      {next && <Next next={next} />}
      <p class="complaint" role="alert">
        {complaint}
      </p>
      <div class="choices">
        {CHANGES[state].map((change) => (
          <button
            key={change}
            type="button"
            class={change === "cancel" ? "button danger" : "button"}
            disabled={busy}
            onClick={() => void act(() => api.changeSubscription(change))}
          >
            {say(LABELS[change])}
          </button>
        ))}
      </div>
    </Part>
  );
}

/** What is charged next and when. */
function Next({ next }: { readonly next: InvoicePreview }) {
  if (next.lines.length === 0) return <p class="soft">{say("next.nothing")}</p>;
  const amount = amountText(next.total_minor, next.currency, language);
  return (
    <p class="soft">
      {next.due_at
        ? say("next.on", { amount, day: dayText(next.due_at) })
        : say("next.open", { amount })}
    </p>
  );
}
