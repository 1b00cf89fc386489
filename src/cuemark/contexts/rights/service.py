"""The use cases of rights.

What decides is read from the database at each question, so that a right that was withdrawn is gone
for everybody at once. Without the database nothing is decided: ``Unavailable``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cuemark.contexts.rights import store
from cuemark.contexts.rights.model import decision, windows
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import (
    MOST_ASKED,
    TOPIC,
    Decide,
    Decisions,
    GetRights,
    LicenceType,
    ListRights,
    NoEarlierRights,
    Rights,
    RightsInvalid,
    RightsPage,
    RightsSet,
    RightsWereSet,
    SetRights,
    TitleRights,
    UndoRights,
    Window,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import is_id
from cuemark.kit.outbox import Log
from cuemark.kit.pages import checked_limit, cursor_of, keys_of

TITLE = "ttl"


@dataclass(frozen=True)
class Terms:
    """What the install says where a question or a title says nothing.

    ``unrecorded`` titles play everywhere or nowhere; ``territory`` is as which one counts that is
    not known, empty for none; ``plan`` are the licence types of who asks without any; ``grace`` is
    for how long a running play goes on after its right.
    """

    unrecorded: Literal["open", "closed"] = "open"
    territory: str = ""
    plan: frozenset[LicenceType] = frozenset({"SVOD", "AVOD", "FVOD"})
    grace: timedelta = timedelta(minutes=15)


class RightsService(Rights):
    """Sets of windows in PostgreSQL; every change is told to the log."""

    def __init__(self, database: Database, log: Log, clock: Clock, terms: Terms) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._terms = terms

    async def set_rights(self, request: SetRights) -> RightsWereSet:
        windows.checked_sets(request.sets)
        for each in request.sets:
            _check_title(each.title_id)
        asked = {each.title_id: each.windows for each in request.sets}
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            last = await store.lock(transaction, list(asked))
            present = await store.rights_of(transaction, list(asked))
            changed = {
                title_id: some
                for title_id, some in asked.items()
                if title_id not in present or present[title_id].windows != some
            }
            if changed:
                replaced = {
                    each: present[each].number if each in present else 0 for each in changed
                }
                numbers = await store.put(transaction, changed, last, replaced, now)
                for title_id, number in numbers.items():
                    told = RightsSet(title_id=title_id, number=number, set_at=now)
                    await self._log.append(transaction, TOPIC, title_id, told)
        return RightsWereSet(changed=list(changed))

    async def get_rights(self, request: GetRights) -> TitleRights:
        _check_title(request.title_id)
        async with self._database.transaction() as transaction:
            found = await store.rights_of(transaction, [request.title_id])
        return found.get(request.title_id) or _unrecorded(request.title_id)

    async def undo_rights(self, request: UndoRights) -> TitleRights:
        _check_title(request.title_id)
        title_id, now = request.title_id, self._clock.now()
        async with self._database.transaction() as transaction:
            await store.lock(transaction, [title_id])
            present = (await store.rights_of(transaction, [title_id])).get(title_id)
            if present is None or not present.earlier:
                raise NoEarlierRights("This title has no earlier rights to go back to.")
            found = await store.go_back(transaction, title_id)
            told = RightsSet(title_id=title_id, number=found.number if found else 0, set_at=now)
            await self._log.append(transaction, TOPIC, title_id, told)
        return found or _unrecorded(title_id)

    async def list_rights(self, request: ListRights) -> RightsPage:
        limit = checked_limit(request.limit)
        after = keys_of(request.after, 1)
        async with self._database.transaction() as transaction:
            found = await store.page(transaction, after[0] if after else "", limit + 1)
        page = found[:limit]
        more = len(found) > limit
        return RightsPage(rights=page, next_cursor=cursor_of(page[-1].title_id) if more else "")

    async def decide(self, request: Decide) -> Decisions:
        ids = request.title_ids
        if not 1 <= len(ids) <= MOST_ASKED:
            raise RightsInvalid(f"Ask for 1 to {MOST_ASKED} titles at once.")
        for title_id in ids:
            _check_title(title_id)
        territory = request.territory or self._terms.territory
        if territory:
            windows.check_territory(territory, "The question")
        at = _moment(request.at) if request.at else self._clock.now()
        held = await store.held(self._database, ids, territory)
        plan = frozenset(request.licence_types) or self._terms.plan
        verdicts = self._verdicts(held, territory, plan, at)
        unrecorded = decision.OPEN if self._terms.unrecorded == "open" else decision.CLOSED
        return Decisions(
            decisions=[
                decision.decision_of(
                    title_id, verdicts.get(title_id, unrecorded), at, self._terms.grace
                )
                for title_id in ids
            ],
            territory=territory,
        )

    def _verdicts(
        self,
        held: Mapping[TitleId, list[Window]],
        territory: str,
        plan: decision.Plan,
        at: datetime,
    ) -> dict[TitleId, decision.Verdict]:
        return {
            title_id: decision.decide(some, territory, plan, at) for title_id, some in held.items()
        }


def _unrecorded(title_id: TitleId) -> TitleRights:
    return TitleRights(title_id=title_id, number=0, windows=[])


def _check_title(title_id: TitleId) -> None:
    if not is_id(title_id, TITLE):
        raise RightsInvalid(f"{title_id[:64]!r} is not the id of a title.")


def _moment(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise RightsInvalid("The moment that is asked for has no time zone.")
    return at
