"""Appliances of a whole installation get another release, while a device plays from them."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
import tomli_w

from cuemark.kit.release import release_here
from tests.e2e.installation import Installation, wait_until
from tests.integration.edge.farm import free_port
from tests.releases import make_release

NAMES = ("edge-a", "edge-b")
QUICKLY = ["--waves=1", "--soak-s=1", "--drain-s=4", "--at-once=50", "--deadline-s=60"]
FILM = "Played meanwhile"


class Device:
    """Plays a film over and over by one address, and notes each answer that is not as it should."""

    def __init__(self, installation: Installation) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        code = {"code": installation.login_code()}
        login = self._session.post(f"{installation.api_url}/login/link", json=code, timeout=20)
        self._session.headers["authorization"] = f"Bearer {login.json()['token']}"
        wanted = {"title_id": installation.title_id(FILM)}
        play = self._session.post(f"{installation.api_url}/plays", json=wanted, timeout=20).json()
        del self._session.headers["authorization"]
        self._master = urljoin(installation.api_url, play["redirected_hls_url"])
        self._first: dict[str, bytes] = {}
        self.requests = 0
        self.failures: list[str] = []
        self.servers: set[str] = set()

    def _get(self, address: str) -> bytes:
        answer = self._session.get(address, timeout=20)
        self.requests += 1
        if answer.history:
            self.servers.add(answer.url.split("/t/")[0])
        if answer.status_code != 200:
            self.failures.append(f"{answer.status_code} for {address[-40:]}")
        elif self._first.setdefault(address, answer.content) != answer.content:
            self.failures.append(f"other bytes for {address[-40:]}")
        return answer.content

    def _addresses(self) -> list[str]:
        found = []
        for playlist in self._linked(self._master):
            found += self._linked(playlist)
        return found

    def _linked(self, address: str) -> list[str]:
        text = self._get(address).decode()
        named = re.findall(r'URI="([^"]+\.(?:m3u8|mp4|m4s))"', text)
        named += [line for line in text.splitlines() if line and not line.startswith("#")]
        return [urljoin(address, each) for each in named]

    @contextlib.contextmanager
    def playing(self) -> Iterator[None]:
        addresses, over = self._addresses(), threading.Event()
        assert addresses

        def play() -> None:
            while not over.is_set():
                for address in addresses:
                    try:
                        self._get(address)
                    except requests.RequestException as error:
                        self.failures.append(repr(error))
                    if over.wait(0.02):
                        return

        thread = threading.Thread(target=play)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(30)


class Edge:
    """An installation whose two appliances are kept on folders of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.releases = root / "releases"
        self.releases.mkdir()
        data = root / "data"
        data.mkdir()
        settings = {"appliances": 0, "appliances_elsewhere": list(NAMES), "workers": 1}
        (data / "cuemark.toml").write_text(tomli_w.dumps(settings))
        self.installation = Installation(data)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.installation.up()
        for name in NAMES:
            port, file = free_port(), self.root / f"{name}.toml"
            self.installation.cli(
                "host", "appliance", name, str(file), f"--url=http://127.0.0.1:{port}"
            )
            told = tomllib.loads(file.read_text())
            told |= {"bind": "127.0.0.1", "port": port, "agent_port": free_port()}
            file.write_text(tomli_w.dumps(told | {"releases": "releases"}))
            argv = [sys.executable, "-m", "cuemark.app.cli", "appliance", "--config", str(file)]
            self.processes.append(subprocess.Popen([*argv, "--data", str(self.root / name)]))
        wait_until(lambda: self.releases_run() == {release_here()}, 60, "both appliances report")

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            assert process.wait(60) == 0
        self.installation.down()

    def listed(self) -> list[dict[str, Any]]:
        return list(self.installation.json("appliances", "list")["appliances"])

    def releases_run(self) -> set[str]:
        """What those run that are well; nothing unless both are."""
        well = [each for each in self.listed() if each["alive"] and each["healthy"]]
        return {each["software"]["release"] for each in well} if len(well) == 2 else set()

    def rollout(self) -> dict[str, Any]:
        found: dict[str, Any] = self.installation.json("rollout", "show")
        return found

    def wait_for(self, standing: str) -> dict[str, Any]:
        """Wait until the rollout stands so. The API is asked no oftener than it needs to be."""
        until_s = time.monotonic() + 120
        while (found := self.rollout())["standing"] != standing:
            assert time.monotonic() < until_s, found
            time.sleep(1)
        return found


@pytest.fixture
def edge(tmp_path: Path, small_film: Path) -> Iterator[Edge]:
    edge = Edge(tmp_path)
    try:
        edge.start()
        edge.installation.ingest(small_film, FILM, wait=False)
        wait_until(lambda: quality(edge) != "none", 120, "the film can be played")
        yield edge
    finally:
        edge.stop()


def quality(edge: Edge) -> str:
    titles = edge.installation.json("titles")["titles"]
    return str(titles[0]["quality"]) if titles else "none"


def test_all_are_updated_in_waves_under_a_play_and_a_broken_release_halts_at_the_first(
    edge: Edge,
) -> None:
    wanted = make_release(edge.releases, "wanted")
    device = Device(edge.installation)
    with device.playing():
        edge.installation.cli("rollout", "start", wanted, *QUICKLY)
        edge.wait_for("done")
    assert device.failures == []
    assert len(device.servers) == 2, "it played from each of them while the other was away"
    assert edge.releases_run() == {wanted}

    broken = make_release(edge.releases, "broken", broken="edge/agent.py")
    edge.installation.cli("rollout", "start", broken, *QUICKLY)
    second = edge.installation.cli("rollout", "start", "0.9.0", expect=1)
    assert "is running" in " ".join((second.stdout + second.stderr).split())
    edge.installation.kill("control")
    found = edge.wait_for("halted")
    assert f"failed to run {broken}" in found["reason"]
    assert f"was left for {wanted}" in found["reason"]
    assert sorted(each["phase"] for each in found["members"]) == ["failed", "waiting"]
    wait_until(lambda: edge.releases_run() == {wanted}, 30, "both serve with what they had")

    edge.installation.cli("rollout", "start", "0.9.0+absent", *QUICKLY)
    assert "0.9.0+absent is not in" in edge.wait_for("halted")["reason"]
