"""How appliances are ranked, and what a token for one says.

Two choices by rendezvous hashing (Thaler and Ravishankar, 1998), of which the less loaded wins
(Mitzenmacher, 2001), place by place: loads even out without the herd that a stale minimum draws,
and a session keeps its appliances while loads are equal.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import xxhash

from cuemark.contracts.ids import ApplianceId, PlaySessionId
from cuemark.contracts.steering import (
    GONE_S,
    SILENCE_S,
    Rank,
    RankedAppliance,
    Report,
    ReportInvalid,
    SnapshotSource,
)
from cuemark.kit import cat
from cuemark.kit.networks import networks_of

MAX_RANKED = 10
MAX_PEERS = 8
MAX_STORAGE = 4
SOURCE_TOKEN_S = 3600
SOURCE_TOKEN_RENEWED_S = 300
MAX_IN_FLIGHT = 1_000_000
MAX_HELD = 1_000_000

ALL_A, ALL_B = b"\x00", b"\xff"
"""Rows of variants: a token with one of them opens variant a, or b, of every marked segment."""

_CURSOR = re.compile(r"[0-9]{1,18}", re.ASCII)
_URL = re.compile(
    r"https?://(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,63}){0,8}/?"
)
_VERSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REVISIONS = range(1 << 63)


@dataclass(frozen=True)
class Appliance:
    """What an appliance last said of itself, and when that came in."""

    appliance_id: ApplianceId
    url: str
    healthy: bool
    in_flight: int
    last_report_at: datetime

    def alive(self, now: datetime) -> bool:
        """Whether it has spoken within the last ``SILENCE_S``.

        A report from the future is from before the clock was set back: no sign of life either.
        """
        return abs(now - self.last_report_at) < timedelta(seconds=SILENCE_S)

    def gone(self, now: datetime) -> bool:
        """Whether it has been silent for so long that nobody should be sent there at all."""
        return now - self.last_report_at >= timedelta(seconds=GONE_S)


class Loads:
    """Requests in flight at each appliance, plus the sessions placed since its last report.

    The next report counts those sessions itself, so it takes the place of the local count.
    """

    def __init__(self) -> None:
        self._placed: dict[ApplianceId, tuple[datetime, int]] = {}

    def of(self, appliance: Appliance) -> int:
        return appliance.in_flight + self._since_report(appliance)

    def place(self, appliance: Appliance) -> None:
        """Count one more session on ``appliance``."""
        placed = self._since_report(appliance) + 1
        self._placed[appliance.appliance_id] = (appliance.last_report_at, placed)

    def _since_report(self, appliance: Appliance) -> int:
        reported_at, placed = self._placed.get(appliance.appliance_id, (None, 0))
        return placed if reported_at == appliance.last_report_at else 0


def check_report(report: Report) -> None:
    """Raises ``ReportInvalid`` where steering could not store a report, or send viewers there."""
    if not _is_address(report.url):
        raise ReportInvalid(f"url is {report.url[:80]!r}: write where viewers reach the appliance")
    if not 0 <= report.in_flight <= MAX_IN_FLIGHT:
        raise ReportInvalid(f"in_flight is {report.in_flight}, not 0 to {MAX_IN_FLIGHT}")
    if report.inventory_revision not in _REVISIONS:
        raise ReportInvalid(f"inventory_revision is {report.inventory_revision}")
    versions = report.versions or []
    if len(versions) > MAX_HELD:
        raise ReportInvalid(f"versions has {len(versions)} entries, more than {MAX_HELD}")
    for version_id in versions:
        if not _VERSION.fullmatch(version_id):
            raise ReportInvalid(f"versions has {version_id[:80]!r}, which is no id")


def _is_address(url: str) -> bool:
    match = _URL.fullmatch(url)
    if match is None:
        return False
    try:
        ipaddress.IPv6Address(match["ipv6"] or "::")
    except ValueError:
        return False
    return 1 <= int(match["port"] or 80) < 1 << 16


def rank(
    holders: Sequence[Appliance],
    loads: Loads,
    session_id: PlaySessionId,
    now: datetime,
    limit: int,
    storage_ids: Collection[ApplianceId] = (),
) -> list[Appliance]:
    """The best of the appliances that hold the version; the first is counted as chosen.

    Those of the storage tier come after all others: they are there for appliances.

    Where every holder has fallen silent, those that did so lately rank all the same, as load
    balancers do past their panic threshold (Envoy): a client fails over by itself, and a refused
    play cannot.
    """
    healthy = [appliance for appliance in holders if appliance.healthy]
    able = [appliance for appliance in healthy if appliance.alive(now)]
    left = sorted(
        able or (appliance for appliance in healthy if not appliance.gone(now)),
        key=lambda appliance: (
            appliance.appliance_id not in storage_ids,
            _affinity(session_id, appliance.appliance_id),
        ),
        reverse=True,
    )
    ranked: list[Appliance] = []
    while left and len(ranked) < limit:
        of_storage = left[0].appliance_id in storage_ids
        two = [each for each in left[:2] if (each.appliance_id in storage_ids) == of_storage]
        ranked.append(min(two, key=loads.of))
        left.remove(ranked[-1])
    if ranked:
        loads.place(ranked[0])
    return ranked


def _affinity(who: PlaySessionId | ApplianceId, appliance_id: ApplianceId) -> int:
    return xxhash.xxh3_64_intdigest(f"{who}/{appliance_id}".encode())


def media_address(
    appliance: Appliance, request: Rank, key: cat.TokenKey, now: datetime
) -> RankedAppliance:
    """The version's root on ``appliance``, with a token that opens only this, only to the session.

    ``key`` is the appliance's own.
    """
    token = cat.mint(
        cat.Claims(
            subject=request.session_id,
            audience=appliance.appliance_id,
            path_prefix=f"/{request.version_id}/",
            issued_at_s=int(now.timestamp()),
            expires_at_s=int(request.expires_at.timestamp()),
            variants=request.variants,
            networks=networks_of(request.networks),
        ),
        key,
    )
    return RankedAppliance(
        appliance_id=appliance.appliance_id,
        media_url=f"{appliance.url.rstrip('/')}/t/{token}/{request.version_id}/",
    )


def sources_for(
    appliance_id: ApplianceId,
    known: Sequence[Appliance],
    storage_ids: Collection[ApplianceId],
    keyring: "Keyring",
    now: datetime,
) -> list[SnapshotSource]:
    """Whom an appliance may ask before the origin: its peers, which are those of its own tier, and,
    for one of the edge, the storage tier. Only the living; which of many, its id decides.
    """
    others = sorted(
        (
            each
            for each in known
            if each.appliance_id != appliance_id
            and each.appliance_id in keyring
            and each.healthy
            and each.alive(now)
        ),
        key=lambda each: _affinity(appliance_id, each.appliance_id),
    )
    of_storage = appliance_id in storage_ids
    peers = [each for each in others if (each.appliance_id in storage_ids) == of_storage]
    storage = [] if of_storage else [e for e in others if e.appliance_id in storage_ids]
    return [
        *(_source(appliance_id, each, keyring, now, held_only=True) for each in peers[:MAX_PEERS]),
        *(
            _source(appliance_id, each, keyring, now, held_only=False)
            for each in storage[:MAX_STORAGE]
        ),
    ]


def _source(
    appliance_id: ApplianceId,
    other: Appliance,
    keyring: "Keyring",
    now: datetime,
    *,
    held_only: bool,
) -> SnapshotSource:
    """``other`` with a token for each row of variants. They change now and then and not at every
    call, so that a snapshot differs only where there is something new."""
    at_s = int(now.timestamp()) // SOURCE_TOKEN_RENEWED_S * SOURCE_TOKEN_RENEWED_S

    def root(variants: bytes) -> str:
        claims = cat.Claims(
            subject=appliance_id,
            audience=other.appliance_id,
            path_prefix="/",
            issued_at_s=at_s,
            expires_at_s=at_s + SOURCE_TOKEN_S,
            variants=variants,
        )
        token = cat.mint(claims, keyring.current_of(other.appliance_id))
        return f"{other.url.rstrip('/')}/t/{token}/"

    return SnapshotSource(
        appliance_id=other.appliance_id,
        a_url=root(ALL_A),
        b_url=root(ALL_B),
        held_only=held_only,
    )


class Keyring:
    """The token keys of each enrolled appliance, derived once: the current key first."""

    def __init__(
        self, appliance_ids: Sequence[ApplianceId], masters: Sequence[cat.TokenKey]
    ) -> None:
        if not masters or len({master.kid for master in masters}) != len(masters):
            raise ValueError("give one or more token keys, each with a kid of its own")
        self._keys: Mapping[ApplianceId, list[cat.TokenKey]] = {
            appliance_id: [cat.derive_key(master, appliance_id) for master in masters]
            for appliance_id in appliance_ids
        }

    def __contains__(self, appliance_id: ApplianceId) -> bool:
        return appliance_id in self._keys

    def all_of(self, appliance_id: ApplianceId) -> list[cat.TokenKey]:
        return self._keys[appliance_id]

    def current_of(self, appliance_id: ApplianceId) -> cat.TokenKey:
        return self._keys[appliance_id][0]


def position_of(cursor: str) -> int:
    """The position that a snapshot's cursor names; 0, the start, for one that is not ours."""
    return int(cursor) if _CURSOR.fullmatch(cursor) else 0
