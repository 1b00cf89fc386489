"""A small real HTTP service for the player's tests: the public API and two appliances.

It speaks what docs/reference/http-api.md says and no more, so a player that reaches past the
documented API fails here. An appliance can be told to misbehave.
"""

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from tests.integration.player import film, manifests

TOKEN = "tok_of_the_member"
CODE = "one-time-code"
PASSWORD = "correct horse"
TITLE_ID = "ttl_" + "0" * 25 + "1"
OTHER_ID = "ttl_" + "0" * 25 + "2"
SESSION = "ps_1"
REDIRECT = "redirect.token"
VERSION = "ver_1"
NAME = "The Long Take"

Mood = Literal[
    "well", "away", "corrupt", "silent", "cut", "empty", "elsewhere", "fat", "flipped", "swapped"
]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    announced: int | None = None
    trickle_kbps: float = 0.0
    halt_s: float = 0.0


Handler = Callable[[Request], Coroutine[Any, Any, Answer]]


class Server:
    """HTTP/1.1 with keep-alive on a free loopback port, and a plug to pull."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; after a stop, on the port of before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """As a killed process does: the port refuses, and connections break."""
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            while request := await _read(reader):
                await _write(writer, request, await self._handle(request))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.split(": ", 1) for line in lines if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


async def _write(writer: asyncio.StreamWriter, request: Request, answer: Answer) -> None:
    length = len(answer.body) if answer.announced is None else answer.announced
    lines = [f"HTTP/1.1 {answer.status} -", f"content-length: {length}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    step = int(answer.trickle_kbps * 125 * 0.05) or len(answer.body) or 1
    step = step if not answer.halt_s else min(step, len(answer.body) // 4 + 1)
    for start in range(0, len(answer.body), step):
        writer.write(answer.body[start : start + step])
        await writer.drain()
        await asyncio.sleep(0.05 if answer.trickle_kbps else 0)
        if start <= len(answer.body) // 2 < start + step:
            await asyncio.sleep(answer.halt_s)
    if length != len(answer.body):
        raise ConnectionError("cut")


@dataclass
class Appliance:
    """``halt_s`` is how long it pauses in the midst of a file. ``asked`` are the paths under the
    version's root, as they were asked, the last at ``asked_s``."""

    name: str
    made: film.Film
    mood: Mood = "well"
    delay_s: float = 0.0
    trickle_kbps: float = 0.0
    halt_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)
    asked_s: float = 0.0

    def __post_init__(self) -> None:
        self.server = Server(self.answer)

    @property
    def base_url(self) -> str:
        return f"{self.server.url}/t/token-of-{self.name}/{VERSION}/"

    async def answer(self, request: Request) -> Answer:
        root = f"/t/token-of-{self.name}/{VERSION}/"
        if "authorization" in request.headers or "cookie" in request.headers:
            self.credentials.append(request.path)
        if not request.path.startswith(root):
            return Answer(401)
        path = request.path.removeprefix(root)
        self.asked.append(path)
        self.asked_s = time.monotonic()
        path = re.sub(r"/x([0-9]+)\.", r"/\1.", path) if self.made.marked else path
        body = self.made.files.get(path)
        await asyncio.sleep(self.delay_s)
        if path.endswith(".digests"):
            body = manifests.digests(self.made, path.removesuffix(".digests"))
        if path.endswith(".m3u8"):
            body = manifests.media(self.made, path.removesuffix(".m3u8")).encode()
        if body is None:
            return Answer(404)
        if self.mood == "away":
            return Answer(503, headers=(("retry-after", "1"),))
        if self.mood == "elsewhere":
            return Answer(302, headers=(("location", "http://127.0.0.1:9/"),))
        if self.mood == "silent":
            await asyncio.sleep(60)
        if self.mood == "cut":
            return Answer(200, body[: len(body) // 2], announced=len(body))
        if self.mood == "empty":
            return Answer(200)
        if self.mood == "fat":
            return Answer(200, b"x", announced=1 << 40)
        if self.mood == "corrupt" and path.endswith(".m4s"):
            middle = len(body) // 2
            return Answer(200, body[:middle] + bytes(b ^ 0xFF for b in body[middle:]))
        if self.mood == "flipped" and path.endswith(".m4s"):
            middle = len(body) // 2
            return Answer(200, body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])
        if self.mood == "swapped" and path in ("low/1.m4s", "low/2.m4s"):
            return Answer(200, self.made.files["low/2.m4s" if "1" in path else "low/1.m4s"])
        return Answer(200, body, trickle_kbps=self.trickle_kbps, halt_s=self.halt_s)


class Service:
    """The API, its appliances in the order of their rank, and what it was told."""

    def __init__(self, made: film.Film) -> None:
        self.film = made
        self.appliances = {name: Appliance(name, made) for name in ("one", "two")}
        self.keys = dict(film.KEYS)
        self.granted = set(film.KIDS)
        self.resume_s = 0.0
        self.progress: list[tuple[float, int]] = []
        self.ended: list[str] = []
        self.traces: set[str] = set()
        self.codes = {CODE}
        self.manifest: str | None = None
        self.busy = 0
        self.breaking = 0
        self.with_digests = True
        self.steering = Answer(410)
        self.steered: list[str] = []
        self.sends_to = ["one"]
        self.sent: list[str] = []
        self._server = Server(self._answer)

    @property
    def url(self) -> str:
        return self._server.url

    async def stop_api(self) -> None:
        await self._server.stop()

    async def __aenter__(self) -> Self:
        await self._server.start()
        for appliance in self.appliances.values():
            await appliance.server.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for appliance in self.appliances.values():
            await appliance.server.stop()
        await self._server.stop()

    async def _answer(self, request: Request) -> Answer:
        self.traces.add(request.headers.get("traceparent", "")[3:35])
        path, _, query = request.path.partition("?")
        path = path.removeprefix("/api/v1")
        if self.breaking:
            self.breaking -= 1
            raise ConnectionError("the process was killed under the request")
        if self.busy:
            self.busy -= 1
            return _error(503, "busy", "The service is busy.", (("retry-after", "0"),))
        if path == "/steering":
            assert "authorization" not in request.headers
            self.steered.append(query)
            return self.steering
        if path.startswith(f"/media/{REDIRECT}/"):
            assert "authorization" not in request.headers
            return await self._redirected(path.removeprefix(f"/media/{REDIRECT}/"))
        if path in ("/login", "/login/link"):
            return self._log_in(path, json.loads(request.body))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "not_logged_in", "Log in first.")
        if path.startswith("/titles"):
            return self._titles(path, query)
        if request.method == "POST" and path == "/plays":
            return self._start(json.loads(request.body)["title_id"])
        return self._of_session(request, path)

    async def _redirected(self, file: str) -> Answer:
        """Media at one address, sent on to the first of ``sends_to``; "here" makes a loop."""
        self.sent.append(file)
        bases = {"redirected": f"{self.url}/api/v1/media/{REDIRECT}/"}
        key_base = f"http://cuemark.example/api/v1/plays/{SESSION}/keys"
        if file == "manifest.mpd":
            return self._described(manifests.dash(self.film, bases, ""))
        if file == "master.m3u8":
            return self._described(manifests.master(self.film, bases, key_base, ""))
        if file.endswith(".m3u8"):
            return Answer(200, manifests.media(self.film, file.removesuffix(".m3u8")).encode())
        first = self.sends_to[0]
        base = bases["redirected"] if first == "here" else self.appliances[first].base_url
        return Answer(302, headers=(("location", f"{base}{file}"),))

    def steer(self, *names: str, ttl_s: float = 1) -> None:
        """Where plays shall fetch from, from their next question on."""
        answer = {"VERSION": 1, "TTL": ttl_s, "PATHWAY-PRIORITY": names}
        self.steering = _json(answer | {"RELOAD-URI": f"{self.url}/api/v1/steering?play=again"})

    def _log_in(self, path: str, body: dict[str, str]) -> Answer:
        if path == "/login/link" and body["code"] in self.codes:
            self.codes.discard(body["code"])
        elif body.get("password") != PASSWORD:
            return _error(401, "wrong_credentials", "Mail and password do not match.")
        return _json({"token": TOKEN, "account": {}, "expires_at": "2026-01-01T00:00:00Z"})

    def _titles(self, path: str, query: str) -> Answer:
        titles = [
            {"title_id": OTHER_ID, "name": "Another", "quality": "none", "duration_s": 0.0},
            {"title_id": TITLE_ID, "name": NAME, "quality": "full", "duration_s": film.SECONDS},
        ]
        if path == "/titles":
            if "after=" not in query:
                return _json({"titles": titles[:1], "next_cursor": "a/b&c"})
            assert "after=a%2Fb%26c" in query
            return _json({"titles": titles[1:], "next_cursor": ""})
        for title in titles:
            if path == f"/titles/{title['title_id']}":
                return _json(title)
        return _error(404, "unknown_title", "No title has this id.")

    def _start(self, title_id: str) -> Answer:
        if title_id != TITLE_ID:
            return _error(409, "cannot_play", "The title is not published yet.")
        base = f"/api/v1/plays/{SESSION}"
        return _json(
            {
                "session_id": SESSION,
                "title_id": title_id,
                "version_id": VERSION,
                "duration_s": float(film.SECONDS),
                "resume_s": self.resume_s,
                "appliances": list(self.appliances),
                "dash_url": f"{base}/manifest.mpd",
                "hls_url": f"{base}/master.m3u8",
                "licence_url": f"{base}/licence",
                "progress_url": f"{base}/progress",
                "expires_at": "2030-01-01T00:00:00Z",
                "redirected_dash_url": f"/api/v1/media/{REDIRECT}/manifest.mpd",
                "redirected_hls_url": f"/api/v1/media/{REDIRECT}/master.m3u8",
                "of_a_newer_release": True,
            },
            201,
        )

    def _of_session(self, request: Request, path: str) -> Answer:
        base = f"/plays/{SESSION}"
        bases = {name: each.base_url for name, each in self.appliances.items()}
        steering_url = f"{self.url}/api/v1/steering?play=abc.def"
        if path == f"{base}/manifest.mpd":
            return self._described(manifests.dash(self.film, bases, steering_url))
        if path == f"{base}/master.m3u8":
            # Behind a proxy the service knows itself by another name than the device does.
            key_base = f"http://cuemark.example/api/v1{base}/keys"
            return self._described(manifests.master(self.film, bases, key_base, steering_url))
        if path == f"{base}/licence":
            return self._licence(json.loads(request.body))
        if path.startswith(f"{base}/keys/"):
            label = _label(path.rpartition("/")[2])
            if label not in self.granted:
                return _error(403, "licence_refused", "This key is not for you.")
            return Answer(200, bytes.fromhex(self.keys[label]))
        if path == f"{base}/progress" and request.method == "PUT":
            body = json.loads(request.body)
            self.progress.append((body["position_s"], body["sequence"]))
            return Answer(204)
        if path == base and request.method == "DELETE":
            self.ended.append(SESSION)
            return Answer(204)
        return _error(404, "not_found", "There is nothing here.")

    def _described(self, manifest: str) -> Answer:
        """The manifest, or one of a version from before there were digests."""
        text = self.manifest or manifest
        if not self.with_digests:
            text = re.sub("<SupplementalProperty[^>]*>|#EXT-X-SESSION-DATA.*\n", "", text)
        return Answer(200, text.encode())

    def _licence(self, body: dict[str, Any]) -> Answer:
        assert body["type"] == "temporary"
        keys = []
        for kid in body["kids"]:
            label = _label(base64.urlsafe_b64decode(kid + "==").hex())
            if label in self.granted:
                keys.append({"kty": "oct", "kid": kid, "k": _base64url(self.keys[label])})
        if not keys:
            return _error(403, "licence_refused", "This play is over.")
        return _json({"keys": keys, "type": "temporary"})


def _label(kid: str) -> str:
    return next(label for label, known in film.KIDS.items() if known == kid)


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(text)).rstrip(b"=").decode()


def _json(body: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode(), (("content-type", "application/json"),))


def _error(
    status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return Answer(status, body, headers)
