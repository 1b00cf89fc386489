"""Works: created, described, placed, removed, and put back as they were."""

from collections.abc import Sequence

import msgspec

from cuemark.contexts.catalog.model import details as rules
from cuemark.contexts.catalog.model import hierarchy, listing
from cuemark.contexts.catalog.model.details import Faults, checked_details
from cuemark.contexts.catalog.store import names
from cuemark.contexts.catalog.store import works as store
from cuemark.contracts.catalog import TOPIC
from cuemark.contracts.catalog.exchange import Fault
from cuemark.contracts.catalog.metadata import Details
from cuemark.contracts.catalog.works import (
    Change,
    CreateWork,
    DescribeWork,
    GetWork,
    Kind,
    NothingToUndo,
    PlaceWork,
    RemoveWork,
    TitleDescribed,
    UndoWork,
    UnknownWork,
    Work,
    WorkChanged,
    WorkChangedMeanwhile,
    WorkInUse,
    WorkInvalid,
    WorkMisplaced,
)
from cuemark.contracts.ids import TitleId, WorkId
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids, is_id
from cuemark.kit.outbox import Log

TITLE = "ttl"
KINDS_OF_IDS = (TITLE, *hierarchy.HOLDERS.values())


class Works:
    """Changes of works, one at a time; each keeps the state before it."""

    def __init__(self, database: Database, log: Log, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids

    async def create(self, request: CreateWork) -> Work:
        if request.kind not in hierarchy.HOLDERS:
            raise WorkInvalid(
                f"kind: what plays is created as a title and then placed; a {request.kind} plays."
            )
        told = one_form(request.details, request.kind)
        async with self._database.transaction() as transaction:
            await store.write_alone(transaction)
            work_id = WorkId(self._ids.new(hierarchy.HOLDERS[request.kind]))
            await self.check_place(
                transaction, work_id, request.kind, request.parent_id, request.number
            )
            refuse(await missing(transaction, work_id, told))
            work = Work(
                work_id=work_id,
                kind=request.kind,
                details=told,
                parent_id=request.parent_id,
                number=request.number,
                revision=1,
                change="created",
                changed_at=self._clock.now(),
            )
            await self.add_all(transaction, [work])
        return work

    async def get(self, request: GetWork) -> Work:
        async with self._database.transaction() as transaction:
            return await known(transaction, request.work_id)

    async def describe(self, request: DescribeWork) -> Work:
        async with self._database.transaction() as transaction:
            await store.write_alone(transaction)
            before = await known(transaction, request.work_id)
            if before.revision != request.revision:
                raise WorkChangedMeanwhile(
                    f"This work is at revision {before.revision} by now, not "
                    f"{request.revision}: look at it again."
                )
            told = one_form(request.details, before.kind)
            refuse(await missing(transaction, before.work_id, told))
            return await self.change(transaction, before, "described", details=told)

    async def set_artwork(self, work_id: WorkId, language: str, artwork_key: str) -> Work:
        """The picture for readers of one language; without a key, none of their own."""
        faults = Faults()
        tag = faults.of("language", rules.checked_language, language, "")
        refuse(faults.found)
        async with self._database.transaction() as transaction:
            await store.write_alone(transaction)
            before = await known(transaction, work_id)
            told = one_form(rules.with_artwork(before.details, tag, artwork_key), before.kind)
            return await self.change(transaction, before, "described", details=told)

    async def place(self, request: PlaceWork) -> Work:
        async with self._database.transaction() as transaction:
            await store.write_alone(transaction)
            before = await known(transaction, request.work_id)
            kind = request.kind or before.kind
            if kind != before.kind:
                inside = await store.count_inside(transaction, before.work_id)
                hierarchy.check_kind(before.kind, kind, inside)
                refuse(_supplement(before.details, kind))
            await self.check_place(
                transaction, before.work_id, kind, request.parent_id, request.number
            )
            return await self.change(
                transaction,
                before,
                "placed",
                kind=kind,
                parent_id=request.parent_id,
                number=request.number,
            )

    async def remove(self, request: RemoveWork) -> Work:
        """The work as it was."""
        async with self._database.transaction() as transaction:
            await store.write_alone(transaction)
            before = await known(transaction, request.work_id)
            if before.kind not in hierarchy.HOLDERS:
                raise WorkInUse("A title is not removed: set its launch to a time that is far off.")
            inside = await store.count_inside(transaction, before.work_id)
            if inside:
                raise WorkInUse(
                    f"{inside} works lie in it: move or remove them first."
                    if inside > 1
                    else "A work lies in it: move or remove it first."
                )
            await store.remove_work(transaction, before)
            gone = _changed(before, "removed", before.revision + 1)
            await self._log.append(transaction, TOPIC, before.work_id, gone)
        return before

    async def undo(self, request: UndoWork) -> Work:
        _check_id(request.work_id)
        async with self._database.transaction() as transaction:
            await store.write_alone(transaction)
            now = await store.work(transaction, request.work_id)
            last = now.revision if now else None
            before = await store.state_before(transaction, request.work_id, last)
            if before is None and now is None:
                raise UnknownWork(f"No work has the id {request.work_id}, and none had it.")
            if before is None:
                raise NothingToUndo("This work was not changed since it was created.")
            await self.check_place(
                transaction, before.work_id, before.kind, before.parent_id, before.number
            )
            refuse(await missing(transaction, before.work_id, before.details))
            if now is not None:
                inside = await store.count_inside(transaction, now.work_id)
                hierarchy.check_kind(now.kind, before.kind, inside)
                return await self.change(
                    transaction,
                    now,
                    "undone",
                    kind=before.kind,
                    parent_id=before.parent_id,
                    number=before.number,
                    details=before.details,
                )
            again = msgspec.structs.replace(
                before,
                revision=before.revision + 2,
                change="undone",
                changed_at=listing.chosen_at(self._clock.now(), before.changed_at),
            )
            await self.add_all(transaction, [again])
            return again

    async def check_place(
        self,
        transaction: Transaction,
        work_id: WorkId,
        kind: Kind,
        parent_id: WorkId | None,
        number: int | None,
    ) -> None:
        """Raises ``WorkMisplaced``, ``WorkInvalid`` or ``UnknownWork`` where it cannot be."""
        parent = await known(transaction, parent_id) if parent_id is not None else None
        hierarchy.check_place(
            kind, parent.kind if parent else None, number, itself=parent_id == work_id
        )
        if parent is None:
            return
        if number is not None:
            there = await store.taken_by(transaction, parent.work_id, kind, number)
            if there not in (None, work_id):
                raise WorkMisplaced(
                    f"The number {number} is that of another {kind} there, {there}: "
                    "choose one that is free."
                )
        if await store.count_inside(transaction, parent.work_id, work_id) >= hierarchy.MOST_INSIDE:
            raise WorkMisplaced(f"A work holds at most {hierarchy.MOST_INSIDE} others.")

    async def add_all(self, transaction: Transaction, works: Sequence[Work]) -> None:
        """Add works, each after the one that it lies in."""
        await store.add_works(transaction, works, self._clock.now())
        told = [(work.work_id, _changed(work, work.change, work.revision)) for work in works]
        await self._log.append_all(transaction, TOPIC, told)

    async def change(
        self,
        transaction: Transaction,
        before: Work,
        change: Change,
        *,
        details: Details | None = None,
        kind: Kind | None = None,
        parent_id: WorkId | msgspec.UnsetType | None = msgspec.UNSET,
        number: int | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> Work:
        """Write it down, and tell of it; what would change nothing is not written."""
        same = msgspec.structs.replace(
            before,
            details=before.details if details is None else details,
            kind=kind or before.kind,
            parent_id=before.parent_id if parent_id is msgspec.UNSET else parent_id,
            number=before.number if number is msgspec.UNSET else number,
        )
        if same == before:
            return before
        after = msgspec.structs.replace(
            same,
            revision=before.revision + 1,
            change=change,
            changed_at=listing.chosen_at(self._clock.now(), before.changed_at),
        )
        await store.change_work(transaction, before, after)
        event = _changed(after, change, after.revision)
        await self._log.append(transaction, TOPIC, after.work_id, event)
        await self._describe_titles(transaction, before, after)
        return after

    async def _describe_titles(self, transaction: Transaction, before: Work, after: Work) -> None:
        """Tell each title of which the name, the synopsis or the series is another one by now."""
        texts = before.details.texts[0], after.details.texts[0]
        is_title = after.kind in hierarchy.PLAYABLE
        renamed = texts[0].name != texts[1].name or (
            is_title and texts[0].synopsis != texts[1].synopsis
        )
        moved = before.parent_id != after.parent_id
        told_of = (is_title or after.kind == "series") and renamed
        if not told_of and not (moved and after.kind != "franchise"):
            return
        for title in await store.titles_below(transaction, after.work_id):
            text = title.details.texts[0]
            title_id = TitleId(title.work_id)
            event = TitleDescribed(
                title_id=title_id,
                name=text.name,
                synopsis=text.synopsis,
                series=await store.series_name(transaction, title_id),
                described_at=await store.tell_at(transaction, title_id, self._clock.now()),
            )
            await self._log.append(transaction, TOPIC, title_id, event)


async def known(transaction: Transaction, work_id: WorkId) -> Work:
    """The work; raises ``UnknownWork``."""
    _check_id(work_id)
    work = await store.work(transaction, work_id)
    if work is None:
        raise UnknownWork(f"No work has the id {work_id}.")
    return work


def one_form(given: Details, kind: Kind) -> Details:
    """``given`` as it is kept; raises ``WorkInvalid`` with the first thing that cannot be."""
    faults = Faults()
    told = checked_details(given, kind, faults)
    refuse(faults.found)
    return told


async def missing(transaction: Transaction, work_id: WorkId, details: Details) -> list[Fault]:
    """Whom and what the details name that there is not, and ids that another work has."""
    people = await names.people(transaction, {each.person_id for each in details.credits})
    terms = await names.terms(transaction, {*details.genres, *details.themes})
    owners = await store.owners_of_ids(transaction, "work", details.ids)
    found = [
        Fault(place=f"credits[{place}].person_id", message=f"nobody has the id {each.person_id!r}")
        for place, each in enumerate(details.credits)
        if each.person_id not in people
    ]
    for field, vocabulary in (("genres", "genre"), ("themes", "theme")):
        found += [
            Fault(place=f"{field}[{place}]", message=f"{each!r} is no {vocabulary} of the list")
            for place, each in enumerate(getattr(details, field))
            if each not in terms or terms[each].vocabulary != vocabulary
        ]
    return found + [
        Fault(place=f"ids[{place}]", message=f"the work {owner} has this id")
        for place, each in enumerate(details.ids)
        if (owner := owners.get((each.scheme, each.value), work_id)) != work_id
    ]


def refuse(faults: Sequence[Fault]) -> None:
    """Raises ``WorkInvalid`` with the first of the faults."""
    if faults:
        raise WorkInvalid(f"{faults[0].place}: {faults[0].message}.")


def _changed(work: Work, change: Change, revision: int) -> WorkChanged:
    return WorkChanged(
        work_id=work.work_id,
        work_kind=work.kind,
        change=change,
        revision=revision,
        changed_at=work.changed_at,
    )


def _supplement(details: Details, kind: Kind) -> list[Fault]:
    if details.supplement and kind != "supplemental":
        return [Fault(place="supplement", message=f"a {kind} is no {details.supplement}")]
    return []


def _check_id(work_id: WorkId) -> None:
    if not any(is_id(work_id, kind) for kind in KINDS_OF_IDS):
        raise UnknownWork("No work has this id.")
