"""What the log tells, written down for the index to take in."""

from typing import get_args

import msgspec

from cuemark.contexts.search.model import popularity
from cuemark.contexts.search.store import writing as store
from cuemark.contracts.catalog import LaunchSet, TitleCreated
from cuemark.contracts.catalog.gathering import PersonChanged, TermChanged
from cuemark.contracts.catalog.works import TitleDescribed, WorkChanged
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.playback import PlayStarted
from cuemark.contracts.steering import VersionPlaced
from cuemark.kit.database import Transaction
from cuemark.kit.outbox import Entry

_Followed = (
    TitleCreated
    | TitleDescribed
    | LaunchSet
    | WorkChanged
    | PersonChanged
    | TermChanged
    | VersionPublished
    | VersionPlaced
    | PlayStarted
)
_FOLLOWED = {kind.__name__ for kind in get_args(_Followed)}
_decode = msgspec.json.Decoder[_Followed](_Followed).decode
_HOLDERS = frozenset({"franchise", "series", "season"})


async def follow(transaction: Transaction, entry: Entry) -> None:
    """Reading an entry again changes nothing, but for a play, which then counts twice."""
    if entry.kind not in _FOLLOWED:
        return
    event, at = _decode(entry.body), entry.occurred_at
    if isinstance(event, PlayStarted):
        before = await store.popularity(transaction, event.title_id)
        after = popularity.played(before, event.started_at)
        await store.keep_popularity(transaction, event.title_id, after)
        if before is None or popularity.rounded(before) != popularity.rounded(after):
            await store.wait_for(transaction, [event.title_id], at)
    elif isinstance(event, VersionPublished | VersionPlaced):
        title_id = event.title_id if isinstance(event, VersionPublished) else None
        whole = await store.published(transaction, event.version_id, title_id)
        await store.wait_for(transaction, [whole] if whole else [], at)
    elif isinstance(event, PersonChanged | TermChanged):
        named = event.person_id if isinstance(event, PersonChanged) else event.term_id
        await store.spread(transaction, named)
    elif isinstance(event, WorkChanged):
        await store.wait_for(transaction, [event.work_id], at)
        if event.work_kind in _HOLDERS and event.change != "created":
            await store.spread(transaction, event.work_id)
    else:
        if isinstance(event, TitleCreated | LaunchSet):
            await store.launch(transaction, event.title_id, event.launch_at)
        await store.wait_for(transaction, [event.title_id], at)
