// What a member has, owes and could have: asked for anew after each act, and while a bank is waited for.

import { useCallback, useEffect, useState } from "preact/hooks";
import {
  api,
  ApiError,
  type Invoice,
  type InvoicePreview,
  type Plan,
  type Subscription,
} from "../../api.ts";
import { complaintOf, isLoggedOut } from "../../complaint.ts";

export interface Standing {
  /** The last one may have ended; undefined where there never was one. */
  readonly subscription: Subscription | undefined;
  readonly next: InvoicePreview | undefined;
  readonly plans: readonly Plan[];
  readonly invoices: readonly Invoice[];
}

const POLL_MS = 2000;

export function isRunning(subscription: Subscription | undefined): subscription is Subscription {
  return subscription !== undefined && subscription.state !== "ended";
}

/** Whether something is on its way of which nobody here will be told. */
function isUnderway({ subscription }: Standing): boolean {
  if (!isRunning(subscription)) return false;
  return subscription.state === "incomplete" || ["pending", "action"].includes(subscription.card);
}

async function ask(territory: string): Promise<Standing> {
  const subscription = await api.subscription().catch((error: unknown) => {
    if (error instanceof ApiError && error.code === "not_subscribed") return undefined;
    throw error;
  });
  const running = isRunning(subscription);
  const [{ plans }, { invoices }, next] = await Promise.all([
    api.plans(running ? subscription.territory : territory),
    api.invoices(),
    running ? api.preview() : undefined,
  ]);
  return { subscription, next, plans: territory || running ? plans : [], invoices };
}

export function useStanding(territory: string, onLoggedOut: () => void) {
  const [standing, setStanding] = useState<Standing>();
  const [complaint, setComplaint] = useState("");
  const refresh = useCallback(async () => {
    try {
      setStanding(await ask(territory));
      setComplaint("");
    } catch (error) {
      if (isLoggedOut(error)) onLoggedOut();
      else setComplaint(complaintOf(error));
    }
  }, [territory, onLoggedOut]);
  useEffect(() => void refresh(), [refresh]);
  const underway = standing !== undefined && isUnderway(standing);
  useEffect(() => {
    if (!underway) return;
    const timer = setInterval(() => void refresh(), POLL_MS);
    return () => clearInterval(timer);
  }, [underway, refresh]);
  return { standing, complaint, refresh };
}
