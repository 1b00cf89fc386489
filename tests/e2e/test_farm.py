"""The farm as its operators see it: priorities, cancel, lost workers, work that ends its worker."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
import requests

from cuemark.kit.database import IDLE_TRANSACTION_S
from tests.e2e.installation import Installation, ffmpeg, wait_until

SIZE, RATE = "480x270", 12
LEASE_S = 10.0


T = TypeVar("T")


def found(look: Callable[[], T | None], limit_s: float, what: str) -> T:
    """What ``look`` finds, once it is neither None nor empty."""
    until_s = time.monotonic() + limit_s
    while not (seen := look()):
        assert time.monotonic() < until_s, f"{what}: not so within {limit_s} s"
        time.sleep(0.05)
    return seen


class Farm:
    """An install, asked over HTTP: a command takes longer than some of what is looked at."""

    def __init__(self, install: Installation) -> None:
        self.install = install
        token = (install.folder / "secrets" / "operator_token").read_text()
        self._headers = {"authorization": f"Bearer {token}"}
        self._url = install.api_url

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self._url}{path}", headers=self._headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def job(self, version_id: str) -> Any:
        return self.get(f"/jobs/{version_id}")

    def workers(self) -> dict[str, Any]:
        return {each["executor_id"]: each for each in self.get("/farm")["workers"]}

    def holder(self, version_id: str, kind: str = "") -> Any:
        """A worker that has a task of a job in hand, and which; None where there is none."""
        for each in self.workers().values():
            work = each["in_hand"]
            if work and work["version_id"] == version_id and kind in ("", work["kind"]):
                return each
        return None

    def wait_for_holder(self, version_id: str, kind: str = "", limit_s: float = 60) -> Any:
        what = f"somebody has {kind or 'a task'} of {version_id} in hand"
        return found(lambda: self.holder(version_id, kind), limit_s, what)

    def wait_for_successor(self, worker: Any) -> None:
        """Wait until another process works under the name of a worker."""
        name, pid = worker["executor_id"], worker["pid"]
        wait_until(lambda: self.workers()[name]["pid"] != pid, 20, f"{name} is started again")

    def published(self, version_id: str) -> bool:
        return (self.install.folder / "objects" / "versions" / version_id).exists()


def film(path: Path, seconds: int, hue: int, size: str = SIZE, rate: int = RATE) -> Path:
    """A moving picture with a tone, of few frames."""
    source = f"testsrc2=size={size}:rate={rate}:duration={seconds}"
    tone = f"sine=frequency={300 + hue}:duration={seconds}"
    flags = ["-vf", f"hue=h={hue}", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "14"]
    ffmpeg(["-f", "lavfi", "-i", source, "-f", "lavfi", "-i", tone], flags, str(path))
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``sound`` takes long to encode the sound of."""
    folder = tmp_path_factory.mktemp("films")
    return {
        "long": film(folder / "long.mp4", 160, 10),
        "short": film(folder / "short.mp4", 6, 120),
        "sound": film(folder / "sound.mp4", 240, 240, "256x144", 6),
    }


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    install = Installation(tmp_path_factory.mktemp("farm") / "data", {"CUEMARK_APPLIANCES": "1"})
    install.up()
    try:
        yield Farm(install)
    finally:
        install.down()


@pytest.fixture(scope="module")
def long_job(farm: Farm, films: dict[str, Path]) -> str:
    """A title that keeps the farm busy while others come."""
    made = farm.install.ingest(films["long"], "Long", wait=False)
    return str(made["version_id"])


def tools_of(pid: int) -> list[int]:
    """The media tools that a worker runs."""
    pids = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "ffmpeg" in child.name() and child.status() != psutil.STATUS_ZOMBIE:
                    pids.append(child.pid)
    return pids


def alive(pids: list[int]) -> bool:
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def test_a_short_title_is_watchable_long_before_a_long_one_that_came_first(
    farm: Farm, films: dict[str, Path], long_job: str
) -> None:
    farm.wait_for_holder(long_job, "encode")
    short = farm.install.ingest(films["short"], "Short", wait=False)["version_id"]
    wait_until(lambda: farm.job(short)["watchable_s"] is not None, 60, "the short one is watchable")
    state = farm.job(long_job)
    stages = {each["stage"]: each for each in state["stages"]}
    assert state["watchable_s"] is None, "the long one had all its tasks on the queue before"
    assert stages["quick"]["done"] > 0, "and was not stopped for it"


