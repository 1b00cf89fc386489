"""What may lie in what. Kinds have ranks, and a work lies in one of a lower rank only: whatever is
moved, nothing can come to lie in itself."""

from collections.abc import Mapping

from cuemark.contracts.catalog.works import Kind, WorkInvalid, WorkMisplaced

HOLDERS: Mapping[Kind, str] = {"franchise": "frn", "series": "ser", "season": "sea"}
"""The kinds that hold others, and the kind of their ids."""
PLAYABLE: tuple[Kind, ...] = ("episode", "movie", "supplemental")
LARGEST_NUMBER = 99_999
MOST_INSIDE = 2000

PARENTS: Mapping[Kind, frozenset[Kind]] = {
    "franchise": frozenset(),
    "series": frozenset({"franchise"}),
    "season": frozenset({"series"}),
    "episode": frozenset({"season", "series"}),
    "movie": frozenset({"franchise", "series"}),
    "supplemental": frozenset({"franchise", "series", "season", "episode", "movie"}),
}
_ARTICLED: Mapping[Kind, str] = {"episode": "an episode"}


def check_place(
    kind: Kind, parent: Kind | None, number: int | None, *, itself: bool = False
) -> None:
    """Raises ``WorkMisplaced`` or ``WorkInvalid`` where a work cannot lie in a parent of that kind,
    or not without a number. ``itself`` says that the parent is the work, maybe by an older kind."""
    if itself:
        raise WorkMisplaced("A work cannot lie in itself.")
    if parent is not None and parent not in PARENTS[kind]:
        raise WorkMisplaced(f"{_one(kind).capitalize()} cannot lie in {_one(parent)}.")
    if parent is None and kind == "season":
        raise WorkMisplaced("A season lies in a series: say in which.")
    if number is not None and not 0 <= number <= LARGEST_NUMBER:
        raise WorkInvalid(f"number: {number} is none from 0 to {LARGEST_NUMBER}.")
    if parent is None and number is not None:
        raise WorkInvalid("number: a work that lies in no other one has no number there.")
    if number is None and (kind == "season" or (kind == "episode" and parent is not None)):
        raise WorkInvalid(f"number: {_one(kind)} needs its number.")


def check_kind(before: Kind, after: Kind, inside: int) -> None:
    """Raises ``WorkMisplaced`` where a work of one kind cannot become one of another."""
    if before == after:
        return
    if before in HOLDERS or after in HOLDERS:
        raise WorkMisplaced(f"{_one(before).capitalize()} cannot become {_one(after)}.")
    if after == "supplemental" and inside:
        raise WorkMisplaced("A supplemental holds nothing, and something lies in this work.")


def _one(kind: Kind) -> str:
    return _ARTICLED.get(kind, f"a {kind}")
