"""A segment's download, watched: whether it goes on, and what is fetched instead. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from cuemark.player import abr
from cuemark.player.download import DownloadFailed, Progress

STALLING_S = 5.0
"""How long an appliance may trickle. A loss on a narrow line with a long queue looks like it for
some seconds: what came after is not given to who reads until what was lost has come again."""


class Around(msgspec.Struct, frozen=True):
    """What a watcher sees of the play. ``left_s`` is what the viewer has before the segment is due.

    ``usual_kbps`` is what downloads of late came at, None before any; ``superseded`` whether an
    earlier segment waits to be fetched, and ``elsewhere`` whether another appliance can be asked.
    """

    left_s: float
    begun: bool
    usual_kbps: float | None
    superseded: bool
    elsewhere: bool


class Watching:
    """Of one attempt at a segment. ``lower`` is the rung to fetch instead, where it was stopped.

    Without one it was stopped because an earlier segment must come first.
    """

    def __init__(
        self,
        ladder_kbps: Sequence[float],
        rung: int,
        segment_s: float,
        around: Callable[[], Around],
    ) -> None:
        self._ladder_kbps = ladder_kbps
        self._rung = rung
        self._segment_s = segment_s
        self._around = around
        self._has_left = False
        self._stalling_since_s: float | None = None
        self.pace = abr.Pace()
        self.lower: int | None = None

    def __call__(self, progress: Progress) -> bool:
        """Whether it goes on. Raises ``DownloadFailed`` where the appliance is what is slow.

        That is once for a segment: what then comes as slowly is the line's.
        """
        around = self._around()
        if around.superseded:
            return False
        self.pace.add(progress.received_bytes, progress.elapsed_s)
        latest_bytes, latest_s = self.pace.latest
        rate_kbps = self._ladder_kbps[self._rung]
        download = abr.Download(
            ladder_kbps=self._ladder_kbps,
            rung=self._rung,
            segment_s=self._segment_s,
            size_bytes=progress.size_bytes or int(rate_kbps * 125 * self._segment_s),
            received_bytes=progress.received_bytes,
            elapsed_s=progress.elapsed_s,
            latest_kbps=latest_bytes * 8 / 1000 / latest_s,
            buffer_s=around.left_s if around.begun else max(around.left_s, self._segment_s),
        )
        self.lower = abr.abandon(download)
        if self.lower is not None:
            return False
        if not abr.stalls(download, around.usual_kbps):
            self._stalling_since_s = None
        elif self._stalling_since_s is None:
            self._stalling_since_s = progress.elapsed_s
        elif progress.elapsed_s - self._stalling_since_s >= STALLING_S:
            self._leave(around)
        return True

    def _leave(self, around: Around) -> None:
        if around.elsewhere and not self._has_left:
            self._has_left = True
            self._stalling_since_s = None
            raise DownloadFailed("what it sends is a trickle beside what came before")
