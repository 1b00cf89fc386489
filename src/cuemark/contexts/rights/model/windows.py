"""What a title's windows may be, and which of them a territory has."""

import re
from collections.abc import Sequence

from cuemark.contexts.rights.model.zones import (
    check_zone,
    instant_of,
    territories,
    wall_of,
)
from cuemark.contracts.rights import (
    WORLDWIDE,
    Moment,
    RightsInvalid,
    TitleWindows,
    Window,
)

MOST_WINDOWS = 2000
MOST_IN_TERRITORY = 64
MOST_TITLES = 2000
MOST_HOLDBACKS = 16
_ID = re.compile(r"[\x21-\x7e]{1,100}")


def checked_sets(sets: Sequence[TitleWindows]) -> None:
    """Raises ``RightsInvalid`` with the first thing that is wrong."""
    if not 1 <= len(sets) <= MOST_TITLES:
        raise RightsInvalid(f"Set the rights of 1 to {MOST_TITLES} titles at once.")
    if len({each.title_id for each in sets}) != len(sets):
        raise RightsInvalid("A title is named twice.")
    for each in sets:
        check(each.windows)


def check(windows: Sequence[Window]) -> None:
    """Raises ``RightsInvalid`` where these cannot be the windows of one title."""
    if len(windows) > MOST_WINDOWS:
        raise RightsInvalid(f"A title has {MOST_WINDOWS} windows at most.")
    ids = [window.window_id for window in windows]
    if len(set(ids)) != len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise RightsInvalid(f"Two windows have the id {twice[:100]!r}.")
    for window in windows:
        _check(window, set(ids))
    counts: dict[str, int] = {}
    for window in windows:
        for territory in window.territories:
            counts[territory] = counts.get(territory, 0) + 1
    most = max((n for where, n in counts.items() if where != WORLDWIDE), default=0)
    if most + counts.get(WORLDWIDE, 0) > MOST_IN_TERRITORY:
        raise RightsInvalid(f"A title has {MOST_IN_TERRITORY} windows at most in one territory.")


def _check(window: Window, ids: set[str]) -> None:
    if not _ID.fullmatch(window.window_id):
        raise RightsInvalid("A window's id has 1 to 100 characters of ASCII without spaces.")
    called = f"Window {window.window_id}"
    if window.territories != [WORLDWIDE]:
        if not window.territories:
            raise RightsInvalid(f"{called} names no territory: {WORLDWIDE} stands for all.")
        if window.excluding:
            raise RightsInvalid(f"{called} excludes territories and is not worldwide.")
    for territory in (*window.territories, *window.excluding):
        if territory != WORLDWIDE or window.territories != [WORLDWIDE]:
            check_territory(territory, called)
    for named in (window.territories, window.excluding):
        if len(set(named)) != len(named):
            raise RightsInvalid(f"{called} names a territory twice.")
    for name in ("start", "end", "announce"):
        moment: Moment | None = getattr(window, name)
        if moment is not None:
            check_zone(moment.zone, f"The {name} of window {window.window_id}")
            wall_of(moment.wall, f"The {name} of window {window.window_id}")
    _check_order(window, called)
    if len(window.holdbacks) > MOST_HOLDBACKS:
        raise RightsInvalid(f"{called} waits for more than {MOST_HOLDBACKS} others.")
    for holdback in window.holdbacks:
        if holdback.window_id not in ids or holdback.window_id == window.window_id:
            raise RightsInvalid(
                f"{called} waits for {holdback.window_id[:100]!r}, which is no other window of "
                "this title."
            )


def check_territory(territory: str, called: str) -> None:
    """Raises ``RightsInvalid`` where it is no code of a territory."""
    if territory not in territories():
        raise RightsInvalid(
            f"{called} names the territory {territory[:20]!r}: write two letters of ISO 3166-1 "
            "such as DE."
        )


def _check_order(window: Window, called: str) -> None:
    """Raises ``RightsInvalid`` where the window ends before it starts in one of its territories.

    A worldwide one must end after it has started everywhere, by whichever clocks it goes.
    """
    if window.start is None or window.end is None:
        return
    where = window.territories
    if window.start.zone == window.end.zone:
        where = where[:1]
    elif where == [WORLDWIDE]:
        where = [""]
    for territory in where:
        start = instant_of(window.start, territory, ends=False)
        if instant_of(window.end, territory, ends=True) <= start:
            raise RightsInvalid(f"{called} does not end after it starts.")


def covers(window: Window, territory: str) -> bool:
    """Whether the window has a territory. An empty one is not known: only windows have it that are
    the same everywhere, excluding nothing and waiting for nothing."""
    if window.territories != [WORLDWIDE]:
        return territory in window.territories
    if not territory:
        return not window.excluding and not window.holdbacks
    return territory not in window.excluding


def by_territory(windows: Sequence[Window]) -> dict[str, list[Window]]:
    """The windows that decide in each territory beside those under ``WW``, which is always there.

    Under the empty one, which is that of clients whose territory is not known, are those that are
    exclusive in some.
    """
    found: dict[str, list[Window]] = {WORLDWIDE: []}
    for window in windows:
        for territory in window.territories:
            found.setdefault(territory, []).append(window)
        if window.exclusive and window.territories != [WORLDWIDE]:
            found.setdefault("", []).append(window)
    return found
