"""What may stand between a device and its service: a slow wire, a refusing one, a bad disk."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.e2e.installation import Installation

_PIECE = 16_384
_UNAVAILABLE = b"HTTP/1.1 503 -\r\ncontent-length: 0\r\n\r\n"


class Wire:
    """TCP to an appliance, on a port of its own; how it behaves may change under a play."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self.port = 0
        self.delay_s = 0.0
        self.refuses = False
        self.kbps = 0.0
        self.requests = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._behind)
        tasks = [
            asyncio.create_task(self._requests(reader, back, writer)),
            asyncio.create_task(self._answers(there, writer)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in (back, writer):
            each.transport.abort()

    async def _requests(
        self,
        reader: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
    ) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            self.requests += 1
            await asyncio.sleep(self.delay_s)
            if self.refuses:
                writer.write(_UNAVAILABLE)
            else:
                back.write(head)

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await there.read(_PIECE):
            writer.write(piece)
            await writer.drain()
            if self.kbps:
                await asyncio.sleep(len(piece) / (self.kbps * 125))


class Street:
    """An installation as a device far away sees it: every appliance behind a wire.

    ``api_url`` answers as the installation's API does, with the wires' addresses in its
    manifests. ``seen`` is called with the ranking of each manifest before it is handed out.
    """

    def __init__(
        self, installation: Installation, seen: Callable[["Street", list[str]], None]
    ) -> None:
        self._api = urlsplit(installation.api_url)
        self._ports = {
            each["id"]: urlsplit(each["url"]).port or 0 for each in installation.appliances
        }
        self.wires = {name: Wire(port) for name, port in self._ports.items()}
        self.ranking: list[str] = []
        self._seen = seen
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._door.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        for wire in self.wires.values():
            asyncio.run_coroutine_threadsafe(wire.start(), self._loop).result(5)
        self._door = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._door_thread = threading.Thread(target=self._door.serve_forever, daemon=True)
        self._door_thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._door.shutdown()
        self._door.server_close()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _close(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for wire in self.wires.values():
            wire._server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def rewritten(self, manifest: bytes) -> bytes:
        """The manifest with the wires in the appliances' places, its ranking noted."""
        places = {name: manifest.find(b":%d/" % port) for name, port in self._ports.items()}
        self.ranking = sorted((n for n, at in places.items() if at >= 0), key=places.__getitem__)
        self._seen(self, self.ranking)
        for name, port in self._ports.items():
            manifest = manifest.replace(b":%d/" % port, b":%d/" % self.wires[name].port)
        return manifest

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        street = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                behind = HTTPConnection(
                    street._api.hostname or "", street._api.port or 0, timeout=20
                )
                behind.request(self.command, self.path, body, headers)
                answer = behind.getresponse()
                content = answer.read()
                behind.close()
                if "manifest.mpd" in self.path or "master.m3u8" in self.path:
                    content = street.rewritten(content)
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = _pass

            def log_message(self, format: str, *args: object) -> None:
                """The tests read reports, not this."""

        return Handler


class BadDisk:
    """One bit of every media segment that an appliance holds is wrong, until it is mended."""

    def __init__(self, installation: Installation, appliance_id: str) -> None:
        self._store = installation.folder / "appliances" / appliance_id
        self._flipped: list[tuple[Path, int]] = []

    def __enter__(self) -> Self:
        for link in sorted((self._store / "views").rglob("*.m4s")):
            path = link.resolve()
            at = path.stat().st_size // 2
            self._flip(path, at)
            self._flipped.append((path, at))
        assert self._flipped, "the appliance holds no segment"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for path, at in self._flipped:
            self._flip(path, at)

    def _flip(self, path: Path, at: int) -> None:
        mode = path.stat().st_mode
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 0x10]))
        path.chmod(mode & 0o777)


class SlowOrigin:
    """The origin runs for a tenth of each second and stands still for the rest of it."""

    GOES_S, STANDS_S = 0.1, 0.9

    def __init__(self, installation: Installation) -> None:
        self._group = int(installation.status()["pids"]["origin"])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.stops = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._over.is_set():
            os.killpg(self._group, signal.SIGSTOP)
            self.stops += 1
            self._over.wait(self.STANDS_S)
            os.killpg(self._group, signal.SIGCONT)
            self._over.wait(self.GOES_S)


SOUND_KBPS = 128


def between_rungs_kbps(installation: Installation, name: str) -> float:
    """A line that carries the second rung of a title with its sound, and not the best one."""
    rungs = installation.ingested[name]["renditions"]
    rates_kbps = sorted(each["bitrate_kbps"] for each in rungs)
    return float((rates_kbps[1] + rates_kbps[-1]) / 2 + SOUND_KBPS)


def settled(installation: Installation, files: int, limit_s: float = 60) -> None:
    """Wait until every appliance holds as many segments as were published."""
    deadline_s = time.monotonic() + limit_s
    for each in installation.appliances:
        views = installation.folder / "appliances" / each["id"] / "views"
        while sum(1 for path in views.rglob("*.m4s") if path.exists()) < files:
            assert time.monotonic() < deadline_s, f"{each['id']} is not filled"
            time.sleep(0.2)
