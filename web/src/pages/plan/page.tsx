// What a member pays for: the plans, how they pay, what is charged next, and what was.

import { useCallback, useEffect, useState } from "preact/hooks";
import { type Plan, type Service } from "../../api.ts";
import { say, territory as home } from "../../language.ts";
import { Mark } from "../../parts/mark.tsx";
import { Part } from "../../parts/part.tsx";
import { follow } from "../../route.ts";
import { Invoices } from "./invoices.tsx";
import { CardForm, OrderForm } from "./paying.tsx";
import { Offers } from "./offers.tsx";
import { Running } from "./running.tsx";
import { isRunning, useStanding, type Standing } from "./use-standing.ts";

interface PlanPageProps {
  readonly service: Service;
  readonly onLoggedOut: () => void;
}

export function PlanPage({ service, onLoggedOut }: PlanPageProps) {
  const [territory, setTerritory] = useState(home);
  const { standing, complaint, refresh } = useStanding(territory, onLoggedOut);
  return (
    <div class="account">
      <header class="bar">
        <a class="brand" href="/" onClick={follow}>
          <Mark />
          {service.name}
        </a>
        <a class="button quiet" href="/account" onClick={follow}>
          {say("account.title")}
        </a>
      </header>
      <main aria-busy={!standing && !complaint}>
        <h1>{say("plan.title")}</h1>
        <p class="complaint" role="alert">
          {complaint}
        </p>
        {standing && (
          <Known
            standing={standing}
            service={service}
            territory={territory}
            onTerritory={setTerritory}
            onChanged={refresh}
          />
        )}
      </main>
    </div>
  );
}

function Known(props: {
  readonly standing: Standing;
  readonly service: Service;
  readonly territory: string;
  readonly onTerritory: (territory: string) => void;
  readonly onChanged: () => Promise<void>;
}) {
  const { standing, service, onChanged } = props;
  const { subscription } = standing;
  const { provider } = service.payments;
  const [wanted, setWanted] = useState<Plan>();
  const [ordered, setOrdered] = useState(false);
  const choose = useCallback((plan: Plan | undefined) => {
    setWanted(plan);
    setOrdered(false);
  }, []);
  const running = isRunning(subscription);
  const settled = running && subscription.state !== "incomplete";
  useEffect(() => {
    if (settled) choose(undefined);
  }, [settled, choose]);
  const declined = ordered && subscription?.state === "ended";
  return (
    <>
      {running && (
        <Running subscription={subscription} next={standing.next} onChanged={onChanged} />
      )}
      {subscription?.state === "ended" && <p role="status">{say("plan.ended")}</p>}
      {!running && wanted && (
        <OrderForm
          plan={wanted}
          territory={props.territory}
          provider={provider}
          complaint={declined ? say("declined.first") : ""}
          onBack={() => choose(undefined)}
          onOrder={() => setOrdered(true)}
          onDone={onChanged}
        />
      )}
      {(running || !wanted) && (
        <Offers
          plans={standing.plans}
          subscription={running ? subscription : undefined}
          territory={props.territory}
          onTerritory={props.onTerritory}
          onChoose={choose}
          onChanged={onChanged}
        />
      )}
      {running && provider !== "none" && (
        <Part title="card.title" lead={provider === "debit" ? "debit.another" : "card.another"}>
          <CardForm provider={provider} onDone={onChanged} />
        </Part>
      )}
      {standing.invoices.length > 0 && <Invoices invoices={standing.invoices} />}
    </>
  );
}
