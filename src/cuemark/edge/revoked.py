"""The playback sessions whose tokens open nothing any more, as this appliance was told.

Kept in a file that njs reads too (``verify.js``), so that they outlive a restart, and control's
absence. A session leaves when its tokens have ended by themselves.
"""

import contextlib
import re
from pathlib import Path

import msgspec

from cuemark.contracts.steering.reports import MAX_REVOKED, Snapshot
from cuemark.kit.clock import Clock
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import write_private

REVOKED = "run/revoked.json"
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RevokedFile(msgspec.Struct, frozen=True):
    """``sessions`` says until when, in seconds; ``cursor`` is how far control's list was read."""

    cursor: str = ""
    sessions: dict[str, int] = {}


class Revoked:
    """The revoked sessions, on disk and in memory: at most ``MAX_REVOKED``, the newest."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / REVOKED
        self._clock = clock
        self._held = RevokedFile()
        with contextlib.suppress(FileNotFoundError, *UNREADABLE):
            self._held = msgspec.json.decode(self._path.read_bytes(), type=RevokedFile)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._held.sessions

    @property
    def cursor(self) -> str:
        return self._held.cursor

    def take(self, news: Snapshot) -> None:
        """Hold what is new; raises ``OSError`` where it cannot be written: it is news again then.

        What expired is forgotten with the next news, and counts for nothing before.
        """
        if not news.revoked and news.revoked_cursor == self._held.cursor:
            return
        now_s = self._clock.now().timestamp()
        told: dict[str, int] = {
            each.session_id: each.until_s
            for each in news.revoked
            if _SESSION.fullmatch(each.session_id)
        }
        merged = {**self._held.sessions, **told}
        running = [(name, until_s) for name, until_s in merged.items() if until_s > now_s]
        held = RevokedFile(news.revoked_cursor, dict(running[-MAX_REVOKED:]))
        write_private(self._path, msgspec.json.encode(held))
        self._held = held
