"""What the agent answers nginx: a file of a version, from the store or while it comes in."""

import hmac
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

import msgspec

from cuemark.contracts.ids import VersionId
from cuemark.edge import ranges
from cuemark.edge.cache import Reason, Standing
from cuemark.edge.filling import Filler, TooManyFills
from cuemark.edge.growing import FillFailed, Growing, Wanted
from cuemark.edge.health import Health
from cuemark.edge.lines import SOURCE_HEADER, TROUBLE_HEADER
from cuemark.edge.nginx import MARKED_FORM, PATH_FORM, VERSION_FORM
from cuemark.edge.sources import Kind
from cuemark.edge.store import Indexes, Store
from cuemark.edge.tokens import Refused, Tokens
from cuemark.edge.upstream import NOT_HELD

_TARGET = re.compile(f"/({VERSION_FORM})/({PATH_FORM})")
_VARIANT = re.compile(f"[ab]{MARKED_FORM}")
_TYPES = {
    ".mp4": "video/mp4",
    ".m4s": "video/mp4",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt",
    ".ttml": "application/ttml+xml",
}
MOST_RENEWALS = 8
_STATUS_OF = {Reason.AWAY: 503, Reason.LOCAL: 503, Reason.MISSING: 502, Reason.CORRUPT: 502}


@dataclass
class Answer:
    """Status, headers, and a body: ``text``, or the ``span`` of a file.

    A file that still comes in has ``growing``. Whoever has an answer closes it.
    """

    status: int
    headers: dict[str, str]
    text: bytes = b""
    file: int = -1
    span: ranges.Span | None = None
    growing: Growing | None = None

    def close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


@dataclass(frozen=True)
class Request:
    """A request: header names are in lower case, ``address`` is who sent it."""

    method: str
    target: str
    headers: dict[str, str]
    address: str = ""


