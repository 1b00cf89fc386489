"""Pages of what was found: a place is that of the last hit that was shown, and tells no more."""

from collections.abc import Mapping, Sequence

from cuemark.contexts.search.model.entries import Called
from cuemark.contexts.search.model.ranking import Ranked
from cuemark.contracts.catalog.works import WorkSummary
from cuemark.contracts.ids import WorkId
from cuemark.contracts.search import Found, Hit
from cuemark.kit.pages import PageInvalid, cursor_of, keys_of

Place = tuple[float, str]
_MORE = 2
"""How many are looked at beyond those that are wanted, as some are not shown."""


class Placed:
    """Goes through what was found, and keeps what is shown of it."""

    def __init__(self, found: Sequence[Ranked], after: Place | None) -> None:
        self._left = [each for each in found if after is None or _place(each) > after]
        self.hits: list[tuple[Place, Hit]] = []

    def next_chunk(self, limit: int) -> list[Ranked]:
        size = limit + 1 - len(self.hits) + _MORE
        chunk, self._left = self._left[:size], self._left[size:]
        return chunk

    def take(
        self,
        chunk: Sequence[Ranked],
        shown: Mapping[WorkId, WorkSummary],
        naming: Mapping[str, Sequence[WorkId]],
        languages: Sequence[str],
    ) -> None:
        for each in chunk:
            if each.what == "work":
                work = shown.get(WorkId(each.found_id))
                name = work.name if work else ""
            else:
                work, name = None, name_for(each.names, languages)
                if not any(one in shown for one in naming.get(each.found_id, [])):
                    continue
            if work is not None or each.what != "work":
                hit = Hit(what=each.what, hit_id=each.found_id, name=name, why=each.why, work=work)
                self.hits.append((_place(each), hit))


def taken(placed: Placed, limit: int) -> Found:
    """A page of at most ``limit``; there is another one where one more is shown."""
    page = placed.hits[:limit]
    more = len(placed.hits) > limit
    cursor = ""
    if more:
        (score, found_id), _ = page[-1]
        cursor = cursor_of(f"{-score:.6f}", found_id)
    return Found(hits=[hit for _, hit in page], next_cursor=cursor)


def place_of(cursor: str) -> Place | None:
    """Raises ``PageInvalid``."""
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    try:
        score = float(keys[0])
    except ValueError as error:
        raise PageInvalid("The cursor is not one of ours: ask for the first page.") from error
    return -score, keys[1]


def name_for(names: Sequence[Called], languages: Sequence[str]) -> str:
    """A name for a reader: in the first language that it is told in, or the first of all."""
    for wanted in languages:
        primary = wanted.partition("-")[0].lower()
        for exact in (True, False):
            for each in names:
                tag = each.language.lower()
                if tag == wanted.lower() if exact else tag.partition("-")[0] == primary:
                    return each.name
    return names[0].name if names else ""


def _place(found: Ranked) -> Place:
    return -found.score, found.found_id
