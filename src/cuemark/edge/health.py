"""How an appliance is, as ``GET /health`` of its agent tells it to whoever has its key."""

from datetime import datetime

import msgspec

from cuemark.edge.filling import Filler
from cuemark.edge.scrub import Scrub
from cuemark.edge.sources import Kind
from cuemark.edge.store import Store


class FillState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the appliance has come with what a manifest wants fetched.

    ``opens_at`` is when its window opens next, now if it is open. ``trouble`` is what hindered the
    last file that was filled ahead; empty where nothing did.
    """

    manifest_id: str
    made_at: datetime | None
    tracks_left: int
    left_bytes: int
    window_open: bool
    opens_at: datetime | None
    trouble: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """``rotten`` files were found since the appliance was set up, of which ``healed`` are right
    again and ``to_heal`` wait. ``scrub_share`` is how much of the store this round has read. What
    was fetched since the agent started is told by its sources. Of the access log ``skipped_bytes``
    were passed over since then: what they tell of was not counted as served."""

    held_files: int
    held_bytes: int
    scrub_runs: bool
    scrub_share: float
    rotten: int
    healed: int
    to_heal: int
    from_peers_bytes: int
    from_storage_bytes: int
    from_origin_bytes: int
    skipped_bytes: int
    fill: FillState


def health(
    store: Store, scrub: Scrub, filler: Filler, skipped_bytes: int, fill: FillState
) -> Health:
    """How the appliance is now."""
    progress = scrub.progress
    share = progress.checked_bytes / store.held_bytes if store.held_bytes else 1.0
    return Health(
        held_files=len(store),
        held_bytes=store.held_bytes,
        scrub_runs=progress.running,
        scrub_share=round(min(1.0, share), 3) if progress.running else 1.0,
        rotten=progress.rotten,
        healed=progress.healed,
        to_heal=len(progress.to_heal),
        from_peers_bytes=filler.filled_bytes[Kind.PEER],
        from_storage_bytes=filler.filled_bytes[Kind.STORAGE],
        from_origin_bytes=filler.filled_bytes[Kind.ORIGIN],
        skipped_bytes=skipped_bytes,
        fill=fill,
    )
