"""What a version is held to before it is published, and what follows from a finding."""

from typing import Literal

import msgspec

Check = Literal[
    "structure",
    "protection",
    "continuity",
    "idr",
    "trick_play",
    "alignment",
    "manifests",
    "bandwidth",
    "decrypt",
    "frames",
    "duration",
    "black",
    "freeze",
    "picture",
    "color",
    "interlace",
    "cadence",
    "photosensitivity",
    "av_offset",
    "mute",
    "loudness",
    "clipping",
    "caption_language",
]
"""What a version is held to before it is published."""

Severity = Literal["error", "warning"]
"""An ``error`` is what a version has and its master has not; a ``warning`` is the master's own, or
a matter of taste."""

Action = Literal["block", "warn", "ignore"]
"""``block``: the version is not published. ``warn``: its report says so. ``ignore``: nothing."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an install does about the errors and the warnings of one check; None for the default."""

    error: Action | None = None
    warning: Action | None = None


PolicyChanges = dict[Check, Action | Rule]
"""By check; an action alone is for its errors."""


class ValidationFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found in a version before it was published, in a sentence.

    ``check`` and ``severity`` are words of ``Check`` and ``Severity``; ``action`` is what the
    policy of the install did about it.
    """

    check: str
    severity: str
    action: str
    text: str
