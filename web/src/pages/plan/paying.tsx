// How a member pays: a card of the sandbox, or what is named on a page of the bank or of Stripe.

import { api, type Plan, type Provider, type Subscription } from "../../api.ts";
import { say } from "../../language.ts";
import { textOf, useSubmit } from "../../parts/form.tsx";
import { Part } from "../../parts/part.tsx";

/** What stands for a token where its owner names what pays on a page of the provider's. */
const NAMED_THERE: Readonly<Partial<Record<Provider, string>>> = { debit: "bank", stripe: "page" };

/** The token of what pays. A test card's number is the one thing of it that is ever asked for. */
async function tokenOf(provider: Provider, form: FormData): Promise<string> {
  return NAMED_THERE[provider] ?? (await api.testCard(textOf(form, "number"))).token;
}

/** A first subscription, or another after one has ended. */
export function OrderForm(props: {
  readonly plan: Plan;
  readonly territory: string;
  readonly provider: Provider;
  /** What came of the last order, which may have been told long after it was placed. */
  readonly complaint: string;
  readonly onBack: () => void;
  readonly onOrder: () => void;
  readonly onDone: () => Promise<void>;
}) {
  const { plan, territory, provider } = props;
  const { busy, refused, submit } = useSubmit(async (form) => {
    const card = await tokenOf(provider, form);
    const coupon = textOf(form, "coupon").trim().toUpperCase();
    const found = await api.subscribe({ plan_id: plan.plan_id, territory, card, coupon });
    if (leadAway(found)) return;
    props.onOrder();
    await props.onDone();
  });
  return (
    <Part title="plan.order">
      <form class="login-form" onSubmit={(event) => void submit(event)}>
        <p>
          <strong>{plan.name}</strong>
        </p>
        <Means provider={provider} />
        <label>
          {say("plan.coupon")}
          <input name="coupon" autocomplete="off" maxLength={32} />
        </label>
        <p class="complaint" role="alert">
          {busy ? "" : refused || props.complaint}
        </p>
        <button class="button primary" type="submit" disabled={busy}>
          {busy ? say("form.busy") : say("plan.subscribe")}
        </button>
        <button class="button" type="button" disabled={busy} onClick={props.onBack}>
          {say("plan.back")}
        </button>
      </form>
    </Part>
  );
}

/** Another card, which also pays what is open. */
export function CardForm(props: {
  readonly provider: Provider;
  readonly onDone: () => Promise<void>;
}) {
  const { provider } = props;
  const { busy, refused, submit } = useSubmit(async (form) => {
    if (leadAway(await api.replaceCard(await tokenOf(provider, form)))) return;
    await props.onDone();
  });
  return (
    <form
      class="login-form"
      onSubmit={(event) => {
        const form = event.currentTarget;
        void submit(event).then(() => form.reset());
      }}
    >
      <Means provider={provider} />
      <p class="complaint" role="alert">
        {refused}
      </p>
      <button class="button" type="submit" disabled={busy}>
        {busy ? say("form.busy") : say("card.use")}
      </button>
    </form>
  );
}

function Means({ provider }: { readonly provider: Provider }) {
  if (provider === "debit") return <p class="soft">{say("debit.lead")}</p>;
  if (provider === "stripe") return <p class="soft">{say("stripe.lead")}</p>;
  return (
    <label>
      {say("card.number")}
      <input name="number" inputMode="numeric" autocomplete="off" maxLength={24} required />
      <span class="rule">{say("card.rule")}</span>
    </label>
  );
}

/** Whether the member is being led to a page of their bank. */
function leadAway(found: Subscription): boolean {
  if (!found.action_url) return false;
  location.assign(found.action_url);
  return true;
}
