"""What an experiment may set: each setting with what it is where nobody sets it, and its bounds.

``player.*`` is obeyed by the member page (``web/src/player/configuration.ts``), in the words of
Shaka Player's configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Value = bool | float | str


@dataclass(frozen=True)
class Amount:
    """A number from ``least`` to ``most``."""

    default: float
    least: float
    most: float
    what: str


@dataclass(frozen=True)
class Switch:
    """On or off."""

    default: bool
    what: str


SETTINGS: Final[Mapping[str, Amount | Switch]] = {
    "player.bandwidth_downgrade_target": Amount(
        0.95, 0.5, 1.0, "What part of the measured bandwidth a picture may take before it is left."
    ),
    "player.buffering_goal_s": Amount(
        24.0, 4.0, 120.0, "How much of the film the player fetches ahead, in seconds."
    ),
    "player.default_bandwidth_kbps": Amount(
        2000.0, 100.0, 100_000.0, "What bandwidth is assumed before one is measured."
    ),
    "player.use_network_information": Switch(
        True, "Whether what the browser knows of its network comes before that assumption."
    ),
}


def defaults() -> dict[str, Value]:
    """Each setting as it is where no experiment sets it."""
    return {name: setting.default for name, setting in SETTINGS.items()}
