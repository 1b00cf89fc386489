"""What control wants this appliance to have: its last manifest, checked, and kept on disk.

With control away the appliance goes on under it. Nothing that it says is believed unseen: what
cannot be a track, a size or a number of plays is left out, and the log says how much that was.
"""

import contextlib
import math
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from cuemark.contracts.fill import Manifest, PlannedTrack
from cuemark.contracts.ids import VersionId
from cuemark.edge.nginx import VERSION_FORM
from cuemark.edge.tracks import Track
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import write_private

FILE = "run/manifest.json"
MOST_PLANNED = 200_000
"""Tracks that are believed of each list of a manifest."""
_VERSION = re.compile(VERSION_FORM)
_TRACK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)


def checked(manifest: Manifest) -> Manifest:
    """What of a manifest can be followed: each track once in each list, in its order."""
    return msgspec.structs.replace(
        manifest, fetch=_checked(manifest.fetch), keep=_checked(manifest.keep)
    )


def _checked(listed: Sequence[PlannedTrack]) -> list[PlannedTrack]:
    found: dict[Track, PlannedTrack] = {}
    for each in listed:
        if len(found) == MOST_PLANNED:
            break
        if _can_be(each):
            found.setdefault(named(each), each)
    return list(found.values())


def _can_be(each: PlannedTrack) -> bool:
    right_names = _VERSION.fullmatch(each.version_id) and _TRACK.fullmatch(each.track_id)
    plays = each.expected_plays
    return bool(right_names) and each.size_bytes >= 0 and math.isfinite(plays) and plays >= 0


def named(each: PlannedTrack) -> Track:
    return Track(each.version_id, each.track_id)


def worths(manifest: Manifest) -> dict[Track, float]:
    """What each track that a manifest names is worth: its expected plays. What is fetched is to
    be kept, or it would make room for what is fetched next."""
    found: dict[Track, float] = {}
    for each in [*manifest.fetch, *manifest.keep]:
        track = named(each)
        found[track] = max(found.get(track, 0.0), each.expected_plays)
    return found


def plays_of_versions(manifest: Manifest) -> dict[VersionId, float]:
    """What is expected of the best track of each version that a manifest names."""
    found: dict[VersionId, float] = {}
    for track, plays in worths(manifest).items():
        found[track.version_id] = max(found.get(track.version_id, 0.0), plays)
    return found


class Plan:
    """The manifest in force; ``manifest_id`` is empty where control never made one."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.manifest = Manifest(manifest_id="")
        with contextlib.suppress(FileNotFoundError, *UNREADABLE):
            self.manifest = checked(msgspec.json.decode(self._path.read_bytes(), type=Manifest))

    def take(self, news: Manifest) -> bool:
        """Hold what control says; whether that is another manifest than before.

        Where it cannot be written, the disk being full, it is in force until the next start.
        """
        if news.unchanged or news.manifest_id in ("", self.manifest.manifest_id):
            return False
        self.manifest = checked(news)
        told = len(news.fetch) + len(news.keep)
        believed = len(self.manifest.fetch) + len(self.manifest.keep)
        log = structlog.get_logger()
        log.info(
            "manifest_taken",
            manifest_id=news.manifest_id[:80],
            fetch=len(self.manifest.fetch),
            keep=len(self.manifest.keep),
        )
        if believed < told:
            log.warning("manifest_not_believed", tracks=told - believed)
        try:
            write_private(self._path, msgspec.json.encode(self.manifest))
        except OSError as error:
            log.error("manifest_not_written", error=str(error))
        return True
