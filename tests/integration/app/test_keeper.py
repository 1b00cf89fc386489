"""An appliance that is kept: other releases come and go under it, and it serves what it held."""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cuemark.app import appliance
from cuemark.contracts.steering.reports import ReleaseOrder, Software
from cuemark.kit.release import release_here
from tests.integration.app.test_appliance import BODY, file_of
from tests.integration.edge.farm import SEGMENT, Farm, noise, until
from tests.releases import make_release

LONG, LONG_BODY = "v1/10.m4s", noise(32 << 20, 2)
"""More than what sockets hold."""


class KeptAppliance:
    """The farm's appliance, kept by a process that the test starts."""

    def __init__(self, built: Farm, root: Path) -> None:
        self.built = built
        self._orders = 0
        self.releases = root / "releases"
        self.releases.mkdir()
        self.file, self.folder = root / "edge.toml", root / "host"
        self.argv = [sys.executable, "-m", "cuemark.app.cli", "appliance"]
        self.argv += ["--config", str(self.file), "--data", str(self.folder)]
        told = msgspec.structs.replace(file_of(built), releases=str(self.releases))
        appliance.write(told, self.file)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        self.start()
        try:
            until(lambda: self.runs(release_here()), 30)
            yield
        finally:
            self.keeper.send_signal(signal.SIGTERM)
            assert self.keeper.wait(30) == 0
            assert not self.built.answers(), "nothing of it is left"

    def start(self) -> None:
        self.keeper = subprocess.Popen(self.argv)

    def order(self, release: str) -> str:
        """Have control order it; the order's id."""
        self._orders += 1
        order_id = f"rol_test-{self._orders}"
        self.built.order = ReleaseOrder(order_id=order_id, release=release)
        self.built.tell()
        return order_id

    def software(self) -> Software:
        """What it reported last."""
        said = self.built.reports()[-1].software
        assert said is not None
        return said

    def runs(self, release: str, order_id: str = "") -> bool:
        if not any(report.healthy for report in self.built.reports()[-1:]):
            return False
        said = self.software()
        return (said.release, said.order_id, said.can_update) == (release, order_id, True)

    def refuses(self, order_id: str) -> bool:
        said = self.software()
        return said.order_id == order_id and bool(said.trouble)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeptAppliance]:
    """One that runs: each test leaves it on the release that it began with."""
    root = tmp_path_factory.mktemp("kept")
    built = Farm(root)
    try:
        built.publish({SEGMENT: BODY, LONG: LONG_BODY})
        built.start("control")
        built.start("origin")
        kept = KeptAppliance(built, root)
        with kept.running():
            yield kept
    finally:
        built.stop_all()


def test_another_release_takes_over_what_it_held_and_goes_back(kept: KeptAppliance) -> None:
    built = kept.built
    wanted = make_release(kept.releases, "wanted")
    until(built.knows_all)
    target = built.target(built.versions[0].version_id)
    until(lambda: built.get(target).headers.get("cache-status", "").endswith("hit"), 20)
    long = built.target(built.versions[0].version_id, LONG)
    until(lambda: built.get(long).headers.get("cache-status", "").endswith("hit"), 20)
    built.children["origin"].kill()
    with socket.create_connection(("127.0.0.1", built.appliance.port)) as viewer:
        viewer.sendall(f"GET {long} HTTP/1.0\r\n\r\n".encode())
        begun = viewer.recv(1000)
        order_id = kept.order(wanted)
        until(lambda: not built.answers(), 40)
        rest = b"".join(iter(lambda: viewer.recv(1 << 20), b""))
    assert (begun + rest).endswith(LONG_BODY), "what was being sent was sent to its end"
    until(lambda: kept.runs(wanted, order_id), 40)
    assert built.get(target).body == BODY
    assert built.get(target).headers["cache-status"].endswith("hit"), "it has what it had"
    kept.keeper.kill()
    kept.keeper.wait()
    agents = len(agents_of(kept))
    kept.start()
    until(lambda: len(agents_of(kept)) > agents, 40)
    told = len(built.reports())
    until(lambda: len(built.reports()) > told and kept.runs(wanted, order_id), 40)
    back = kept.order(release_here())
    until(lambda: kept.runs(release_here(), back), 40)
    assert built.get(target).body == BODY
    assert kept.software().trouble == ""


def test_what_cannot_be_run_leaves_everything_as_it_is(kept: KeptAppliance) -> None:
    for release, script in (
        ("0.9.0+other", "#!/bin/sh\necho cuemark 0.9.0\n"),
        ("0.9.1+unfit", "#!/bin/sh\necho no such engine >&2; exit 3\n"),
    ):
        program = kept.releases / release / "bin" / "cuemark"
        program.parent.mkdir(parents=True)
        program.write_text(script)
        program.chmod(0o755)
    agents = agents_of(kept)
    again = subprocess.run(kept.argv, capture_output=True, text=True, timeout=30, check=False)
    assert (again.returncode, "an appliance runs on" in again.stderr + again.stdout) == (1, True)
    for release, sentence in (
        ("0.9.0+absent", f"release 0.9.0+absent is not in {kept.releases}"),
        ("../../../bin/sh", "'../../../bin/sh' names no release"),
        ("..", "'..' names no release"),
        ("0.9.0+other", "what lies in the folder of 0.9.0+other says it is 'cuemark 0.9.0'"),
        ("0.9.1+unfit", "release 0.9.1+unfit fails: no such engine"),
    ):
        order_id = kept.order(release)
        until(lambda order_id=order_id: kept.refuses(order_id), 20)  # type: ignore[misc]
        said = kept.software()
        assert (said.trouble, said.release) == (sentence, release_here())
        assert kept.built.answers()
    assert agents_of(kept) == agents, "nobody was restarted"


def test_a_release_that_ends_while_starting_makes_room_for_the_one_before(
    kept: KeptAppliance,
) -> None:
    broken = make_release(kept.releases, "broken", broken="edge/agent.py")
    order_id = kept.order(broken)
    until(lambda: kept.refuses(order_id), 40)
    until(lambda: kept.runs(release_here(), order_id), 20)
    trouble = kept.software().trouble
    assert trouble.startswith(f"release {broken} was left for {release_here()}: it ended")


def agents_of(kept: KeptAppliance) -> list[int]:
    """The process ids of its agents, as they were started."""
    said = map(
        msgspec.json.decode, (kept.folder / "logs" / "cuemark.jsonl").read_bytes().split(b"\n")[:-1]
    )
    return [
        int(each["pid"])
        for each in said
        if each["event"] == "child_started" and each["child"] == "appliance-1-agent"
    ]
