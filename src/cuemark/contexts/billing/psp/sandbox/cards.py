"""The cards of the sandbox, by number: each behaves in one way, whatever is bought."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Behavior:
    """``asks`` says of what the owner is asked on a page (3-D Secure); a ``code`` is with which
    every payment is declined."""

    what: str
    asks: Literal["", "mandate", "payment"] = ""
    code: str = ""
    retryable: bool = True


CARDS: Mapping[str, Behavior] = {
    "4242424242424242": Behavior("pays"),
    "4000000000003220": Behavior("pays, once its owner has approved the card", asks="mandate"),
    "4000000000003063": Behavior("asks its owner at each payment", asks="payment"),
    "4000000000009995": Behavior("has no money", code="insufficient_funds"),
    "4000000000009979": Behavior("was stolen", code="stolen_card", retryable=False),
}
