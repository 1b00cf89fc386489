"""How a challenge and its policy are told to a licence server, and what it answers.

Each dialect is what a vendor has published of its server's protocol; the challenge itself, and the
licence, only the DRM system's own client and server can read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cuemark.contexts.licensing.model.policy import LicencePolicy
from cuemark.contracts.ids import VersionId
from cuemark.contracts.protection import System

MAX_HEADER_BYTES = 16 << 10
"""More than that in one header few servers take."""


class NoLicence(Exception):
    """The server cannot be asked, or its answer has no licence; the text says in half a sentence
    why."""


@dataclass(frozen=True)
class Challenge:
    """What a device asks by ``system`` for a play of ``version_id``, with what it may have of it.

    ``keys`` are those of the policy, opened, in its order: 16 bytes each.
    """

    system: System
    version_id: VersionId
    body: bytes = field(repr=False)
    policy: LicencePolicy
    keys: Sequence[bytes] = field(repr=False)
    now: datetime


@dataclass(frozen=True)
class Question:
    """``headers`` go over those with which the challenge came."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Dialect:
    """``ask`` makes a question of a challenge, or raises ``NoLicence``.

    ``read`` brings the licence out of an answer, or raises ``NoLicence``; without it the answer is
    the licence. With ``needs_keys`` the question holds the content keys.
    """

    ask: Callable[[Challenge], Question]
    read: Callable[[bytes], bytes] | None = None
    needs_keys: bool = False
