"""What readers see of works."""

from collections.abc import Sequence

from cuemark.contexts.catalog.model import ratings, showing
from cuemark.contexts.catalog.model.cursors import number_of, time_of
from cuemark.contexts.catalog.model.hierarchy import HOLDERS
from cuemark.contexts.catalog.service.works import known
from cuemark.contexts.catalog.store import names
from cuemark.contexts.catalog.store import shown as store
from cuemark.contracts.catalog.metadata import AgeRating
from cuemark.contracts.catalog.works import (
    AdmittedWorks,
    AdmitWorks,
    Kind,
    ListTitlesWithin,
    ListWorks,
    ShowWork,
    TitlesWithin,
    UnknownWork,
    WorkInFull,
    WorkPage,
)
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.pages import checked_limit, cursor_of, keys_of

MOST_RANGES = 20
MOST_WITHIN = 200


class Showing:
    """Works in the language of whoever asks."""

    def __init__(self, database: Database, clock: Clock, unrated_age: int) -> None:
        self._database = database
        self._clock = clock
        self._unrated_age = unrated_age

    async def show(self, request: ShowWork) -> WorkInFull:
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            await known(transaction, request.work_id)
            chain = await store.chain(
                transaction, request.work_id, now, seen_only=request.seen_only
            )
            if not chain:
                raise UnknownWork("There is no such work.")
            credited = {each.person_id for each in chain[-1].details.credits}
            people = await names.people(transaction, credited)
            terms = await names.terms(transaction, set(showing.terms_of(chain)))
            following = await store.next_episode(
                transaction, chain, now, seen_only=request.seen_only
            )
        return showing.in_full(
            chain,
            {each: person.names for each, person in people.items()},
            {each: term.names for each, term in terms.items()},
            following,
            request.languages[:MOST_RANGES],
            request.territory,
            now,
        )

    async def list(self, request: ListWorks) -> WorkPage:
        limit, now = checked_limit(request.limit), self._clock.now()
        if request.work_ids:
            checked_limit(len(request.work_ids))
        in_parent = request.parent_id is not None
        after = keys_of(request.after, 3 if in_parent else 2)
        if after and in_parent:
            after = (*(str(number_of(key)) for key in after[:2]), after[2])
        elif after:
            after = time_of(after[0]).isoformat(), after[1]
        if request.parent_id is not None:
            async with self._database.transaction() as transaction:
                await known(transaction, request.parent_id)
        found = await store.listed(self._database, request, after, limit + 1, now)
        page = [
            showing.summary(kept, request.languages[:MOST_RANGES], now) for _, kept in found[:limit]
        ]
        return WorkPage(
            works=[summary for summary, _ in page],
            languages=showing.languages_of(text for _, text in page),
            next_cursor=cursor_of(*found[limit - 1][0]) if len(found) > limit else "",
        )

    async def titles_within(self, request: ListTitlesWithin) -> TitlesWithin:
        checked_limit(len(request.work_ids))
        found = await store.titles_within(
            self._database, request.work_ids, self._clock.now(), MOST_WITHIN
        )
        return TitlesWithin(title_ids=found)

    async def admit(self, request: AdmitWorks) -> AdmittedWorks:
        checked_limit(len(request.work_ids))
        rated = await store.rated(self._database, request.work_ids)
        return AdmittedWorks(
            work_ids=[
                each
                for each in request.work_ids
                if each in rated and self._admits(request, *rated[each])
            ]
        )

    def _admits(self, request: AdmitWorks, kind: Kind, given: Sequence[AgeRating]) -> bool:
        unrated_age = 0 if kind in HOLDERS else self._unrated_age
        return ratings.admits(request.maturity, given, request.territory, unrated_age)
