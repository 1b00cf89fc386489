"""Whom an appliance may ask for files before it asks the origin."""

from collections.abc import Collection, Sequence
from datetime import datetime

import xxhash

from cuemark.contexts.steering.model.ranking import Appliance
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import SnapshotSource
from cuemark.kit import cat

MAX_PEERS = 8
MAX_STORAGE = 4
SOURCE_TOKEN_S = 3600
SOURCE_TOKEN_RENEWED_S = 300
ALL_A, ALL_B = b"\x00", b"\xff"
"""Rows of variants: a token with one of them opens variant a, or b, of every marked segment."""


def sources_for(
    appliance_id: ApplianceId,
    known: Sequence[Appliance],
    storage_ids: Collection[ApplianceId],
    keyring: Keyring,
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
        key=lambda each: xxhash.xxh3_64_intdigest(f"{appliance_id}/{each.appliance_id}".encode()),
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
    keyring: Keyring,
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
