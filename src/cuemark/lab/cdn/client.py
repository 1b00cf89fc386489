"""``python -m cuemark.lab.cdn.client``: one viewer, who tells each half second what he sees.

The title, the API, a login code and how many seconds are its arguments. Each line of stdout is a
``Glance``; the last one is an ``Ending``.
"""

import asyncio
import sys

import msgspec

from cuemark.kit.clock import Clock, SystemClock
from cuemark.kit.process import run_and_leave
from cuemark.player.api import LoginCode
from cuemark.player.errors import PlayerError
from cuemark.player.report import Report
from cuemark.player.session import Moment, Options, play

EVERY_S = 0.5


class Glance(msgspec.Struct, frozen=True, kw_only=True, tag="glance"):
    """``clock_s`` is of the machine's monotonic clock, which all processes share.

    ``appliance_id`` is empty before the first segment came.
    """

    clock_s: float
    position_s: float
    buffer_s: float
    rung: str
    appliance_id: str
    stalled: bool


class Ending(msgspec.Struct, frozen=True, kw_only=True, tag="ending"):
    """``began_s`` and ``ended_s`` are of the monotonic clock.

    A play that failed has an ``error``, and a report where it had begun.
    """

    began_s: float
    ended_s: float
    error: str = ""
    report: Report | None = None


class Telling:
    """Writes down what changed, and each half second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_s = 0.0
        self._last = ("", False)

    def see(self, now: Moment) -> None:
        clock_s, state = self._clock.monotonic_s(), (now.appliance_id, now.stalled)
        if clock_s < self._next_s and state == self._last:
            return
        self._next_s, self._last = clock_s + EVERY_S, state
        told = Glance(
            clock_s=clock_s,
            position_s=now.position_s,
            buffer_s=now.buffer_s,
            rung=now.rung,
            appliance_id=now.appliance_id,
            stalled=now.stalled,
        )
        write(told)


def write(told: Glance | Ending) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    title, api_url, code, seconds, form = sys.argv[1:6]
    options = Options(
        api_url=api_url,
        credential=LoginCode(code),
        title=title,
        seconds=float(seconds),
        from_s=0.0,
        format="hls" if form == "hls" else "dash",
    )
    clock = SystemClock()
    began_s, error = clock.monotonic_s(), ""
    report: Report | None = None
    try:
        report = asyncio.run(play(options, watch=Telling(clock).see))
    except PlayerError as failed:
        error, report = str(failed), failed.report
    write(Ending(began_s=began_s, ended_s=clock.monotonic_s(), error=error, report=report))


if __name__ == "__main__":
    run_and_leave(main)
