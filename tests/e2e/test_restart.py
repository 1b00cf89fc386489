"""The control process is restarted under fifty plays, and drops none.

Each play is the whole reference player: it logs in, starts the play, gets manifest and licence,
fetches, decrypts and decodes every segment, and reports its progress.
"""

import asyncio
import signal
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cuemark.app.cli.accounts import LinkView
from cuemark.app.cli.client import Operator
from cuemark.app.folder import DataFolder
from cuemark.player.api import LoginCode
from cuemark.player.report import Report
from cuemark.player.session import Options, play
from tests.e2e.conftest import LONG_FRAME_RATE
from tests.e2e.installation import Installation

PLAYS = 50
LATE_PLAYS = 5
SECONDS = 16.0
ANSWER_S = 30.0


def codes(installation: Installation, name: str, count: int) -> list[str]:
    """Login codes of as many members."""
    with Operator(DataFolder(installation.folder)) as operator:
        bodies = [{"email": f"{name}-{n}@cuemark.example", "create": True} for n in range(count)]
        return [operator.post("/login-links", body, LinkView).code for body in bodies]


class Asking:
    """Asks for the service's health all the time, each time on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._where = urlsplit(url)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.refused = 0
        self.longest_s = 0.0

    def _run(self) -> None:
        answered_s = time.monotonic()
        while not self._stop.wait(0.02):
            try:
                answered = self._ask()
            except ConnectionRefusedError:
                self.refused += 1
                continue
            except ConnectionResetError:
                continue
            if answered:
                self.longest_s = max(self.longest_s, time.monotonic() - answered_s)
                answered_s = time.monotonic()

    def _ask(self) -> bool:
        where = (self._where.hostname or "", self._where.port or 0)
        with socket.create_connection(where, ANSWER_S) as connection:
            request = f"GET /api/v1/health HTTP/1.1\r\nHost: {self._where.netloc}\r\n\r\n"
            connection.sendall(request.encode())
            return connection.recv(12).endswith(b" 200")

    def __enter__(self) -> "Asking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_fifty_plays_outlive_the_control_process(
    running_cuemark: Installation, long_title_id: str, how: signal.Signals
) -> None:
    installation = running_cuemark
    api_url = installation.api_url
    early, late = codes(installation, how.name, PLAYS), codes(installation, f"l{how}", LATE_PLAYS)

    async def one(code: str) -> Report:
        options = Options(
            api_url=api_url.removesuffix("/api/v1"),
            credential=LoginCode(code),
            title=long_title_id,
            seconds=SECONDS,
            from_s=0.0,
        )
        return await play(options)

    async def all_of_them() -> list[Report]:
        plays = []
        for code in early:
            plays.append(asyncio.create_task(one(code)))
            await asyncio.sleep(0.05)
        await asyncio.sleep(2)
        killed = await asyncio.to_thread(installation.kill, "control", how)
        for code in late:
            plays.append(asyncio.create_task(one(code)))
            await asyncio.sleep(0.2)
        reports = await asyncio.gather(*plays)
        assert await asyncio.to_thread(lambda: installation.status()["pids"]["control"]) != killed
        return reports

    with Asking(api_url) as asking:
        reports = asyncio.run(all_of_them())
    starts_ms = sorted(report.startup_ms for report in reports)
    stalls_ms = [report.stall_ms for report in reports if report.stalls]
    print(
        f"{how.name}: {asking.longest_s:.2f} s without an answer, starts up to {starts_ms[-1]} ms"
    )
    print(f"{len(stalls_ms)} of {len(reports)} plays stalled: {stalls_ms}")
    assert asking.refused == 0
    assert len(reports) == PLAYS + LATE_PLAYS
    assert {report.frames for report in reports} == {SECONDS * LONG_FRAME_RATE}
    assert {report.decode_errors for report in reports} == {0}


def test_a_stopped_install_refuses(tmp_path: Path) -> None:
    """The sockets that the supervisor holds go with it."""
    installation = Installation(tmp_path / "data")
    where = urlsplit(installation.up()["api_url"])
    installation.down()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((where.hostname or "", where.port or 0), 5)
