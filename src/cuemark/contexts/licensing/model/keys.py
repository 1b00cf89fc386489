"""Who may have which key, and how a key is kept.

A content key is stored under the master key with AES Key Wrap (RFC 3394), which also detects a
wrong master key or a changed row.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from cuemark.contracts.ids import PLAY_SESSION_KIND, AccountId, PlaySessionId, VersionId
from cuemark.contracts.licensing import LicenceInvalid, LicenceRefused
from cuemark.contracts.protection import KeySignal
from cuemark.kit.ids import is_id

MASTER_KEY_BYTES = 32
MAX_KIDS = 32
MAX_LABELS = 16

_KID = re.compile(r"[0-9a-f]{32}")
_HEADER = re.compile(r"[\x20-\x7e]{0,200}")
_LABEL = re.compile(r"[A-Z][A-Z0-9]{0,15}")


class WrongMasterKey(Exception):
    """A stored key does not open: another master key wrapped it, or its row was changed."""


@dataclass(frozen=True)
class MasterKey:
    """Wraps content keys. 32 bytes, so AES-256."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {len(self.secret)} bytes, not 32")

    def wrap(self, key: bytes) -> bytes:
        return aes_key_wrap(self.secret, key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The key inside ``wrapped``; raises ``WrongMasterKey``."""
        try:
            return aes_key_unwrap(self.secret, wrapped)
        except InvalidUnwrap as error:
            raise WrongMasterKey from error


@dataclass(frozen=True)
class WrappedKey:
    """A content key as it is stored; ``kid`` and ``iv`` (the constant IV of cbcs) are hex.

    ``signals`` are those that the key server gave, if the key is one of its.
    """

    label: str
    kid: str
    wrapped: bytes = field(repr=False)
    iv: str
    signals: tuple[KeySignal, ...] = ()


@dataclass(frozen=True)
class LicenceSession:
    """What a playback session was granted."""

    session_id: PlaySessionId
    account_id: AccountId
    version_id: VersionId
    expires_at: datetime
    closed: bool


def make_key(label: str, master: MasterKey, kid: str = "") -> WrappedKey:
    """A fresh key for ``label``, from the system's randomness, as is its id unless one is given."""
    return WrappedKey(
        label,
        kid or secrets.token_hex(16),
        master.wrap(secrets.token_bytes(16)),
        secrets.token_hex(16),
    )


def labels_of(requested: Sequence[str]) -> list[str]:
    """The labels once each and sorted, so that two callers lock their rows in one order."""
    labels = sorted(set(requested))
    if not 1 <= len(labels) <= MAX_LABELS or not all(_LABEL.fullmatch(label) for label in labels):
        raise LicenceInvalid(f"Ask for 1 to {MAX_LABELS} labels such as SD, HD or AUDIO.")
    return labels


def kids_of(requested: Sequence[str]) -> list[str]:
    """The key ids once each, in lower-case hex, in the order asked."""
    kids = list(dict.fromkeys(kid.lower() for kid in requested))
    if not 1 <= len(kids) <= MAX_KIDS or not all(_KID.fullmatch(kid) for kid in kids):
        raise LicenceInvalid(f"Ask for 1 to {MAX_KIDS} key ids, each of 16 bytes.")
    return kids


def is_session_id(text: str) -> bool:
    """Whether ``text`` has the form of a playback session's id, so that it can be looked up."""
    return is_id(text, PLAY_SESSION_KIND)


def admit(session: LicenceSession | None, account_id: AccountId, now: datetime) -> LicenceSession:
    """The session, where it may have keys now.

    Another account's session is refused in the words of one that does not exist, so that the
    answer tells nobody which sessions there are.
    """
    if session is None or session.account_id != account_id:
        raise LicenceRefused("This account has no such playback session.")
    if session.closed:
        raise LicenceRefused("This playback session has ended: start the title again.")
    if session.expires_at <= now:
        raise LicenceRefused(
            "The licences of this playback session ran out: start the title again."
        )
    return session


def choose(kids: Sequence[str], keys: Mapping[str, WrappedKey]) -> list[WrappedKey]:
    """The keys of ``kids``, all of which must be among those of the session's version."""
    if not all(kid in keys for kid in kids):
        raise LicenceRefused("A key was asked for that this playback session does not need.")
    return [keys[kid] for kid in kids]


def header_of(text: str) -> str:
    """``text`` where it is fit to be the value of a header, else nothing."""
    return text if _HEADER.fullmatch(text) else ""
