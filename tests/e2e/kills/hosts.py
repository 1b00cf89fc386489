"""Hosts of a test's own: network namespaces with cables between them, and workers on them."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.buckets import ACCESS_KEY_ID, BUCKET, SECRET_ACCESS_KEY, BucketServer
from tests.e2e.installation import Installation, wait_until
from tests.e2e.kills.running import WatchedInstallation

CABLE, OUT = "cable", "out"
"""What leads to the other host, and what to the bucket and the test."""
WORKERS = 2
"""On each host."""


def ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Host:
    """A network namespace. ``address`` is where the other host finds it, and ``outside`` where the
    test does; ``routes`` go with its cables."""

    name: str
    address: str
    outside: str
    routes: tuple[tuple[str, ...], ...] = ()

    def command(self, argv: list[str]) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{self.name}", *argv]

    def pids(self) -> list[int]:
        return [int(pid) for pid in ip("netns", "pids", self.name).split()]

    @contextlib.contextmanager
    def without(self, link: str) -> Iterator[None]:
        """The host, with one of its cables pulled out."""
        ip("-n", self.name, "link", "set", link, "down")
        try:
            yield
        finally:
            ip("-n", self.name, "link", "set", link, "up")
            for route in self.routes:
                ip("-n", self.name, "route", "replace", *route)

    def kill(self) -> None:
        """Kill every process of the host at once."""
        for how in (signal.SIGSTOP, signal.SIGKILL, signal.SIGKILL):
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
        wait_until(lambda: self.pids() == [], 10, f"everything on {self.name} is dead")


@dataclass(frozen=True)
class Lan:
    """Two hosts, and where a server of the test's is found by both."""

    first: Host
    second: Host
    server: str


@contextlib.contextmanager
def lan() -> Iterator[Lan]:
    """A cable between two hosts and one from each to the test; skips where that may not be."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("nsenter") is None:
        pytest.skip("hosts of a test's own need root, iproute2 and nsenter")
    tag, net = f"cm{os.getpid() % 100_000}", f"10.87.{os.getpid() % 250}"
    first = Host(f"{tag}a", f"{net}.1", f"{net}.10")
    second = Host(f"{tag}b", f"{net}.2", f"{net}.14", ((f"{net}.9/32", "via", f"{net}.13"),))
    try:
        for host in (first, second):
            ip("netns", "add", host.name)
            ip("-n", host.name, "link", "set", "lo", "up")
        cable = ("link", "add", f"{tag}x", "netns", first.name, "type", "veth")
        ip(*cable, "peer", "name", f"{tag}x", "netns", second.name)
        for host in (first, second):
            ip("-n", host.name, "link", "set", f"{tag}x", "name", CABLE)
            ip("-n", host.name, "address", "add", f"{host.address}/30", "dev", CABLE)
            ip("-n", host.name, "link", "set", CABLE, "up")
        for host, ours in ((first, f"{net}.9"), (second, f"{net}.13")):
            lead = ("link", "add", host.name, "type", "veth")
            ip(*lead, "peer", "name", OUT, "netns", host.name)
            ip("address", "add", f"{ours}/30", "dev", host.name)
            ip("link", "set", host.name, "up")
            ip("-n", host.name, "address", "add", f"{host.outside}/30", "dev", OUT)
            ip("-n", host.name, "link", "set", OUT, "up")
        for host in (first, second):
            for route in host.routes:
                ip("-n", host.name, "route", "add", *route)
        yield Lan(first, second, f"{net}.9")
    finally:
        for host in (first, second):
            with contextlib.suppress(AssertionError):
                host.kill()
            subprocess.run(["ip", "netns", "del", host.name], check=False)


class InstalledOn(WatchedInstallation):
    """Cuemark on one host, its objects in a bucket, open to workers on other hosts."""

    def __init__(self, folder: Path, on: Host, bucket: BucketServer, prefix: str) -> None:
        environment = {"CUEMARK_BIND": on.outside, "CUEMARK_WORKERS": str(WORKERS)}
        super().__init__(folder, environment)
        self.host = on.outside
        self.on = on
        credentials = [
            f'access_key_id = "{ACCESS_KEY_ID}"',
            f'secret_access_key = "{SECRET_ACCESS_KEY}"',
        ]
        (folder / "secrets").mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "secrets" / "bucket.toml").write_text("\n".join(credentials))
        settings = [
            "[objects]",
            f'store = "s3://{BUCKET}/{prefix}"',
            f'endpoint = "{bucket.endpoint}"',
            'credentials_file = "secrets/bucket.toml"',
            "[farm]",
            f'listen = "{on.address}"',
        ]
        (folder / "cuemark.toml").write_text("\n".join(settings))

    def command(self, *arguments: str) -> list[str]:
        return self.on.command(super().command(*arguments))

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Its own workers stand still: so that those of another host begin with them."""
        groups = self.groups()
        workers = [groups[f"worker-{number + 1}"] for number in range(WORKERS)]
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)

    def ticket(self, file: Path) -> Path:
        self.cli("host", "ticket", str(file))
        return file


class WorkersOn(Installation):
    """``cuemark host work`` on a host, with a folder of its own."""

    def __init__(self, folder: Path, on: Host) -> None:
        super().__init__(folder)
        self.on = on
        self._parent: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def command(self, *arguments: str) -> list[str]:
        return self.on.command(super().command(*arguments))

    def start(self, ticket: Path, *flags: str) -> None:
        self.folder.mkdir(exist_ok=True)
        self._starts += 1
        argv = self.command("host", "work", f"--ticket={ticket}", f"--slots={WORKERS}", *flags)
        with (self.folder / "told").open("ab") as told:
            self._parent = subprocess.Popen(["nice", "-n", "19", *argv], stdout=told, stderr=told)

    def wait_working(self) -> None:
        def working() -> bool:
            assert self._parent is not None
            assert self._parent.poll() is None, self.told()
            return len(self.events("host_works")) == self._starts

        wait_until(working, 60, "the host works")

    def kill_host(self) -> None:
        self.on.kill()
        if self._parent is not None:
            self._parent.wait(10)

    def stop(self) -> None:
        assert self._parent is not None
        self._parent.terminate()
        assert self._parent.wait(30) == 0, self.told()
        wait_until(lambda: self.on.pids() == [], 5, "no process is left")

    def told(self) -> str:
        return (self.folder / "told").read_text(errors="replace")[-2000:]

    def encoded(self) -> Counter[str]:
        """How often each chunk was encoded to its end here."""
        return Counter(str(event["key"]) for event in self.events("chunk_encoded"))

    def log(self, text: str) -> list[dict[str, object]]:
        path = self.folder / "logs" / "cuemark.jsonl"
        return super().log(text) if path.exists() else []
