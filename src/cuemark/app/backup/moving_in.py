"""The end of a restore: what it made in ``DATA/.moving-in`` takes its place.

From there on whoever opens the folder next finishes the moving, so a restore that is killed has
happened or has not.
"""

import shutil

import msgspec

from cuemark.app.folder import DataFolder
from cuemark.kit.objects import fsync

MOVING, PLAN = ".moving-in", "plan.json"


class Plan(msgspec.Struct, frozen=True):
    """How a restore ends: what goes to ``replaced``, and what comes in its place."""

    replaced: str
    leaving: list[str]
    arriving: list[str]


def finish(folder: DataFolder) -> None:
    """Move in what a restore has made, where one was killed while it did that. Hold the lock."""
    moving = folder.root / MOVING
    if not moving.exists():
        return
    plan = msgspec.json.decode((moving / PLAN).read_bytes(), type=Plan)
    aside = folder.root / plan.replaced
    for name in plan.leaving:
        place, arriving = folder.root / name, moving / name
        if name in plan.arriving and not arriving.exists():
            continue
        if place.exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            place.rename(aside / name)
        if arriving.exists():
            arriving.rename(place)
    fsync(folder.root)
    shutil.rmtree(moving)
