"""Account sharing: whether an account is one household or several that pay once.

Devices that were seen in the same place belong together, and so do places in which the same device
was seen; what hangs together like that is one group. A household that travels stays one group,
since its devices go with it. Another household is a group of its own for good, and watches on the
days on which the first one does, too. A television in a holiday home is a group of its own as well,
but while it is watched the home is empty.
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


class Seen(NamedTuple):
    """On a day, a device (by its login) in a network, in a territory if that is known."""

    day: date
    device: str
    network: str
    territory: str


class Group(NamedTuple):
    days: frozenset[date]
    devices: frozenset[str]
    networks: frozenset[str]
    territories: frozenset[str]


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
    reasons = [reason for other in others if (reason := _household(home, other)) is not None]
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
        )
        for group in members.values()
    ]
    return sorted(groups, key=lambda each: (-len(each.days), sorted(each.devices)))


def _household(home: Group, other: Group) -> Reason | None:
    """What speaks for another household; None where nothing does, or no place is known."""
    together = len(home.days & other.days)
    if len(other.days) < FEWEST_DAYS or together < FEWEST_TOGETHER or not other.networks:
        return None
    abroad = bool(other.territories and home.territories) and not (
        other.territories & home.territories
    )
    points = min(55, 24 + 2 * together) + 10 * abroad
    where = ", ".join(sorted(other.networks)[:3])
    return Reason(
        code="household",
        points=points,
        text=f"{len(other.devices)} devices in {where} on {len(other.days)} days, on {together} of "
        "them at the same time as at home",
    )