class MediaService:
    """Answers for the versions in ``indexes``; ``pending`` tells those whose index is on its way.

    ``key`` is what nginx shows to be heard, which has judged the request. Anybody else needs a
    token in the path, as before nginx.
    """

    def __init__(
        self,
        name: str,
        key: str,
        tokens: Tokens,
        indexes: Indexes,
        store: Store,
        filler: Filler,
        pending: Callable[[VersionId], bool],
        health: Callable[[], Health],
    ) -> None:
        self._name = f"cuemark-{name}"
        self._key = key
        self._tokens = tokens
        self._indexes = indexes
        self._store = store
        self._filler = filler
        self._pending = pending
        self._health = health

    async def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        if request.target.startswith("/t/"):
            found = self._tokens.judge(request.target, request.address)
            if isinstance(found, Refused):
                return _told(found.status, found.sentence)
            return await self._asked(request, found.version_id, found.path)
        if not hmac.compare_digest(request.headers.get("x-agent-key", ""), self._key):
            return _told(403, "only this appliance's nginx may ask")
        if request.target == "/health":
            return _json(self._health())
        match = _TARGET.fullmatch(request.target)
        if match is None:
            return _told(404, "no such file")
        return await self._asked(request, VersionId(match[1]), match[2])

    async def _asked(self, request: Request, version_id: VersionId, path: str) -> Answer:
        file = self._indexes.find(version_id, path)
        if file is not None:
            return await self._media(request, Wanted(version_id, path, file))
        if _held_only(request):
            return _told(NOT_HELD, "this appliance does not hold the file", "held-only")
        if self._pending(version_id):
            return _told(503, "this appliance has not learnt this version yet", "unlearnt")
        return _told(404, "no such file in this version", "unknown")

    async def _media(self, request: Request, wanted: Wanted) -> Answer:
        file = wanted.file
        headers = {
            "Content-Type": _TYPES.get(PurePosixPath(wanted.path).suffix, "text/plain"),
            "ETag": etag_of(wanted),
            "Accept-Ranges": "bytes",
        }
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Answer(304, headers)
        try:
            span = _span(request, headers["ETag"], file.size_bytes)
        except ranges.Unsatisfiable as error:
            return Answer(416, {"Content-Range": str(error), "Content-Length": "0"})
        status = 206 if span else 200
        if span:
            headers["Content-Range"] = span.content_range
        span = span or ranges.Span(0, file.size_bytes, file.size_bytes)
        headers["Content-Length"] = str(span.stop - span.start)
        if request.method == "HEAD":
            return Answer(status, {**headers, "Cache-Status": f"{self._name}; detail=index"})
        return await self._body(request, Answer(status, headers, span=span), wanted)

    async def _body(self, request: Request, answer: Answer, wanted: Wanted) -> Answer:
        """Open the file for an answer: from the store, else as it comes in."""
        if wanted.file.blake3 in self._store:
            try:
                answer.file = self._store.open(wanted.file.blake3)
            except FileNotFoundError:
                self._store.drop(wanted.file.blake3)
            else:
                self._store.link(wanted.version_id, wanted.path, wanted.file.blake3)
                self._store.use(wanted.file.blake3, 1)
                answer.headers |= {"Cache-Status": f"{self._name}; hit"}
                return answer
        if _held_only(request):
            return _told(NOT_HELD, "this appliance does not hold the file", "held-only")
        try:
            standing, growing = await self._begun(wanted)
            answer.file = growing.open()
        except TooManyFills:
            return _told(503, "this appliance fetches as many files as it can bear", "full")
        except FillFailed as failure:
            reason = failure.reason
            return _told(_STATUS_OF[reason], reason.value, reason.name.lower())
        how = "collapsed" if standing is Standing.JOINS else "stored"
        kind = growing.source.kind
        detail = "" if kind is Kind.ORIGIN else f"; detail={kind.value}"
        answer.headers |= {
            "Cache-Status": f"{self._name}; fwd=miss; {how}{detail}",
            SOURCE_HEADER: f"{kind.value} {growing.source.name}".rstrip(),
        }
        answer.growing = growing
        return answer

    async def _begun(self, wanted: Wanted) -> tuple[Standing, Growing]:
        """The file as it comes in, once it has bytes to show; raises as ``Filler.ask``.

        Where its bytes turned out wrong before this reader had any, the next source's will do.
        """
        for _ in range(MOST_RENEWALS):
            standing, growing = self._filler.ask(wanted, urgent=True)
            try:
                await growing.begun()
            except FillFailed as failure:
                if failure.reason is not Reason.RENEWED:
                    raise
            else:
                return standing, growing
        raise FillFailed(Reason.CORRUPT)


def _span(request: Request, etag: str, size_bytes: int) -> ranges.Span | None:
    """The range to serve: none where the client's condition names other bytes."""
    if request.headers.get("if-range", etag) != etag:
        return None
    return ranges.requested(request.headers.get("range", ""), size_bytes)


def _held_only(request: Request) -> bool:
    """Whether the answer is to come from this appliance or not at all: so peers ask."""
    return "only-if-cached" in request.headers.get("cache-control", "")


def etag_of(wanted: Wanted) -> str:
    """The version, since a path of it never has other bytes.

    A variant of a marked segment has the name that the other has too for whoever asks: its BLAKE3.
    """
    marked = _VARIANT.fullmatch(PurePosixPath(wanted.path).name)
    return f'"{wanted.file.blake3 if marked else wanted.version_id}"'


def _told(status: int, sentence: str, trouble: str = "") -> Answer:
    """A sentence for whoever asked, and a word for the line of the request."""
    text = f"{sentence}\n".encode()
    headers = {"Content-Type": "text/plain", "Content-Length": str(len(text))}
    if trouble:
        headers[TROUBLE_HEADER] = trouble
    return Answer(status, headers, text=text)


def _json(told: Health) -> Answer:
    text = msgspec.json.encode(told)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(text))}
    return Answer(200, headers, text=text)