def test_a_premiere_is_watchable_first_and_ends_nothing_that_is_in_hand(
    farm: Farm, films: dict[str, Path], long_job: str
) -> None:
    film, flags = str(films["short"]), ["--title", "Premiere", "--priority", "premiere"]
    premiere = farm.install.json("ingest", film, *flags)["version_id"]
    assert farm.install.json("jobs", "priority", long_job, "backlog")["priority"] == "backlog"
    wait_until(lambda: farm.job(premiere)["watchable_s"] is not None, 60, "it is watchable")
    assert farm.job(long_job)["state"] == "running"
    assert farm.install.events("task_hindered") == []
    queues = {each["priority"]: each for each in farm.get("/farm")["queues"]}
    assert queues["backlog"]["waiting"] > 0


def test_a_canceled_job_ends_its_tools_within_two_seconds_and_leaves_nothing_half(
    farm: Farm, long_job: str
) -> None:
    watching = subprocess.Popen(
        farm.install.command("jobs", "watch", long_job, "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    held = farm.wait_for_holder(long_job)
    pids = found(lambda: tools_of(held["pid"]), 30, "a tool of the job runs")
    began_s = time.monotonic()
    job = farm.install.json("jobs", "cancel", long_job)
    assert job["state"] == "failed"
    assert job["canceled_by"].startswith("operator ")
    wait_until(lambda: not alive(pids), 2, "the tools are ended")
    assert time.monotonic() - began_s < 5
    wait_until(lambda: farm.holder(long_job) is None, 5, "nobody has it in hand")
    wait_until(lambda: not farm.published(long_job), 10, "its leavings are swept")
    scratch = farm.install.folder / "objects" / "tmp"
    wait_until(lambda: not list(scratch.glob("worker-*/*")), 10, "no scratch is left")
    again = farm.install.json("jobs", "cancel", long_job)
    assert again["canceled_by"] == job["canceled_by"]
    out, error = watching.communicate(timeout=30)
    kinds = [json.loads(line)["kind"] for line in out.splitlines()]
    assert kinds[-1] == "JobCanceled"
    assert "JobProgressed" in kinds
    assert (watching.returncode, "canceled by operator" in error) == (1, True)


def test_the_work_of_a_worker_that_hangs_is_done_by_another_and_its_return_does_no_harm(
    farm: Farm, films: dict[str, Path]
) -> None:
    made = farm.install.ingest(films["short"], "Taken over", wait=False, effort="fast")
    version_id = made["version_id"]
    held = farm.wait_for_holder(version_id)
    os.kill(held["pid"], signal.SIGSTOP)
    try:
        wait_until(
            lambda: farm.workers()[held["executor_id"]]["state"] == "lost",
            # It may hang with a row locked; and where the machine is so busy that the judge itself
            # could not look, the lease begins anew.
            LEASE_S + IDLE_TRANSACTION_S + 40,
            "it is lost",
        )
        wait_until(lambda: farm.job(version_id)["state"] == "done", 90, "the other does it all")
    finally:
        os.kill(held["pid"], signal.SIGCONT)
    farm.wait_for_successor(held)
    job = farm.job(version_id)
    assert (job["state"], job["error"]) == ("done", "")
    (lost,) = farm.install.events("worker_lost")
    assert lost["executor_id"] == held["executor_id"]


def test_work_that_ends_its_worker_each_time_is_set_aside_and_other_titles_go_on(
    farm: Farm, films: dict[str, Path]
) -> None:
    """The test is what ends the workers, as the kernel does where memory is short.

    The sound of this film takes seconds; a beat tells within one that it is in hand. A worker
    that dies before it runs a tool may have died before the attempt was on record: that is no
    mark against the work, so the test waits for the tool.
    """
    poisoned = farm.install.ingest(films["sound"], "Poison", wait=False)["version_id"]
    killed = 0
    until_s = time.monotonic() + 240
    while farm.job(poisoned)["state"] in ("waiting", "running"):
        assert time.monotonic() < until_s, f"killed {killed} times"
        held = farm.holder(poisoned, "sound")
        if held and tools_of(held["pid"]):
            os.kill(held["pid"], signal.SIGKILL)
            killed += 1
            farm.wait_for_successor(held)
        time.sleep(0.05)
    job = farm.job(poisoned)
    assert job["state"] == "failed"
    assert "5 workers ended without a word" in job["error"]
    assert job["failure"]["kind"] == "sound"
    assert 5 <= killed <= 12, "it has two pieces of work of this kind"
    shown = farm.install.cli("jobs", "show", poisoned).stdout
    assert "sound of the stage audio, attempt 5" in shown
    other = farm.install.ingest(films["short"], "Healthy", effort="fast")
    assert other["good_s"] is not None
