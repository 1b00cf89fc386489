"""What a licence of a DRM system lets a device do: for how long, on which outputs, kept or not.

The operator's ``Terms`` hold for all licences; what one play gets of them never outlasts the play
or its right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cuemark.contexts.licensing.model.keys import WrappedKey
from cuemark.contracts.protection import LEVELS, Demands, Hdcp, Label, Robustness


@dataclass(frozen=True)
class Terms:
    """``licence_s`` is how long a licence lasts, 0 as long as its play may; ``playback_s`` how long
    it lasts from its first use on, 0 without such a bound. With ``renew_after_s`` above 0 devices
    ask again after so long, every ``renew_retry_s`` until they are answered, and may go on for
    ``renew_grace_s`` meanwhile. ``outputs`` has the least HDCP for keys of a label.
    """

    licence_s: int = 0
    playback_s: int = 0
    persistent: bool = False
    renew_after_s: int = 0
    renew_retry_s: int = 30
    renew_grace_s: int = 300
    outputs: Mapping[Label, Hdcp] = field(default_factory=dict)


@dataclass(frozen=True)
class Renewal:
    """All in seconds; ``after_s`` and ``grace_s`` together are at most the licence's duration."""

    after_s: int
    retry_s: int
    grace_s: int


@dataclass(frozen=True)
class KeyPolicy:
    """What a key (``kid`` in hex) demands; without ``hdcp`` any output is good enough."""

    kid: str
    label: str
    robustness: Robustness
    hdcp: Hdcp | None


@dataclass(frozen=True)
class LicencePolicy:
    """A licence that lasts ``licence_s`` (1 at least) from now, and until ``ends_at`` at most;
    ``playback_s`` from its first use on, where that is not 0."""

    licence_s: int
    playback_s: int
    ends_at: datetime
    persistent: bool
    renewal: Renewal | None
    keys: tuple[KeyPolicy, ...]


def policy_of(
    terms: Terms,
    keys: Sequence[WrappedKey],
    demands: Demands,
    *,
    ends_at: datetime,
    now: datetime,
) -> LicencePolicy:
    """The policy of a licence for ``keys`` that is asked for ``now``, before ``ends_at``."""
    left_s = max(1, int((ends_at - now).total_seconds()))
    licence_s = min(terms.licence_s or left_s, left_s)
    renewal = None
    if 0 < terms.renew_after_s < licence_s:
        grace_s = min(terms.renew_grace_s, licence_s - terms.renew_after_s)
        renewal = Renewal(terms.renew_after_s, terms.renew_retry_s, grace_s)
    levels: Mapping[str, Robustness] = dict(demands.items())
    outputs: Mapping[str, Hdcp] = dict(terms.outputs.items())
    return LicencePolicy(
        licence_s=licence_s,
        playback_s=min(terms.playback_s, licence_s),
        ends_at=ends_at,
        persistent=terms.persistent,
        renewal=renewal,
        keys=tuple(
            KeyPolicy(key.kid, key.label, levels.get(key.label, LEVELS[0]), outputs.get(key.label))
            for key in keys
        ),
    )
