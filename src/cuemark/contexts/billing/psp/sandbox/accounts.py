"""Accounts at banks that the sandbox collects from, by IBAN: each behaves in one way.

A direct debit takes days: the bank says after ``after_days`` whether it pays, and whoever paid may
have it back for weeks.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Conduct:
    """A ``code`` is with which the bank refuses in the end; so many days after the payment
    (``returned_after_days``, 0 for never) its owner has the money back."""

    what: str
    after_days: int = 3
    code: str = ""
    retryable: bool = True
    returned_after_days: int = 0


ACCOUNTS: Mapping[str, Conduct] = {
    "DE89370400440532013000": Conduct("pays after three days"),
    "DE62370400440532013001": Conduct(
        "has no money, as its bank says after five days", after_days=5, code="insufficient_funds"
    ),
    "DE35370400440532013002": Conduct("is closed", code="closed_account", retryable=False),
    "DE08370400440532013003": Conduct(
        "pays after three days, and has it back after thirty", returned_after_days=30
    ),
}
