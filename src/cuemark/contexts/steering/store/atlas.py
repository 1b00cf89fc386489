"""Where addresses are, read from databases in MaxMind's format that whoever runs this provides."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

import maxminddb
import structlog

from cuemark.contexts.steering.model.places import NOWHERE, place_in
from cuemark.contracts.steering.routes import Place
from cuemark.kit.clock import Clock

LOOK_EVERY_S = 10.0


class Atlas:
    """The databases at ``paths``. A file that is replaced is read anew within ``LOOK_EVERY_S``; one
    that is missing or damaged says nothing."""

    def __init__(self, paths: Sequence[Path], clock: Clock) -> None:
        self._clock = clock
        self._readers: dict[Path, maxminddb.Reader | None] = dict.fromkeys(paths)
        self._marks: dict[Path, tuple[int, int]] = {}
        self._looked_s = float("-inf")

    def place(self, address: str) -> Place:
        """Where an IP address is, as far as they say."""
        if not self._readers:
            return NOWHERE
        self._look()
        records: list[object] = []
        for path, reader in self._readers.items():
            if reader is not None:
                try:
                    records.append(reader.get(address))
                except (ValueError, maxminddb.InvalidDatabaseError) as error:
                    structlog.get_logger().warning(
                        "place_unknown", path=str(path), trouble=type(error).__name__
                    )
        return place_in(records)

    def close(self) -> None:
        for reader in self._readers.values():
            if reader is not None:
                reader.close()

    def _look(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        for path in self._readers:
            mark = (0, 0)
            with contextlib.suppress(OSError):
                stat = os.stat(path)
                mark = (stat.st_ino, stat.st_mtime_ns)
            if self._marks.get(path) != mark:
                self._marks[path] = mark
                self._open(path)

    def _open(self, path: Path) -> None:
        before = self._readers[path]
        try:
            self._readers[path] = maxminddb.open_database(path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            structlog.get_logger().error("atlas_unreadable", path=str(path), trouble=str(error))
            return
        if before is not None:
            before.close()
