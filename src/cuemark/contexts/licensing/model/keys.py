"""Who may have which key, and what is known of one."""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cuemark.contexts.licensing.model.master_keys import FIRST, Master
from cuemark.contracts.ids import PLAY_SESSION_KIND, AccountId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.licensing import LicenceInvalid, LicenceRefused
from cuemark.contracts.protection import Demands, KeySignal, Robustness, reaches
from cuemark.contracts.rights import LicenceType
from cuemark.kit.ids import is_id

MAX_KIDS = 32
MAX_LABELS = 16
MAX_PERIODS = 2048
"""A day in periods of 60 s has 1,440."""
PREFETCHED_PERIODS = 1

_KID = re.compile(r"[0-9a-f]{32}")
_HEADER = re.compile(r"[\x20-\x7e]{0,200}")
_LABEL = re.compile(r"[A-Z][A-Z0-9]{0,15}")


@dataclass(frozen=True)
class WrappedKey:
    """A content key as it is stored; ``kid`` and ``iv`` (the constant IV of cbcs) are hex.

    ``signals`` are those that the key server gave, if the key is one of its. ``period`` is the
    crypto period, from 0, and ``master`` the number of the master key that it is wrapped by.
    """

    label: str
    kid: str
    wrapped: bytes = field(repr=False)
    iv: str
    signals: tuple[KeySignal, ...] = ()
    period: int = 0
    master: int = FIRST


@dataclass(frozen=True)
class LicenceSession:
    """What a playback session was granted: keys of ``labels`` alone, None for all."""

    session_id: PlaySessionId
    account_id: AccountId
    version_id: VersionId
    expires_at: datetime
    closed: bool
    robustness: Robustness = "software"
    title_id: TitleId | None = None
    territory: str = ""
    licence_types: Sequence[LicenceType] = ()
    labels: Sequence[str] | None = None
    login_id: str = ""


def make_key(label: str, master: Master, kid: str = "", period: int = 0) -> WrappedKey:
    """A fresh key for ``label``, from the system's randomness, as is its id unless one is given."""
    return WrappedKey(
        label,
        kid or secrets.token_hex(16),
        master.wrap(secrets.token_bytes(16)),
        secrets.token_hex(16),
        period=period,
        master=master.number,
    )


def wanted(labels: Sequence[str], periods: int) -> list[tuple[str, int]]:
    """Label and period of each key of so many crypto periods."""
    if not 1 <= periods <= MAX_PERIODS:
        raise LicenceInvalid(f"Ask for the keys of 1 to {MAX_PERIODS} crypto periods.")
    return [(label, period) for period in range(periods) for label in labels]


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


def admit(
    session: LicenceSession | None, account_id: AccountId, login_id: str, now: datetime
) -> LicenceSession:
    """The session, where this login of the account may have keys now.

    Another account's session is refused in the words of one that does not exist, so that the
    answer tells nobody which sessions there are.
    """
    if session is None or session.account_id != account_id:
        raise LicenceRefused("This account has no such playback session.")
    if session.login_id not in ("", login_id):
        raise LicenceRefused(
            "This playback session began on another device: start the title on this one."
        )
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


def granted(keys: Sequence[WrappedKey], session: LicenceSession) -> list[WrappedKey]:
    """Those of the keys that the session was granted."""
    labels = session.labels
    return [key for key in keys if labels is None or key.label in labels]


def check_granted(keys: Sequence[WrappedKey], session: LicenceSession) -> None:
    """Raises ``LicenceRefused`` where one of the keys was not granted to the session."""
    if len(granted(keys, session)) != len(keys):
        raise LicenceRefused(
            "A key was asked for that is not of what this play may show: play a lower quality."
        )


def within(keys: Sequence[WrappedKey], level: Robustness, demands: Demands) -> list[WrappedKey]:
    """Those of the keys that a device of this level may have."""
    return [key for key in keys if reaches(level, key.label, demands)]


def check_level(keys: Sequence[WrappedKey], level: Robustness, demands: Demands) -> None:
    """Raises ``LicenceRefused`` where one of the keys demands more than this level."""
    if len(within(keys, level, demands)) != len(keys):
        raise LicenceRefused(
            "A key was asked for that only devices with better protection may have: play a lower "
            "quality."
        )


def with_next(chosen: Sequence[WrappedKey], keys: Iterable[WrappedKey]) -> list[WrappedKey]:
    """``chosen``, then those of the same labels in the crypto period that follows, ``MAX_KIDS`` in
    all at most.

    So a boundary waits for no licence, and a play that is stopped has keys for one period, not for
    the rest of the film.
    """
    there = {(key.label, key.period) for key in chosen}
    ahead = {
        (key.label, key.period + step)
        for key in chosen
        for step in range(1, PREFETCHED_PERIODS + 1)
    }
    more = [key for key in keys if (key.label, key.period) in ahead - there]
    return [*chosen, *more][: max(MAX_KIDS, len(chosen))]


def header_of(text: str) -> str:
    """``text`` where it is fit to be the value of a header, else nothing."""
    return text if _HEADER.fullmatch(text) else ""
