// The plans that are on sale where a member lives, and what a change to one of them costs.

import { useState } from "preact/hooks";
import { api, type InvoicePreview, type Plan, type Subscription } from "../../api.ts";
import { language, say } from "../../language.ts";
import { amountText, countries } from "../../money.ts";
import { Part } from "../../parts/part.tsx";
import { dayText } from "./running.tsx";
import { useAct } from "./use-act.ts";

const COUNTRIES = countries(language);

export function Offers(props: {
  readonly plans: readonly Plan[];
  readonly subscription: Subscription | undefined;
  readonly territory: string;
  readonly onTerritory: (territory: string) => void;
  readonly onChoose: (plan: Plan) => void;
  readonly onChanged: () => Promise<void>;
}) {
  const { plans, subscription, territory } = props;
  const [change, setChange] = useState<{ readonly plan: Plan; readonly costs: InvoicePreview }>();
  const { busy, complaint, act } = useAct(props.onChanged);
  const changeable = subscription?.state === "active" || subscription?.state === "trialing";
  const planned = subscription?.next_plan_id || subscription?.plan_id;
  async function consider(plan: Plan) {
    const costs = await api.preview(plan.plan_id);
    setChange({ plan, costs });
  }
  return (
    <Part title="plan.offers">
      {!subscription && (
        <label class="territory">
          {say("plan.territory")}
          <select value={territory} onChange={(event) => props.onTerritory(event.currentTarget.value)}>
            <option value="">{say("plan.territory_none")}</option>
            {COUNTRIES.map(({ code, name }) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {plans.length === 0 && <p class="soft">{say("plan.none")}</p>}
      <ul class="plans">
        {plans.map((plan) => (
          <li key={plan.plan_id}>
            <Offer plan={plan} />
            {plan.plan_id === planned ? (
              <span class="soft">{say("plan.this")}</span>
            ) : (
              (!subscription || changeable) && (
                <button
                  type="button"
                  class="button"
                  disabled={busy}
                  aria-label={say("plan.choose_this", { plan: plan.name })}
                  onClick={() =>
                    subscription ? void act(() => consider(plan)) : props.onChoose(plan)
                  }
                >
                  {say("plan.choose")}
                </button>
              )
            )}
          </li>
        ))}
      </ul>
      <p class="complaint" role="alert">
        {complaint}
      </p>
      {change && (
        <Costs
          plan={change.plan}
          costs={change.costs}
          busy={busy}
          onBack={() => setChange(undefined)}
          onTake={() =>
            void act(async () => {
              await api.changePlan(change.plan.plan_id);
              setChange(undefined);
            })
          }
        />
      )}
    </Part>
  );
}

function Offer({ plan }: { readonly plan: Plan }) {
  const price = plan.prices[0]?.money;
  const { max_height, streams, ads } = plan.allowance;
  const every = plan.interval === "year" ? "plan.per_year" : "plan.per_month";
  const facts = [
    max_height ? say("plan.height", { lines: max_height }) : say("plan.height_any"),
    streams === 1 ? say("plan.stream") : say("plan.streams", { streams }),
    ...(ads ? [say("plan.ads")] : []),
    ...(plan.trial_days ? [say("plan.trial", { days: plan.trial_days })] : []),
  ];
  return (
    <div>
      <strong>{plan.name}</strong>
      {price && (
        <p>{say(every, { price: amountText(price.amount_minor, price.currency, language) })}</p>
      )}
      <p class="soft">{facts.join(" · ")}</p>
    </div>
  );
}

/** What a change of plan costs, line by line, before it is made. */
function Costs(props: {
  readonly plan: Plan;
  readonly costs: InvoicePreview;
  readonly busy: boolean;
  readonly onBack: () => void;
  readonly onTake: () => void;
}) {
  const { costs } = props;
  const amount = amountText(costs.total_minor, costs.currency, language);
  return (
    <div class="costs" role="group" aria-label={say("plan.costs", { plan: props.plan.name })}>
      <ul>
        {costs.lines.map((line) => (
          <li key={line.text}>
            <span>{line.text}</span>
            <span>{amountText(line.amount_minor, costs.currency, language)}</span>
          </li>
        ))}
      </ul>
      <p>
        {costs.at_once || !costs.due_at
          ? say("plan.now", { amount })
          : say("next.on", { amount, day: dayText(costs.due_at) })}
      </p>
      <div class="choices">
        <button type="button" class="button primary" disabled={props.busy} onClick={props.onTake}>
          {say("plan.take")}
        </button>
        <button type="button" class="button" disabled={props.busy} onClick={props.onBack}>
          {say("plan.keep")}
        </button>
      </div>
    </div>
  );
}
