"""A title that is accepted and not begun, as every run finds it, and one run undisturbed."""

import asyncio
import os
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuemark.app.folder import DataFolder
from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import Licensing, ProvisionKeys
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.link import connect
from cuemark.kit.passport import Passport, PassportOffice
from samples.film import Film
from tests.disks import Disk, mount_in_private
from tests.e2e.installation import ffmpeg
from tests.e2e.kills.running import WatchedInstallation, content, names
from tests.e2e.kills.victims import assert_dead

SEED = int(os.environ.get("CUEMARK_TEST_SEED", "1895"))
KILLS = int(os.environ.get("CUEMARK_TEST_KILLS", "20"))

PORTS_FROM = random.SystemRandom().randrange(10_000, 20_000, 100)
KEPT_BY_APPLIANCES = ("store", "indexes")
DISKS = {"": 128, "postgres": 256, "objects": 64, "appliances/appliance-1": 64}
"""A disk for each, so that no sync of one makes up for one that another forgot; sizes in MB."""


@dataclass(frozen=True)
class Accepted:
    """The data folder of an installation that was killed when it had just accepted a title."""

    folder: Path
    version_id: str
    quick_version_id: str

    def copy(self, to: Path, environment: dict[str, str] | None = None) -> WatchedInstallation:
        self.lay_down(to)
        return WatchedInstallation(to, {"CUEMARK_PORT": str(PORTS_FROM), **(environment or {})})

    def lay_down(self, to: Path) -> None:
        """Put a copy of the data folder at ``to``."""
        to.mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", f"{self.folder}/.", str(to)], check=True)
        # The ports were free then; whoever runs beside the tests may have taken one since.
        (to / "run" / "ports.json").unlink()


@dataclass(frozen=True)
class Undisturbed:
    """What a run is that nobody disturbs: how long it takes, and what it leaves behind."""

    wall_s: float
    content: dict[str, str]
    names: set[str]
    chunks: set[str]


@pytest.fixture(scope="session")
def tiny_film(sample_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s at 320x180 with two cuts, and sound."""
    tiny = tmp_path_factory.mktemp("tiny") / "tiny.mp4"
    excerpt = ["-t", "4", "-vf", "fps=12.5,scale=320:180", "-crf", "14"]
    ffmpeg("-ss", "1.2", "-i", str(sample_film.path), excerpt, str(tiny))
    return tiny


@pytest.fixture(scope="session")
def accepted(
    tiny_film: Path, sample_film: Film, tmp_path_factory: pytest.TempPathFactory
) -> Accepted:
    """Without a worker nothing is begun; the keys are made, so that runs encrypt alike."""
    folder = tmp_path_factory.mktemp("accepted") / "data"
    environment = {"CUEMARK_WORKERS": "0", "CUEMARK_PORT": str(PORTS_FROM)}
    installation = WatchedInstallation(folder, environment)
    installation.start()
    try:
        installation.wait_serving()
        captions = sample_film.captions
        job = installation.ingest(tiny_film, "Killed anywhere", captions, wait=False, effort="fast")
        version_id = str(job["version_id"])
        (found,) = installation.query("select quick_version_id from encoding.job")
        quick_version_id = str(found[0])
        asyncio.run(_provision_keys(folder, [version_id, quick_version_id]))
    finally:
        installation.kill_all()
    return Accepted(folder, version_id, quick_version_id)


async def _provision_keys(root: Path, version_ids: Sequence[str]) -> None:
    folder = DataFolder(root)
    ports = folder.kept_ports()
    assert ports is not None
    office = PassportOffice(folder.secret("passport_key"), SystemClock())
    passport = Passport(subject="test", role="service")
    url = f"http://127.0.0.1:{ports.internal}"
    async with Channel(url, lambda: office.mint(passport)) as channel:
        for version_id in version_ids:
            request = ProvisionKeys(version_id=VersionId(version_id), labels=["AUDIO", "SD"])
            await connect(Licensing, channel).provision_keys(request)


@pytest.fixture(scope="session")
def undisturbed(accepted: Accepted, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    installation = accepted.copy(tmp_path_factory.mktemp("undisturbed") / "data")
    began_s = time.monotonic()
    installation.start()
    try:
        installation.wait_serving()
        installation.wait_done(accepted.version_id)
        wall_s = time.monotonic() - began_s
        installation.stop()
    finally:
        installation.kill_all()
    chunks = installation.encoded()
    assert set(chunks.values()) == {1}
    return Undisturbed(
        wall_s, made_in(installation.folder), names(installation.folder), set(chunks)
    )


def made_in(folder: Path) -> dict[str, str]:
    """What an installation has made and must keep."""
    appliances = [path.relative_to(folder).as_posix() for path in (folder / "appliances").iterdir()]
    kept = [f"{path}/{part}" for path in appliances for part in KEPT_BY_APPLIANCES]
    return content(folder, "objects", "secrets", *kept)


@dataclass(frozen=True)
class Powered:
    """An installation on disks of its own, whose power can be cut."""

    installation: WatchedInstallation
    disks: Sequence[Disk]

    def disk(self, part: str) -> Disk:
        return next(disk for disk in self.disks if disk.at == self.installation.folder / part)

    def cut(self) -> None:
        """Cut the power of all disks, then of the machine, and give both back."""
        for disk in self.disks:
            disk.cut_power()
        self.installation.kill_all()
        for disk in reversed(self.disks):
            disk.unmount()
        for disk in self.disks:
            disk.mount()
        assert_dead(self.installation)


@pytest.fixture
def powered(accepted: Accepted, tmp_path: Path) -> Iterator[Powered]:
    """The accepted title, as it lies on the disks."""
    mount_in_private()
    disks = []
    for part, size_mb in DISKS.items():
        disk = Disk(tmp_path / f"{part.replace('/', '-') or 'root'}.img", tmp_path / "data" / part)
        disk.format(size_mb)
        disk.mount()
        disks.append(disk)
    installation = accepted.copy(tmp_path / "data")
    for disk in reversed(disks):
        disk.unmount()
    for disk in disks:
        disk.mount()
    yield Powered(installation, disks)
    installation.kill_all()
    for disk in reversed(disks):
        # A test that failed in the midst of a cut has unmounted some.
        if disk.at.is_mount():
            disk.unmount()


KILL = "kill"
"""The name of the property in which a test keeps its line of the summary."""


def summary_line(number: int, victim: str, at_s: float, again: int, done_s: float) -> str:
    return f"{number:4}  {victim:<17}  {at_s:7.2f} s  {again:13}  {done_s:5.1f} s"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The kills that were survived, and how to have them again."""
    passed: list[pytest.TestReport] = terminalreporter.getreports("passed")
    lines = [str(text) for each in passed for name, text in each.user_properties if name == KILL]
    if not lines:
        return
    terminalreporter.section(f"kills, seed {SEED}")
    terminalreporter.write_line("   n  victim             killed at  encoded again  done at")
    for line in sorted(set(lines)):
        terminalreporter.write_line(line)


def random_of(number: int) -> random.Random:
    """The randomness of one kill: it does not depend on how many there are."""
    return random.Random(f"{SEED}:{number}")
