"""Whom an appliance may ask for files before it asks the origin."""

from collections.abc import Collection, Sequence
from datetime import datetime

import xxhash

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering.reports import SnapshotSource
from cuemark.kit import cat

MAX_PEERS = 8
MAX_STORAGE = 4
SOURCE_TOKEN_S = 3600
SOURCE_TOKEN_RENEWED_S = 300
ALL_A, ALL_B = b"\x00", b"\xff"
"""Rows of variants: a token with one of them opens variant a, or b, of every marked segment."""


class SourceTable:
    """Whom each appliance may ask before the origin: its peers, which are those of its own tier,
    and, for one of the edge, the storage tier. Only the living; which of many, its id decides.

    Every appliance asks twice a second, and a token takes an HMAC. So what was made is kept until
    something changes of what it is made of: who lives, where they are, and now and then the tokens.
    """

    def __init__(self, storage_ids: Collection[ApplianceId], keyring: Keyring) -> None:
        self._storage_ids = frozenset(storage_ids)
        self._keyring = keyring
        self._made_of: tuple[int, tuple[tuple[ApplianceId, str], ...]] = (0, ())
        self._made: dict[ApplianceId, list[SnapshotSource]] = {}

    def sources_for(
        self, appliance_id: ApplianceId, known: Sequence[Appliance], now: datetime
    ) -> list[SnapshotSource]:
        """``known`` are all that have ever reported, in any order."""
        living = sorted(
            (each.appliance_id, each.url)
            for each in known
            if each.healthy and each.alive(now) and each.appliance_id in self._keyring
        )
        issued_at_s = int(now.timestamp()) // SOURCE_TOKEN_RENEWED_S * SOURCE_TOKEN_RENEWED_S
        made_of = issued_at_s, tuple(living)
        if made_of != self._made_of:
            self._made_of = made_of
            self._made.clear()
        if appliance_id not in self._made:
            self._made[appliance_id] = self._make(appliance_id, living, issued_at_s)
        return self._made[appliance_id]

    def _make(
        self, appliance_id: ApplianceId, living: Sequence[tuple[ApplianceId, str]], issued_at_s: int
    ) -> list[SnapshotSource]:
        others = sorted(
            (each for each in living if each[0] != appliance_id),
            key=lambda each: xxhash.xxh3_64_intdigest(f"{appliance_id}/{each[0]}".encode()),
        )
        of_storage = appliance_id in self._storage_ids
        peers = [each for each in others if (each[0] in self._storage_ids) == of_storage]
        storage = [] if of_storage else [each for each in others if each[0] in self._storage_ids]
        asked = [(each, True) for each in peers[:MAX_PEERS]]
        asked += [(each, False) for each in storage[:MAX_STORAGE]]
        return [
            _source(
                appliance_id,
                other,
                url,
                self._keyring,
                issued_at_s=issued_at_s,
                held_only=held_only,
            )
            for (other, url), held_only in asked
        ]


def _source(
    appliance_id: ApplianceId,
    other: ApplianceId,
    other_url: str,
    keyring: Keyring,
    *,
    issued_at_s: int,
    held_only: bool,
) -> SnapshotSource:
    """``other`` with a token for each row of variants. They change now and then and not at every
    call, so that a snapshot differs only where there is something new."""

    def root(variants: bytes) -> str:
        claims = cat.Claims(
            subject=appliance_id,
            audience=other,
            path_prefix="/",
            issued_at_s=issued_at_s,
            expires_at_s=issued_at_s + SOURCE_TOKEN_S,
            variants=variants,
        )
        token = cat.mint(claims, keyring.current_of(other))
        return f"{other_url.rstrip('/')}/t/{token}/"

    return SnapshotSource(
        appliance_id=other, a_url=root(ALL_A), b_url=root(ALL_B), held_only=held_only
    )
