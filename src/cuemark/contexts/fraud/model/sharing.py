"""Account sharing: whether an account is one household or several that pay once.

Devices that were seen in the same place belong together, and so do places in which the same device
was seen; what hangs together like that is one group. A household that travels stays one group,
since its devices go with it. Another household is a group of its own for good, and watches on the
days on which the first one does, too. A television in a holiday home is a group of its own as well,
but while it is watched the home is empty. Where two groups play at once, that is told too.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from cuemark.contracts.fraud import Reason, Step

DAYS = 28
FEWEST_DAYS, FEWEST_TOGETHER = 8, 6
"""A group counts as another household from so many days on, and so many of them in common."""
MANY_DEVICES = 12
NOTICE, LETTER = 40, 75
MOST_FOR_OVERLAP = 15


class Seen(NamedTuple):
    """On a day, a device (by its login) in a network, in a territory if that is known; ``beside``
    are devices that played while it did."""

    day: date
    device: str
    network: str
    territory: str
    beside: frozenset[str] = frozenset()


class Group(NamedTuple):
    """``beside`` are devices that played while one of the group did, with the day."""

    days: frozenset[date]
    devices: frozenset[str]
    networks: frozenset[str]
    territories: frozenset[str]
    beside: frozenset[tuple[date, str]]


class SharingJudgement(NamedTuple):
    step: Step
    score: int
    reasons: tuple[Reason, ...]


def judge(seen: Sequence[Seen], today: date) -> SharingJudgement:
    """What is done about an account of which this was seen."""
    since = today - timedelta(days=DAYS)
    groups = groups_of(each for each in seen if since < each.day <= today)
    if not groups:
        return SharingJudgement("pass", 0, ())
    home, *others = groups
    reasons = [reason for other in others for reason in _household(home, other)]
    if reasons:
        devices = sum(len(group.devices) for group in groups)
        points = min(15, max(0, devices - MANY_DEVICES) * 3)
        reasons.append(Reason(code="devices", points=points, text=f"{devices} devices"))
    kept = tuple(each for each in reasons if each.points)
    score = min(100, sum(each.points for each in kept))
    step: Step = "pass" if score < NOTICE else "notice" if score < LETTER else "letter"
    return SharingJudgement(step, score, kept)


def groups_of(seen: Iterable[Seen]) -> list[Group]:
    """What hangs together, by devices and places; that with the most days first."""
    rows = list(seen)
    above: dict[tuple[str, str], tuple[str, str]] = {}

    def top(one: tuple[str, str]) -> tuple[str, str]:
        above.setdefault(one, one)
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    for row in rows:
        device = top(("device", row.device))
        if row.network:
            above[device] = top(("network", row.network))
    members: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for row in rows:
        members[top(("device", row.device))].append(row)
    groups = [
        Group(
            frozenset(each.day for each in group),
            frozenset(each.device for each in group),
            frozenset(each.network for each in group if each.network),
            frozenset(each.territory for each in group if each.territory),
            frozenset((each.day, device) for each in group for device in each.beside),
        )
        for group in members.values()
    ]
    return sorted(groups, key=lambda each: (-len(each.days), sorted(each.devices)))


def _household(home: Group, other: Group) -> list[Reason]:
    """What speaks for another household; nothing where no place is known.

    Plays at once are no more than another reason: families have them, too, in one place.
    """
    together = len(home.days & other.days)
    if len(other.days) < FEWEST_DAYS or together < FEWEST_TOGETHER or not other.networks:
        return []
    abroad = bool(other.territories and home.territories) and not (
        other.territories & home.territories
    )
    points = min(55, 24 + 2 * together) + 10 * abroad
    where = ", ".join(sorted(other.networks)[:3])
    at_once = len(_at_once(home, other) | _at_once(other, home))
    return [
        Reason(
            code="household",
            points=points,
            text=f"{len(other.devices)} devices in {where} on {len(other.days)} days, on "
            f"{together} of them on the same days as at home",
        ),
        Reason(
            code="overlap",
            points=min(MOST_FOR_OVERLAP, 3 * at_once),
            text=f"days with plays at once there and at home: {at_once}",
        ),
    ]


def _at_once(one: Group, other: Group) -> set[date]:
    """The days on which devices of both played at once."""
    return {day for day, device in one.beside if device in other.devices}
