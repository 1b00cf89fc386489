"""The life of a subscription, as a table: in a state, on an event, into a state, with effects.

What is not in the table does not happen: a member who asks for it is refused, and an event of the
clock or of a payment that is late is passed over. The table is drawn in
docs/explanation/billing.md, and a test holds the drawing to it.
"""

from collections.abc import Mapping
from typing import Literal

from cuemark.contracts.billing.subscriptions import State

Event = Literal[
    "trial_ready",
    "card_ready",
    "period_over",
    "paid",
    "declined",
    "given_up",
    "cancel",
    "pause",
    "resume",
    "charged_back",
]
Effect = Literal["grant_trial", "issue", "grant", "void", "give_back", "revoke_all"]
"""``issue`` an invoice for a period that begins; ``grant`` what was paid for; ``void`` the open
invoice with the grace that it gave; ``give_back`` what was paid for nothing."""

Step = tuple[State, tuple[Effect, ...]]

TABLE: Mapping[tuple[State, Event], Step] = {
    ("incomplete", "trial_ready"): ("trialing", ("grant_trial",)),
    ("incomplete", "card_ready"): ("incomplete", ("issue",)),
    ("incomplete", "paid"): ("active", ("grant",)),
    ("incomplete", "given_up"): ("ended", ("void",)),
    ("incomplete", "cancel"): ("ended", ("void",)),
    ("trialing", "period_over"): ("active", ("issue",)),
    ("trialing", "cancel"): ("ended", ()),
    ("active", "period_over"): ("active", ("issue",)),
    ("active", "paid"): ("active", ("grant",)),
    ("active", "declined"): ("past_due", ()),
    ("active", "given_up"): ("ended", ("void",)),
    ("active", "cancel"): ("canceled", ()),
    ("active", "pause"): ("pausing", ()),
    ("active", "charged_back"): ("ended", ("void", "revoke_all")),
    ("past_due", "paid"): ("active", ("grant",)),
    ("past_due", "declined"): ("past_due", ()),
    ("past_due", "given_up"): ("ended", ("void",)),
    ("past_due", "cancel"): ("ended", ("void",)),
    ("past_due", "charged_back"): ("ended", ("void", "revoke_all")),
    ("pausing", "period_over"): ("paused", ()),
    ("pausing", "paid"): ("pausing", ("grant",)),
    ("pausing", "declined"): ("paused", ("void",)),
    ("pausing", "given_up"): ("paused", ("void",)),
    ("pausing", "cancel"): ("canceled", ()),
    ("pausing", "resume"): ("active", ()),
    ("pausing", "charged_back"): ("ended", ("void", "revoke_all")),
    ("paused", "resume"): ("paused", ("issue",)),
    ("paused", "paid"): ("active", ("grant",)),
    ("paused", "declined"): ("paused", ("void",)),
    ("paused", "given_up"): ("paused", ("void",)),
    ("paused", "cancel"): ("ended", ("void",)),
    ("paused", "charged_back"): ("ended", ("void", "revoke_all")),
    ("canceled", "period_over"): ("ended", ()),
    ("canceled", "paid"): ("canceled", ("grant",)),
    ("canceled", "declined"): ("ended", ("void",)),
    ("canceled", "given_up"): ("ended", ("void",)),
    ("canceled", "resume"): ("active", ()),
    ("canceled", "charged_back"): ("ended", ("void", "revoke_all")),
    ("ended", "paid"): ("ended", ("give_back",)),
    ("ended", "declined"): ("ended", ("void",)),
    ("ended", "given_up"): ("ended", ("void",)),
    ("ended", "charged_back"): ("ended", ("revoke_all",)),
}


def step(state: State, event: Event) -> Step | None:
    """What an event makes of a state; None where it makes nothing of it."""
    return TABLE.get((state, event))
