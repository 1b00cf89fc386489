"""Finds in one generation, and ranks what it found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from cuemark.contexts.search.model import folding, ranking, spelling, vectors
from cuemark.contexts.search.model.ranking import Asked, Ranked
from cuemark.contexts.search.model.reading import Question
from cuemark.contexts.search.store import asking, common, frequent
from cuemark.contexts.search.store.asking import Among, Known
from cuemark.contracts.ids import WorkId
from cuemark.contracts.search import Viewpoint
from cuemark.kit.database import Database

MOST_NAMES = 20
"""People, genres and themes that are ranked."""
MOST_NAMED = 6
"""Of these, how many are hits, and how many works of each are looked at."""
MOST_TAGS = 24
FEW = 5
FREQUENT = 0.05
"""The share of works from which on a word is too frequent to choose candidates, beside others."""


@dataclass(frozen=True)
class Finding:
    """What was found, the best first, and works of the people and terms among it. ``thin`` says
    that most of the candidates met too little of the question: more of them hardly meet more."""

    ranked: Sequence[Ranked]
    naming: Mapping[str, Sequence[WorkId]] = field(default_factory=dict)
    thin: bool = False


class Finder:
    """``searched`` is a generation and about how many works it has, ``width`` how many candidates
    of each kind are taken. ``more`` says that there may be more of them."""

    def __init__(
        self,
        database: Database,
        searched: tuple[int, int],
        viewpoint: Viewpoint,
        width: int,
    ) -> None:
        self._database = database
        self._number, self._works = searched
        self._viewpoint = viewpoint
        self._width = width
        self._told: dict[str, int] = {}
        self.more = False

    async def find(
        self, asked: Question, now: datetime, *, deep: bool, works_only: bool = False
    ) -> Finding:
        """``deep`` looks into synopses too; ``works_only`` leaves out people, genres and themes."""
        words = asked.words
        known = await asking.known(self._database, self._number, words, unfinished=asked.unfinished)
        often = [known.get(word, Known()) for word in words]
        self._told = {word: each.told for word, each in known.items()}
        meant: list[dict[str, float]] = [{} for _ in words]
        unknown = [at for at, word in enumerate(often) if not word.often]
        await self._read_as_slips(asked, unknown, meant, often)
        telling = self._telling(often)
        among = self._among(telling, often)
        found = await self._candidates(asked, meant, telling, now, among=among)
        if among != "names" and len(found) < FEW:
            found |= await self._candidates(asked, meant, telling, now)
        if len(found) < FEW:
            found |= await self._nearly(asked, meant, often, telling, now, nothing=not found)
        if deep and len(found) < FEW:
            found |= await self._in_texts(asked, meant, often, telling, now)
        query = spelling.all_of([], self._queries(asked, meant, telling))
        names = await self._names(query, popular=among != "names") if not works_only else []
        watched = await self._watched()
        taste = vectors.likeness([each.vector for each in found.values()], watched)
        works = [
            msgspec.structs.replace(each.work, taste=likeness)
            for each, likeness in zip(found.values(), taste, strict=True)
        ]
        understood = Asked(
            words=words,
            meant=meant,
            unfinished=asked.unfinished,
            languages=self._viewpoint.languages,
            now=now,
        )
        ranked_names = ranking.ranked(understood, [], names)[:MOST_NAMED]
        ranked_works = ranking.ranked(understood, works, [])
        ordered = ranking.in_order([*ranked_works, *ranked_names])
        hits = {each.found_id for each in ranked_names}
        chosen = [each for each in names if each.name_id in hits]
        thin = 2 * len(ranked_works) < len(works)
        return Finding(ordered, await self._naming(chosen, now), thin)

    async def alike(self, work_id: WorkId, name: str, now: datetime) -> Finding:
        """What is like a work of this name."""
        there = await asking.work(self._database, self._number, work_id)
        if there is None:
            return Finding([])
        itself, tags = there
        genres = itself.work.facts.genre_ids
        found = await asking.alike(
            self._database,
            self._number,
            [each for each in tags if each not in genres][:MOST_TAGS],
            all_tags=genres,
            seen_only=self._viewpoint.seen_only,
            now=now,
            limit=self._width,
        )
        self.more = len(found) >= self._width
        others = [each for key, each in found.items() if key != work_id and key not in tags]
        likeness = vectors.likeness([each.vector for each in others], [itself.vector])
        pairs = [(each.work, value) for each, value in zip(others, likeness, strict=True)]
        return Finding(ranking.like(pairs, name, now))

    async def _nearly(
        self,
        asked: Question,
        meant: list[dict[str, float]],
        often: list[Known],
        telling: Sequence[int],
        now: datetime,
        *,
        nothing: bool,
    ) -> dict[str, asking.Vectored]:
        """What is found by words that sound as those of the question; where there was ``nothing``,
        by any that they may be slips of. ``meant`` and ``often`` are told of them."""
        before = [dict(each) for each in meant]
        if nothing:
            await self._read_as_slips(asked, [at for at in telling if not meant[at]], meant, often)
        else:
            sounds = [folding.sound(word) for word in asked.words]
            heard = await asking.heard(self._database, self._number, sounds)
            self._told |= {word: where.told for word, where, _ in heard}
            for at, word in enumerate(asked.words):
                alike = [
                    (other, where.often, sound)
                    for other, where, sound in heard
                    if sound == sounds[at] and other != word
                ]
                meant[at] |= spelling.meant(word, alike, unfinished=False)
        if meant == before:
            return {}
        among = self._among(telling, often)
        return await self._candidates(asked, meant, telling, now, among=among)

    async def _in_texts(
        self,
        asked: Question,
        meant: Sequence[Mapping[str, float]],
        often: Sequence[Known],
        telling: Sequence[int],
        now: datetime,
    ) -> dict[str, asking.Vectored]:
        """What synopses tell, or at last all but one of the words. What a word may be a slip of is
        looked for where few enough of them have it."""
        most = common(self._works)
        told = [at for at in telling if often[at].told <= most]
        if not told:
            return {}
        meant = [
            {word: sure for word, sure in each.items() if self._told.get(word, 0) <= most}
            for each in meant
        ]
        shares = [
            min(
                1.0,
                sum(self._told.get(each, 0) for each in {asked.words[at], *meant[at]})
                / max(self._works, 1),
            )
            for at in told
        ]
        found = await self._candidates(asked, meant, told, now, among=self._texts(shares))
        if not found and len(told) > 1:
            less = [math.prod([*shares[:at], *shares[at + 1 :]]) for at in range(len(shares))]
            among = self._texts([sum(less)])
            found = await self._candidates(asked, meant, told, now, among=among, but_one=True)
        return found

    def _texts(self, shares: Sequence[float]) -> Among:
        """Where synopses are looked into, of which each word has these shares: those that have all
        words, or works by their popularity until enough of them have, whichever are fewer."""
        having = math.prod(shares) * self._works
        return "popular texts" if having > math.sqrt(self._width * self._works) else "texts"

    async def _read_as_slips(
        self,
        asked: Question,
        places: Sequence[int],
        meant: list[dict[str, float]],
        often: list[Known],
    ) -> None:
        """Tell ``meant`` what the words of these places may be slips of, and ``often`` where those
        are: a slip of a frequent word is a frequent word."""
        if not places:
            return
        slips = [
            asking.Slip(word=word, keys=folding.near_keys(word), sound=folding.sound(word))
            for word in (asked.words[at] for at in places)
        ]
        near = await asking.near(self._database, self._number, slips)
        for at, found in zip(places, near, strict=True):
            known = {word: where for word, where, _ in found}
            self._told |= {word: each.told for word, each in known.items()}
            meant[at] = spelling.meant(
                asked.words[at],
                [(word, where.often, sound) for word, where, sound in found],
                unfinished=asked.unfinished and at == len(asked.words) - 1,
            )
            others = [known[word] for word in meant[at] if word != asked.words[at]]
            often[at] = Known(
                often=often[at].often + sum(each.often for each in others),
                titled=often[at].titled + sum(each.titled for each in others),
                told=max(often[at].told, *(each.told for each in others[:1]), 0),
            )

    def _telling(self, often: Sequence[Known]) -> list[int]:
        """The places of the words that tell works apart; all of them where none does."""
        most = max(FEW, FREQUENT * self._works)
        telling = [at for at, word in enumerate(often) if word.often <= most]
        return telling or list(range(len(often)))

    def _among(self, telling: Sequence[int], often: Sequence[Known]) -> Among:
        """Whether so many works are expected that the most popular ones have enough of them."""
        works = max(self._works, 1)
        found = math.prod(often[at].often / works for at in telling) * works
        titled = math.prod(often[at].titled / works for at in telling) * works
        if titled > frequent(self._works):
            return "popular names"
        return "popular" if found > frequent(self._works) else "names"

    def _queries(
        self, asked: Question, meant: Sequence[Mapping[str, float]], places: Sequence[int]
    ) -> list[str]:
        last = len(asked.words) - 1
        return [
            spelling.word_query(
                asked.words[at], meant[at], unfinished=asked.unfinished and at == last
            )
            for at in places
        ]

    async def _candidates(
        self,
        asked: Question,
        meant: Sequence[Mapping[str, float]],
        places: Sequence[int],
        now: datetime,
        *,
        among: Among = "names",
        but_one: bool = False,
    ) -> dict[str, asking.Vectored]:
        queries = self._queries(asked, meant, places)
        words = [asked.words[at] for at in places]
        found = await asking.candidates(
            self._database,
            self._number,
            query=spelling.all_but_one(queries) if but_one else spelling.all_of(words, queries),
            words=self._queries(asked, meant, range(len(asked.words))),
            whole=asked.whole,
            among=among,
            seen_only=self._viewpoint.seen_only,
            now=now,
            limit=self._width,
        )
        self.more = self.more or len(found) >= self._width
        return found

    async def _names(self, query: str, *, popular: bool) -> list[ranking.NameCandidate]:
        return await asking.names(self._database, self._number, query, MOST_NAMES, popular=popular)

    async def _naming(
        self, names: Sequence[ranking.NameCandidate], now: datetime
    ) -> dict[str, list[WorkId]]:
        if not names:
            return {}
        return await asking.naming(
            self._database,
            self._number,
            names,
            self._works,
            seen_only=self._viewpoint.seen_only,
            now=now,
            limit=MOST_NAMED,
        )

    async def _watched(self) -> list[bytes]:
        watched = self._viewpoint.watched
        if not watched:
            return []
        return await asking.vectors(self._database, self._number, watched)
