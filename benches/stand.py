"""What every bench gets: a folder, a voice, a film, and one install that they share."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import msgspec
from rich.progress import Progress

from benches.children import child, run
from benches.failure import BenchFailed
from benches.processes import cpu_of_each
from cuemark.app import state
from cuemark.app.cli.accounts import LinkView
from cuemark.app.cli.client import Operator
from cuemark.app.cli.ingest import ingest_film
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.jobs import Job
from cuemark.contracts.encoding.versions import Version
from cuemark.kit.tracing import new_trace_id
from samples.catalog import CATALOG
from samples.render import render
from tests.integration.edge.farm import free_port

TRAILER = Path(__file__).parents[2] / "shared" / "media" / "sintel_trailer_720p24.mp4"
CLIP_FROM_S, CLIP_S = 12, 8
START_S, INGEST_S = 120.0, 3600.0
POLL_S = 0.1

Tell = Callable[[str], None]


class LoginToken(msgspec.Struct, frozen=True):
    token: str


@dataclass(frozen=True)
class Made:
    """A film that the install has encoded. ``before`` and ``after`` are CPU seconds by process."""

    film: Path
    job: Job
    version: Version
    before: dict[str, float]
    after: dict[str, float]


class Install:
    """A running Cuemark on a throw-away folder."""

    def __init__(self, folder: DataFolder, operator: Operator) -> None:
        self.folder = folder
        self.operator = operator
        self._members: list[str] = []

    @property
    def api_url(self) -> str:
        return self.operator.running.api_url.removesuffix("/api/v1")

    @property
    def pids(self) -> dict[str, int]:
        phase = state.read(self.folder)
        if phase is None or phase.running is None:
            raise BenchFailed(f"the install ended while it was measured: see {self.folder.logs}")
        return phase.running.pids

    @property
    def supervisor_pid(self) -> int:
        phase = state.read(self.folder)
        if phase is None:
            raise BenchFailed(f"the install ended while it was measured: see {self.folder.logs}")
        return phase.supervisor_pid

    def members(self, count: int) -> list[str]:
        """The login tokens of so many members, the same ones at each call."""
        while len(self._members) < count:
            body = {"email": f"bench-{len(self._members)}@cuemark.example", "create": True}
            code = self.operator.post("/login-links", body, LinkView).code
            granted = self.operator.post("/login/link", {"code": code}, LoginToken)
            self._members.append(granted.token)
        return self._members[:count]

    def begin(self, film: Path, name: str) -> Job:
        """Upload a film and start its encoding."""
        # The cost of a film is told from that of another by the trace.
        self.operator.trace_id = new_trace_id()
        return ingest_film(self.operator, Progress(disable=True), film, name, "", {})

    def finish(self, job: Job, tell: Tell) -> Job:
        """Wait until a job is done; raises ``BenchFailed`` when it failed."""
        deadline_s = time.monotonic() + INGEST_S
        while job.state not in ("done", "failed"):
            if time.monotonic() > deadline_s:
                raise BenchFailed(f"a film was not encoded within {INGEST_S:.0f} s")
            time.sleep(POLL_S)
            job = self.operator.get(f"/jobs/{job.version_id}", Job)
            doing = [f"{s.stage} {s.done}/{s.total}" for s in job.stages if s.done < s.total]
            tell(", ".join(doing[:3]))
        if job.state == "failed":
            raise BenchFailed(f"a film was not encoded: {job.error}")
        return job

    def version(self, job: Job) -> Version:
        return self.operator.get(f"/versions/{job.version_id}", Version)

    def events(self) -> list[dict[str, Any]]:
        """The structured log."""
        lines = self.folder.log_file.read_text().splitlines()
        return [msgspec.json.decode(line) for line in lines]


@contextmanager
def started(folder: DataFolder, output: Path, **environment: str) -> Iterator[Install]:
    """An install that runs while the context is open, with no setting but those that are given."""
    argv = [sys.executable, "-m", "cuemark.app.cli", "up", "--data", str(folder.root)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CUEMARK_")}
    with child(argv, output, environment=clean | environment) as supervisor:
        deadline_s = time.monotonic() + START_S
        while (phase := state.read(folder)) is None or phase.running is None:
            if supervisor.poll() is not None or time.monotonic() > deadline_s:
                raise BenchFailed(f"Cuemark did not start: {output.read_text()[-400:]}")
            time.sleep(POLL_S)
        with Operator(folder) as operator:
            yield Install(folder, operator)


class Stand:
    """``quick`` asks for a clip and few repetitions. Ends what it started when it is closed."""

    def __init__(self, folder: Path, *, quick: bool, film: Path | None, tell: Tell) -> None:
        self.folder = folder
        self.quick = quick
        self.tell = tell
        self._film = film
        self._stack = ExitStack()
        self._install: Install | None = None
        self._made: dict[str, Made] = {}

    def __enter__(self) -> "Stand":
        return self

    def __exit__(self, *_: object) -> None:
        self.close_install()

    def scratch(self, name: str) -> Path:
        """A folder of a bench's own."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def install(self) -> Install:
        """The install that the benches share, started when it is asked for first."""
        if self._install is None:
            self.tell("starting Cuemark")
            folder = DataFolder(self.scratch("install") / "data")
            # Away from 8080, where another install that starts now may listen a moment later.
            install = started(folder, self.folder / "install.out", CUEMARK_PORT=str(free_port()))
            self._install = self._stack.enter_context(install)
        return self._install

    def close_install(self) -> None:
        """Stop the install, so that what is measured next has the machine for itself."""
        self._install = None
        self._made.clear()
        self._stack.close()

    def trailer(self) -> Path:
        """The film that most benches take: the Sintel trailer, or a clip of it."""
        film = self._film or TRAILER
        if not film.exists():
            raise BenchFailed(f"{film} is missing: name a film with --film FILE")
        from_s = CLIP_FROM_S if film == TRAILER else 0
        return self.clip(film, from_s) if self.quick else film

    def clip(self, film: Path, from_s: int) -> Path:
        """Some seconds of a film, encoded nearly without loss."""
        target = self.folder / f"clip-{film.stem}-{from_s}.mp4"
        if not target.exists():
            argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-ss", str(from_s)]
            argv += ["-i", str(film), "-t", str(CLIP_S), "-c:v", "libx264", "-preset", "veryfast"]
            argv += ["-crf", "12", "-c:a", "aac", str(target)]
            run(argv, limit_s=120)
        return target

    def sample(self) -> Path:
        """The first film of the demo catalog, rendered."""
        self.tell("rendering a film of the demo")
        return render(CATALOG[0], self.scratch("samples")).path

    def made(self, film: Path) -> Made:
        """A film ingested into the shared install, once."""
        name = film.stem
        if name not in self._made:
            install = self.install()
            before = cpu_of_each(install.pids)
            job = install.begin(film, name)
            job = install.finish(job, lambda doing: self.tell(f"encoding {name}: {doing}"))
            after = cpu_of_each(install.pids)
            self._made[name] = Made(film, job, install.version(job), before, after)
        return self._made[name]
