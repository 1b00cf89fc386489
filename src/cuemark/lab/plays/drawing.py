"""Windows of rights as a schedule has them: they begin, end and are announced around now."""

import random
from datetime import datetime, timedelta
from typing import get_args

from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.rights import Holdback, LicenceType, Moment, Window

ZONES = ("UTC", "UTC", "local", "Europe/Berlin", "-08:00")
AROUND_MIN = (-10 * 1440, -1440, -120, -20, -10, -2, 2, 5, 30, 120, 420, 2 * 1440)
SOON_MIN = (2, 20, 60, 300)
TYPES: tuple[LicenceType, ...] = ("SVOD", "SVOD", "SVOD", "AVOD", *get_args(LicenceType))


PLANS: tuple[tuple[LicenceType, ...], ...] = (
    (),
    (),
    ("SVOD",),
    ("AVOD",),
    ("SVOD", "AVOD"),
    ("FVOD",),
)
"""The licence types of plans; the install's where a plan names none."""


def allowance(rng: random.Random) -> Allowance:
    return Allowance(streams=rng.randint(1, 3), licence_types=rng.choice(PLANS))


def windows(rng: random.Random, now: datetime) -> list[Window]:
    """None: the title plays nowhere. Every second time one holds everywhere, and ends soon."""
    found = [_window(rng, now, number) for number in range(rng.choice((0, 1, 1, 2, 3)))]
    if rng.random() < 0.5:
        end = _at(now, rng.choice(SOON_MIN), "UTC")
        held = Window(window_id="held", territories=["WW"], licence_type="SVOD", end=end)
        found.append(held)
    return found


def _window(rng: random.Random, now: datetime, number: int) -> Window:
    first, last = sorted(rng.sample(AROUND_MIN, 2))
    zone = rng.choice(ZONES)
    worldwide = rng.random() < 0.5
    early = rng.choice((-30, 30)) + first
    waits = [Holdback(window_id="w0", rule=rng.choice(("over", "apart")))]
    return Window(
        window_id=f"w{number}",
        territories=["WW"] if worldwide else rng.sample(("DE", "US"), rng.choice((1, 2))),
        licence_type=rng.choice(TYPES),
        start=_at(now, first, zone) if rng.random() < 0.8 else None,
        end=_at(now, last, zone) if rng.random() < 0.8 else None,
        excluding=["US"] if worldwide and rng.random() < 0.2 else [],
        exclusive=rng.random() < 0.1,
        announce=_at(now, early, zone) if rng.random() < 0.2 else None,
        holdbacks=waits if number and rng.random() < 0.2 else [],
    )


def _at(now: datetime, minutes: int, zone: str) -> Moment:
    """What a clock of Berlin shows so many minutes from now. Elsewhere that is hours away."""
    wall = now.replace(microsecond=0, tzinfo=None) + timedelta(minutes=minutes)
    wall += timedelta(hours=1) if zone in ("local", "Europe/Berlin") else timedelta()
    return Moment(wall=wall.isoformat(), zone=zone)
