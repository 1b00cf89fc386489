"""What an account may do: a function of its ledger and the clock, and of nothing else."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from cuemark.contexts.billing.model.ledger import EVERYTHING, Access, Entry
from cuemark.contracts.billing.subscriptions import Entitlement
from cuemark.contracts.ids import AccountId

LONGEST = timedelta(days=800)
"""Nothing that was opened longer ago is open still: the longest period is a year."""


def entitlement(account_id: AccountId, entries: Iterable[Entry], now: datetime) -> Entitlement:
    """By the entries of an account, in the order of the ledger.

    Of each source the last entry counts. Of several sources that are open now the one counts that
    was opened last: an upgrade over the plan that it replaced.
    """
    last: dict[str, Access] = {}
    for entry in entries:
        if entry.account_id == account_id and entry.access is not None:
            if entry.access.source == EVERYTHING:
                last.clear()
            last.pop(entry.access.source, None)
            last[entry.access.source] = entry.access
    found = [each for each in last.values() if each.since <= now < each.until]
    if not found:
        return Entitlement(account_id=account_id, entitled=False, at=now, until=now)
    best = found[-1]
    return Entitlement(
        account_id=account_id,
        entitled=True,
        at=now,
        until=best.until,
        plan_id=best.plan_id,
        allowance=best.allowance,
    )
