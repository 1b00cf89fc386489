"""An origin, a control process and one appliance, each as a child, on a folder of a test's own."""

import contextlib
import json
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from cuemark.app import certificate
from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.fill import Manifest, TellHeld, TellServed
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering.reports import (
    ReleaseOrder,
    Report,
    RevokedSession,
    Snapshot,
    SnapshotKey,
    SnapshotSource,
    SnapshotVersion,
)
from cuemark.edge import front, nginx, origin
from cuemark.edge.health import Health
from cuemark.edge.settings import ApplianceSettings, OriginSettings
from cuemark.kit import cat
from cuemark.kit.clock import SystemClock
from cuemark.kit.ids import Ids
from cuemark.kit.process import group_alive, kill_group, launch_argv
from tests.integration.edge.wire import Reply, fetch

PASSPORT_KEY = "5a" * 32
ORIGIN_KEY = "c3" * 32
SEGMENT = "v1/9.m4s"


def until(ready: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def free_port() -> int:
    """A port below the range that outgoing connections take theirs from."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Child:
    """One process of the farm, in a group of its own."""

    def __init__(self, argv: Sequence[str], output: Path, *, drop_root: bool = False) -> None:
        self._argv = argv
        self._output = output
        self._drop_root = drop_root
        self.start()

    def start(self) -> None:
        with self._output.open("ab") as output:
            self.process = subprocess.Popen(
                launch_argv(self._argv, drop_root=self._drop_root, on_parent_death=signal.SIGTERM),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """``kill -9`` of the whole group; returns when it is gone."""
        kill_group(self.process.pid)
        self.process.wait(10)
        until(lambda: not group_alive(self.process.pid))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class Farm:
    """The children, and what a test asks of them."""

    def __init__(
        self,
        root: Path,
        *,
        limit_rate_kbps: int = 0,
        beside: "Farm | None" = None,
        fill: bool = False,
        **changes: int | float | str,
    ) -> None:
        self.root = root
        self.beside = beside
        self.fill = fill
        self.objects: Path = beside.objects if beside else root / "objects"
        self.control_folder = root / "control"
        for path in (self.objects / "versions", self.control_folder):
            path.mkdir(parents=True, exist_ok=True)
        self.ids = Ids(SystemClock())
        self.appliance = ApplianceSettings(
            appliance_id="appliance-2" if beside else "appliance-1",
            folder=str(root / "appliance"),
            url="http://127.0.0.1:1",
            bind="127.0.0.1",
            port=free_port(),
            agent_port=free_port(),
            control_url=f"http://127.0.0.1:{free_port()}",
            passport_key=PASSPORT_KEY,
            origin_url=f"http://127.0.0.1:{free_port()}",
            origin_key=ORIGIN_KEY,
            log=str(root / "agent.jsonl"),
            background_kbps=0,
            store_limit_bytes=1 << 30,
        )
        self.appliance = msgspec.structs.replace(self.appliance, **changes)
        if beside:
            origin_url = beside.appliance.origin_url
            self.appliance = msgspec.structs.replace(self.appliance, origin_url=origin_url)
        self.origin = OriginSettings(
            folder=str(root / "origin"),
            objects=str(self.objects),
            port=int(self.appliance.origin_url.rsplit(":", 1)[1]),
            key=ORIGIN_KEY,
            limit_rate_kbps=limit_rate_kbps,
        )
        self.keys = [self.key_for("2026a")]
        self.versions: list[SnapshotVersion] = beside.versions if beside else []
        self.sources: list[SnapshotSource] = []
        self.order: ReleaseOrder | None = None
        self.revoked: list[RevokedSession] = []
        self.children: dict[str, Child] = {}
        self.tell()

    def secure(self) -> certificate.Certificate:
        """Let the appliance speak TLS, once it is started."""
        folder = self.root / "certificate"
        folder.mkdir()
        pair = certificate.ensured(folder, "127.0.0.1")
        self.appliance = msgspec.structs.replace(
            self.appliance, certificate=str(pair.path), key=str(pair.key)
        )
        return pair

    def key_for(self, kid: str) -> cat.TokenKey:
        return cat.derive_key(cat.TokenKey(kid, kid.encode() * 8), self.appliance.appliance_id)

    def tell(self) -> None:
        """Let control say what keys and versions there are now."""
        keys = [SnapshotKey(key.kid, key.key.hex()) for key in self.keys]
        told = Snapshot(
            token_keys=keys,
            versions=self.versions,
            cursor="",
            revoked=self.revoked,
            sources=self.sources,
            order=self.order,
        )
        body = msgspec.json.encode(told)
        draft = self.control_folder / "draft"
        draft.write_bytes(body)
        draft.rename(self.control_folder / "snapshot.json")

    def plan(self, manifest: Manifest) -> None:
        """Let control say what the appliance is to have."""
        draft = self.control_folder / "draft"
        draft.write_bytes(msgspec.json.encode(manifest))
        draft.rename(self.control_folder / "manifest.json")

    def told_served(self) -> dict[str, int]:
        """What control was told of bytes served: by track, the greatest totals of all hours."""
        path = self.control_folder / "served.jsonl"
        totals: dict[tuple[str, str], int] = {}
        for line in path.read_bytes().splitlines() if path.exists() else []:
            told = msgspec.json.decode(line, type=TellServed)
            for each in told.served:
                key = each.track_id, told.hour.isoformat()
                totals[key] = max(totals.get(key, 0), each.of_bytes)
        sums: dict[str, int] = {}
        for (track_id, _), count in totals.items():
            sums[track_id] = sums.get(track_id, 0) + count
        return sums

    def told_held(self) -> list[TellHeld]:
        path = self.control_folder / "held.jsonl"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [msgspec.json.decode(line, type=TellHeld) for line in lines]

    def revoke(self, session: str) -> None:
        """Let control say that a play is over."""
        self.revoked.append(RevokedSession(PlaySessionId(session), int(time.time()) + 3600))
        self.tell()

    def publish(self, files: dict[str, bytes], version_id: VersionId | None = None) -> VersionId:
        """Put a version on the origin and have control name it."""
        version_id = version_id or VersionId(self.ids.new("ver"))
        folder = self.objects / "versions" / version_id
        index = VersionIndex(
            version_id=version_id,
            files={
                path: IndexedFile(blake3(body).hexdigest(), len(body))
                for path, body in files.items()
            },
        )
        body = msgspec.json.encode(index)
        for path, content in {**files, "index.json": body}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        self.versions.append(SnapshotVersion(version_id, blake3(body).hexdigest()))
        self.tell()
        return version_id

    def change(self, **changes: int | float) -> None:
        """Give the appliance other settings, from its agent's next start on."""
        self.appliance = msgspec.structs.replace(self.appliance, **changes)
        self.appliance.write(self.root / "appliance" / "agent.json")

    def start(self, name: str) -> None:
        """Start one child, or start it again."""
        if name in self.children:
            self.children[name].start()
            return
        drop_root = name in ("origin", "nginx")
        self.children[name] = Child(
            self._argv(name), self.root / f"{name}.out", drop_root=drop_root
        )

    def _argv(self, name: str) -> list[str]:
        match name:
            case "origin":
                origin.write_config(self.origin)
                return nginx.argv(Path(self.origin.folder))
            case "nginx":
                front.write_config(self.appliance)
                return nginx.argv(Path(self.appliance.folder))
            case "agent":
                config = self.root / "appliance" / "agent.json"
                self.appliance.write(config)
                return [sys.executable, "-m", "cuemark.edge.agent", "--config", str(config)]
            case _:
                port = self.appliance.control_url.rsplit(":", 1)[1]
                module = "tests.integration.edge.control"
                argv = [sys.executable, "-m", module, "--folder", str(self.control_folder)]
                argv += ["--port", port, "--passport-key", PASSPORT_KEY]
                return [*argv, "--fill"] if self.fill else argv

    def start_all(self) -> None:
        for name in ("control", "origin", "agent", "nginx"):
            if name != "origin" or self.beside is None:
                self.start(name)
        until(lambda: any(report.healthy for report in self.reports()), 20)
        if self.versions:
            until(self.knows_all)

    def stop_all(self) -> None:
        for child in reversed(self.children.values()):
            if child.process.poll() is None:
                child.kill()

    def answers(self) -> bool:
        """Whether the appliance's nginx takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.appliance.port)) == 0

    def reports(self) -> list[Report]:
        path = self.control_folder / "reports.jsonl"
        lines = path.read_bytes().splitlines() if path.exists() else []
        return [msgspec.json.decode(line, type=Report) for line in lines]

    def knows_all(self) -> bool:
        """Whether the appliance has told steering that it holds every version."""
        told = [report.versions for report in self.reports() if report.versions is not None]
        return bool(told) and set(told[-1]) == {version.version_id for version in self.versions}

    def token(self, version_id: VersionId, key: cat.TokenKey | None = None, **changes: Any) -> str:
        """A token such as steering mints, or one with other claims."""
        now = int(time.time())
        claims = cat.Claims(
            subject="ses_1",
            audience=self.appliance.appliance_id,
            path_prefix=f"/{version_id}/",
            issued_at_s=now,
            expires_at_s=now + 3600,
        )
        return cat.mint(msgspec.structs.replace(claims, **changes), key or self.keys[0])

    def as_source(self, *, held_only: bool) -> SnapshotSource:
        """This appliance as another is told to ask it."""

        def root(variants: bytes) -> str:
            token = self.token(VersionId(""), path_prefix="/", variants=variants)
            return f"http://127.0.0.1:{self.appliance.port}/t/{token}/"

        return SnapshotSource(
            appliance_id=ApplianceId(self.appliance.appliance_id),
            a_url=root(b"\x00"),
            b_url=root(b"\xff"),
            held_only=held_only,
        )

    def target(self, version_id: VersionId, path: str = SEGMENT) -> str:
        return f"/t/{self.token(version_id)}/{version_id}/{path}"

    def get(self, target: str | bytes, method: str = "GET", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return fetch(self.appliance.port, target, named, method)

    def origin_requests(self, path: str) -> list[dict[str, Any]]:
        """The lines of the origin's access log for a path, once they are flushed."""
        time.sleep(1.3)
        log = Path(self.origin.folder) / "logs" / "access.jsonl"
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        return [line for line in lines if line["path"] == path]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The agent's events of one name."""
        lines = (self.root / "agent.jsonl").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def filled(self, path: str) -> dict[str, Any]:
        """The agent's event of a file that it has filled, once it is there: after the answer."""
        until(lambda: any(line["path"].endswith(path) for line in self.logged("filled")))
        (line,) = (line for line in self.logged("filled") if line["path"].endswith(path))
        return line

    def health(self) -> Health:
        """What the agent tells of itself."""
        body = fetch(
            self.appliance.agent_port, "/health", {"X-Agent-Key": self.appliance.agent_key}
        ).body
        return msgspec.json.decode(body, type=Health)

    def stored(self) -> set[str]:
        """The BLAKE3 of each file in the store, as their names say."""
        return {path.name for path in (self.root / "appliance" / "store").glob("*/*")}


@contextlib.contextmanager
def farm(root: Path, version: dict[str, bytes] | None = None, **options: Any) -> Iterator[Farm]:
    """A farm that serves ``version``, if one is given, and ends with the block.

    Whatever a test did, no log may hold a token after it.
    """
    with serving(Farm(root, **options), version) as built:
        yield built


@contextlib.contextmanager
def serving(built: Farm, version: dict[str, bytes] | None = None) -> Iterator[Farm]:
    """A farm that is there already, as long as the block."""
    try:
        if version:
            built.publish(version)
        built.start_all()
        yield built
        assert_no_token_in_logs(built.root)
    finally:
        built.stop_all()


def assert_no_token_in_logs(root: Path) -> None:
    """No file that a process wrote as a log holds the beginning of any token, or a token path."""
    claims = cat.Claims(subject="", audience="", path_prefix="", issued_at_s=0, expires_at_s=0)
    beginning = cat.mint(claims, cat.TokenKey("", b""))[:10]
    logs = [*root.glob("*/logs/*"), *root.glob("*.out"), *root.glob("*.jsonl")]
    assert any(path.stat().st_size for path in logs)
    for path in logs:
        text = path.read_text(errors="replace")
        assert beginning not in text, f"a token is in {path}"
        assert "/t/" not in text, f"a request line is in {path}"


def noise(size_bytes: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size_bytes)
