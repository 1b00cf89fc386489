"""When a renewal is tried again whose payment was declined, and when it is given up."""

from datetime import datetime, timedelta

PAUSES_DAYS = (1, 2, 4, 5)
"""Days from each declined attempt to the next one."""
GIVEN_UP_AFTER = timedelta(days=14)
"""From the invoice on. For as long a member who was subscribed goes on watching."""
FIRST_WITHIN = timedelta(days=1)
"""From an invoice on that opens nothing before it is paid; it has one attempt for each card."""
MOST_ATTEMPTS = 20
"""Of one invoice, those with a new card included."""


def next_attempt_at(declined: int, declined_at: datetime, *, retryable: bool) -> datetime | None:
    """When to try again after so many declined attempts of which this was the last; None: not by
    ourselves, since the card's bank says that it is no use or there were enough."""
    if not retryable or declined > len(PAUSES_DAYS):
        return None
    return declined_at + timedelta(days=PAUSES_DAYS[declined - 1])
