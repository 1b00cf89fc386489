"""An installation that is watched closely: its processes, its job, what it has made.

It is asked without the command line where a quarter of a second would matter.
"""

import contextlib
import json
import os
import subprocess
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import psycopg
from blake3 import blake3

from cuemark.kit.objects import sha256_of
from cuemark.kit.process import birth_of
from tests.e2e.installation import Installation, wait_until

UP_S = 90.0
DONE_S = 240.0


class WatchedInstallation(Installation):
    """Cuemark on a folder; its supervisor is a child of the test."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        super().__init__(folder, environment)
        self.host = "127.0.0.1"
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the supervisor, and do not wait for it.

        At the lowest priority: what is measured here is what is left behind, so whoever runs
        beside it has the machine first.
        """
        (self.folder / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "logs" / "supervisor.out").open("ab") as output:
            self.supervisor = subprocess.Popen(
                ["nice", "-n", "19", *self.command("up")],
                stdout=output,
                stderr=output,
                env=self._environment,
            )

    def stop(self) -> None:
        """End it as a user would; raises ``AssertionError`` where that does not end it."""
        assert self.supervisor is not None
        self.supervisor.terminate()
        assert self.supervisor.wait(60) == 0, self.told()
        wait_until(lambda: self.processes() == [], 5, "no process is left")

    def kill_all(self) -> None:
        """Kill every process at once; returns when none is left."""
        found = self.processes()
        for signalled in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                signalled.suspend()
        for signalled in [*found, *self.processes()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                signalled.kill()
        wait_until(lambda: self.processes() == [], 10, "everything is dead")
        self.reap()

    def reap(self) -> None:
        if self.supervisor is not None:
            self.supervisor.wait(10)

    def told(self) -> str:
        return (self.folder / "logs" / "supervisor.out").read_text(errors="replace")[-2000:]

    def state(self) -> dict[str, Any]:
        """What the supervisor says of itself; empty before it says anything."""
        with contextlib.suppress(OSError, ValueError):
            state: dict[str, Any] = json.loads(
                (self.folder / "run" / "state.json").read_text(encoding="utf-8")
            )
            if self.supervisor is None or state["supervisor_pid"] == self.supervisor.pid:
                return state
        return {}

    def groups(self) -> dict[str, int]:
        """The process group of each child, by name, as far as they are started."""
        with contextlib.suppress(OSError, ValueError):
            recorded = json.loads((self.folder / "run" / "groups.json").read_text())
            return {
                str(each["name"]): int(each["group"])
                for each in recorded
                if birth_of(int(each["group"])) == each["born"]
            }
        return {}

    def wait_serving(self) -> None:
        def serving() -> bool:
            assert self.supervisor is not None
            assert self.supervisor.poll() is None, self.told()
            return bool(self.state().get("running"))

        wait_until(serving, UP_S, "it serves")

    def ports(self) -> dict[str, int]:
        """The port of each child that has one."""
        kept = json.loads((self.folder / "run" / "ports.json").read_text())
        ports = {"control": kept["public"], "origin": kept["origin"]}
        for number, (appliance, agent) in enumerate(
            zip(kept["appliances"], kept["agents"], strict=True), start=1
        ):
            ports |= {f"appliance-{number}": appliance, f"appliance-{number}-agent": agent}
        return ports

    def processes(self) -> list[psutil.Process]:
        """Every live process of this installation, and whatever else works in its folder."""
        return [each for each in psutil.process_iter() if self._owns(each)]

    def _owns(self, process: psutil.Process) -> bool:
        root = str(self.folder)
        if process.pid == os.getpid():
            return False
        with contextlib.suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if any(root in word for word in process.cmdline()) or process.cwd().startswith(root):
                return True
            files = Path(f"/proc/{process.pid}/fd")
            return any(os.readlink(link).startswith(root) for link in files.iterdir())
        return False

    def job(self, version_id: str) -> dict[str, Any] | None:
        """The job as the API tells it; None while the API is away."""
        token = (self.folder / "secrets" / "operator_token").read_text()
        url = f"http://{self.host}:{self.ports()['control']}/api/v1/jobs/{version_id}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with contextlib.suppress(OSError):
            with urllib.request.urlopen(request, timeout=5) as response:
                job: dict[str, Any] = json.load(response)
                return job
        return None

    def wait_done(self, version_id: str, limit_s: float = DONE_S) -> None:
        """Until the job is done and every appliance holds what was published."""

        def done() -> bool:
            job = self.job(version_id)
            assert job is None or job["state"] != "failed", job
            return job is not None and job["state"] == "done"

        wait_until(done, limit_s, "the job is done")
        wait_until(self.filled, 60, "the appliances hold what was published")

    def filled(self) -> bool:
        published = set()
        for index in (self.folder / "objects" / "versions").glob("*/index.json"):
            published |= {
                file["blake3"] for file in json.loads(index.read_text())["files"].values()
            }
        return bool(published) and all(
            published <= {path.name for path in appliance.glob("store/??/*")}
            for appliance in (self.folder / "appliances").iterdir()
        )

    def encoded(self) -> Counter[str]:
        """How often each chunk was encoded to its end, by the key of its result."""
        return Counter(str(event["key"]) for event in self.events("chunk_encoded"))

    def log(self, text: str) -> list[dict[str, Any]]:
        """The lines that hold ``text``; one that a killed writer did not finish is no line."""
        found = []
        for line in (
            (self.folder / "logs" / "cuemark.jsonl").read_text(errors="replace").split("\n")
        ):
            if text in line:
                with contextlib.suppress(ValueError):
                    found.append(json.loads(line[line.find("{") :]))
        return found

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the installation's database."""
        socket_folder = str(self.folder / "run")
        with psycopg.connect(host=socket_folder, user="cuemark", dbname="cuemark") as connection:
            return list(connection.execute(sql.encode()).fetchall())

    def execute(self, sql: str) -> None:
        """Change the installation's database."""
        socket_folder = str(self.folder / "run")
        with psycopg.connect(host=socket_folder, user="cuemark", dbname="cuemark") as connection:
            connection.execute(sql.encode())


def content(folder: Path, *parts: str) -> dict[str, str]:
    """Every file below ``parts`` of the folder: its SHA-256, or where it links to, by path."""
    found = {}
    for part in parts:
        for path in sorted((folder / part).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found[name] = f"-> {os.readlink(path)}"
            elif path.is_file():
                found[name] = sha256_of(path)
    return found


_PASSING = (
    *(f"{name}.sqlite-{kind}" for name in ("inventory", "served") for kind in ("wal", "shm")),
    "run/manifest.json",
)
_AS_IT_COMES = {"logs", "views", "lines", "telemetry"}


def names(folder: Path) -> set[str]:
    """Every path of the folder but those that PostgreSQL keeps for itself, logs, views and lines.

    A view is made of what the store holds when a file is filled or asked for, in either order. An
    agent that is stopped before it has opened its databases leaves SQLite's journals of the one
    that was killed: the next to open them takes them up. Whether there is a manifest of fill
    depends on when the hour was over, and what lines there are, and how far they have come, on
    which files appliances asked one another for.
    """
    found = set()
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        ours = not name.startswith(("postgres/", "logs/")) and not name.endswith(_PASSING)
        if ours and not _AS_IT_COMES & set(path.parts):
            found.add(name)
    return found


def broken_views(folder: Path) -> list[str]:
    """The views of appliances that lead to other bytes than those of the version's index."""
    broken = []
    for index in (folder / "objects" / "versions").glob("*/index.json"):
        files = json.loads(index.read_text())["files"]
        for views in (folder / "appliances").glob(f"*/views/{index.parent.name}"):
            for view in (path for path in views.rglob("*") if path.is_symlink()):
                name = view.relative_to(views).as_posix()
                if blake3(view.read_bytes()).hexdigest() != files[name]["blake3"]:
                    broken.append(f"{views}/{name}")
    return broken
