"""How much an appliance sends, by what the kernel says its nginx has written."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuemark.edge.nginx import PID
from cuemark.edge.traffic import AVERAGED_S, Meter
from cuemark.kit.clock import ManualClock

WORKER = """
import sys
for line in sys.stdin:
    open("/dev/null", "wb").write(b"x" * int(line))
    print(flush=True)
"""
MASTER = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WORKER!r}])"


class Master:
    """A process with one worker, which writes as many bytes as it is told."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", MASTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        (folder / PID).parent.mkdir()
        (folder / PID).write_text(f"{self.process.pid}\n")

    def write(self, count: int) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    started = Master(tmp_path)
    started.write(1)
    yield started
    started.end()


def test_the_rate_is_that_of_the_workers_of_some_seconds(tmp_path: Path, master: Master) -> None:
    clock = ManualClock()
    clock.advance(1)
    meter = Meter(tmp_path, clock)
    assert meter.kbps() == 0
    master.write(1_000_000)
    clock.advance(AVERAGED_S)
    assert meter.kbps() == pytest.approx(8_000 / AVERAGED_S, rel=0.01)
    clock.advance(AVERAGED_S / 2)
    half = meter.kbps()
    assert half == pytest.approx(4_000 / AVERAGED_S, rel=0.02)
    clock.advance(100 * AVERAGED_S)
    assert meter.kbps() < 5


def test_a_first_look_and_one_at_the_same_moment_tell_no_rate(
    tmp_path: Path, master: Master
) -> None:
    clock = ManualClock()
    clock.advance(1)
    meter = Meter(tmp_path, clock)
    master.write(1_000_000)
    assert (meter.kbps(), meter.kbps()) == (0, 0)


def test_what_a_new_worker_wrote_before_it_was_seen_is_not_counted(
    tmp_path: Path, master: Master
) -> None:
    clock = ManualClock()
    clock.advance(1)
    meter = Meter(tmp_path, clock)
    (tmp_path / PID).write_text("0\n")
    meter.kbps()
    (tmp_path / PID).write_text(f"{master.process.pid}\n")
    master.write(1_000_000)
    clock.advance(AVERAGED_S)
    assert meter.kbps() == 0


@pytest.mark.parametrize("text", [None, "", "x", "999999999"])
def test_without_an_nginx_nothing_is_sent(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / PID).parent.mkdir()
        (tmp_path / PID).write_text(text)
    clock = ManualClock()
    clock.advance(1)
    meter = Meter(tmp_path, clock)
    meter.kbps()
    clock.advance(1)
    assert meter.kbps() == 0
