"""The machine's clock is set a day forward and a day back, and nothing waits for that day.

nginx and FFmpeg are linked statically, so the shim does not reach them: they stay at the real
time, which is why no step goes behind it (a token would then be over for nginx alone).
"""

import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.installation import wait_until
from tests.e2e.kills.conftest import Accepted
from tests.e2e.kills.running import WatchedInstallation
from tests.e2e.kills.victims import kill_child

pytestmark = pytest.mark.slow

DAY_S = 24 * 3600
TITLE = "Killed anywhere"


class SteppedClock:
    """The clock of all processes that run under the shim."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        assert compiler, "this test needs a C compiler: install gcc"
        shim = folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        argv = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-o", str(shim), str(source)]
        subprocess.run(argv, check=True)
        self._ahead = folder / "ahead"
        self._ahead.write_bytes(struct.pack("q", 0))
        self.environment = {"LD_PRELOAD": str(shim), "CUEMARK_TEST_CLOCK": str(self._ahead)}

    def set(self, ahead_s: int) -> None:
        """In place: a mapped file that is written anew would stay what it was."""
        with self._ahead.open("r+b") as file:
            file.write(struct.pack("q", ahead_s))


@pytest.fixture
def clock(tmp_path: Path) -> SteppedClock:
    return SteppedClock(tmp_path)


@pytest.fixture
def installation(
    accepted: Accepted, tmp_path: Path, clock: SteppedClock
) -> Iterator[WatchedInstallation]:
    installation = accepted.copy(tmp_path / "data", clock.environment)
    yield installation
    installation.kill_all()


def test_the_clock_steps_a_day_each_way(
    accepted: Accepted, installation: WatchedInstallation, clock: SteppedClock
) -> None:
    installation.start()
    installation.wait_serving()
    wait_until(lambda: bool(installation.encoded()), 90, "the encoding is on its way")
    clock.set(DAY_S)
    began_s = time.monotonic()
    installation.wait_done(accepted.version_id)
    assert reported_within(installation, 10, DAY_S)
    assert plays(installation)
    for ahead_s in (0, DAY_S, 0):
        clock.set(ahead_s)
        wait_until(partial(reported_within, installation, 10, ahead_s), 10, "they report")
        assert plays(installation)
    job = installation.job(accepted.version_id)
    assert job is not None
    assert min(job["watchable_s"], job["good_s"]) >= 0
    assert installation.events("child_ended") == [], "a child fell over the clock"
    kill_child(installation, "appliance-1-agent")
    wait_until(lambda: len(installation.events("child_serves_again")) == 1, 30, "it is back")
    assert plays(installation)
    assert time.monotonic() - began_s < DAY_S / 2
    installation.stop()


def plays(installation: WatchedInstallation) -> bool:
    report = installation.json("play", TITLE, "--as=viewer@cuemark.example", "--from=0")
    return bool(report["decode_errors"] == 0 and report["frames"] > 0)


def reported_within(installation: WatchedInstallation, seconds: float, ahead_s: int) -> bool:
    """Whether every appliance is alive, and its last report from now, as the clock has it."""
    now = datetime.now(UTC) + timedelta(seconds=ahead_s)
    return all(
        appliance["alive"]
        and abs(now - datetime.fromisoformat(appliance["last_report_at"]))
        < timedelta(seconds=seconds)
        for appliance in installation.status()["appliance_states"]
    )
