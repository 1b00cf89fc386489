"""The device's side of the public HTTP API (docs/reference/http-api.md)."""

import asyncio
import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Annotated, Self, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError, RequestTimeoutError
from pyreqwest.types import HeadersType

from cuemark.kit import puzzle, tracing
from cuemark.kit.errors import UNREADABLE
from cuemark.player.errors import ApiAway, ApiRefused, PlayerError, ProofAsked, TitleUnclear

BASE = "/api/v1"
TIMEOUT_S = 10.0
MAX_PAGES = 500
EVERYTHING: Mapping[str, object] = {
    "codecs": ["h264", "hevc", "av1"],
    "max_height": 0,
    "dynamic_ranges": ["sdr", "hlg", "pq"],
}
_PAGE_LIMIT = 200
_ATTEMPTS = 3
_LONGEST_WAIT_S = 3.0
_PAUSE_S = 0.5
_ID = re.compile(r"^ttl_[0-9a-z]{26}$")

T = TypeVar("T")


class BearerToken(msgspec.Struct, frozen=True):
    """A login that exists already."""

    token: str


class LoginCode(msgspec.Struct, frozen=True):
    """The code of a one-time login link."""

    code: str


class Password(msgspec.Struct, frozen=True):
    """Mail address and password of an account."""

    email: str
    password: str


Credential = BearerToken | LoginCode | Password


class Title(msgspec.Struct, frozen=True, kw_only=True):
    title_id: str
    name: str
    duration_s: float = 0.0
    quality: str = "none"


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """What a started play answers; the URLs are paths on the API. A service of an older release
    has no ``redirected`` ones."""

    session_id: str
    title_id: str
    version_id: str
    duration_s: float
    resume_s: float
    appliances: list[str]
    dash_url: str
    hls_url: str
    licence_url: str
    progress_url: str
    redirected_dash_url: str = ""
    redirected_hls_url: str = ""


class _Broken(Exception):
    """There was no connection, or it ended before the answer did."""


class _Granted(msgspec.Struct, frozen=True):
    """``token`` is left out where the account asks for a second factor."""

    token: str = ""


class _Page(msgspec.Struct, frozen=True):
    titles: list[Title]
    next_cursor: str = ""


class _Key(msgspec.Struct, frozen=True, kw_only=True):
    kid: str
    k: str
    kty: str = "oct"


class _Licence(msgspec.Struct, frozen=True):
    keys: list[_Key]


class _Error(msgspec.Struct, frozen=True):
    code: str = "refused"
    message: str = ""


class _Proof(msgspec.Struct, frozen=True):
    challenge: str
    bits: Annotated[int, msgspec.Meta(ge=0, le=puzzle.MOST_BITS)]


class _ErrorBody(msgspec.Struct, frozen=True):
    error: _Error
    proof: _Proof | None = None


class Api:
    """One device's conversation with one service.

    Every call raises ``ApiRefused`` or ``ApiAway``. The login is sent to this service only.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ApiAway(f"{url!r} is not the address of a service, such as http://127.0.0.1:8080")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._token = ""
        self._client: Client = (
            ClientBuilder()
            .connect_timeout(timedelta(seconds=3))
            .timeout(timedelta(seconds=TIMEOUT_S))
            .follow_redirects(False)
            .no_proxy()
            .user_agent("cuemark-player")
            .build()
        )

    async def log_in(self, credential: Credential) -> None:
        """From here on, calls are made as the member of ``credential``."""
        if isinstance(credential, BearerToken):
            self._token = credential.token
        elif isinstance(credential, LoginCode):
            body = {"code": credential.code}
            self._token = await self._entered("login/link", body)
        else:
            body = {"email": credential.email, "password": credential.password}
            try:
                self._token = await self._entered("login", body)
            except ProofAsked as asked:
                number = await asyncio.to_thread(puzzle.solve, asked.challenge, asked.bits)
                proof = {"proof": f"{asked.challenge}:{number}"}
                self._token = await self._entered("login", body | proof)

    async def _entered(self, path: str, body: dict[str, str]) -> str:
        token = (await self._json("POST", f"{BASE}/{path}", _Granted, body)).token
        if not token:
            raise ApiRefused(
                "the account has a second factor: log in in a browser, and play by a code of the "
                "device (POST /device_authorization)",
                code="factor_needed",
            )
        return token

    async def find_title(self, text: str) -> Title:
        """The title with this id, this very name, or else this name in any case.

        ``TitleUnclear`` where there is none, or more than one.
        """
        if _ID.match(text):
            return await self._json("GET", f"{BASE}/titles/{text}", Title)
        named = [
            title for title in await self._titles() if title.name.casefold() == text.casefold()
        ]
        exact = [title for title in named if title.name == text]
        fitting = exact or named
        if not fitting:
            raise TitleUnclear(f"no title is named {text!r}: see the list of titles")
        if len(fitting) > 1:
            ids = ", ".join(title.title_id for title in fitting[:5])
            raise TitleUnclear(
                f"{len(fitting)} titles are named {text!r}: give an id, one of {ids}"
            )
        return fitting[0]

    async def _titles(self) -> list[Title]:
        titles: list[Title] = []
        cursor = ""
        for _ in range(MAX_PAGES):
            query = f"limit={_PAGE_LIMIT}" + (f"&after={quote(cursor, safe='')}" if cursor else "")
            page = await self._json("GET", f"{BASE}/titles?{query}", _Page)
            titles += page.titles
            if not page.next_cursor:
                return titles
            cursor = page.next_cursor
        raise ApiAway(f"the list of titles does not end within {MAX_PAGES} pages")

    async def start_play(self, title_id: str, device: str) -> Play:
        """As a device that plays whatever a film has, on a screen that is reached without HDCP."""
        body = {"title_id": title_id, "device": device, "capabilities": EVERYTHING}
        return await self._json("POST", f"{BASE}/plays", Play, body)

    async def text(self, path: str) -> str:
        """A manifest of the play."""
        body = await self._send("GET", path)
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise ApiAway(f"{path} is not text in UTF-8") from error

    def address(self, path: str) -> str:
        """Where a client without a login finds ``path``."""
        if not path.startswith("/") or path.startswith("//"):
            raise ApiAway(f"{path[:80]!r} is not a path on this service")
        return self._origin + path

    async def licence(self, path: str, kids: list[str]) -> dict[str, str]:
        """The content keys granted for ``kids``, by kid; both in hex (W3C EME, ClearKey)."""
        body = {"kids": [_base64url(bytes.fromhex(kid)) for kid in kids], "type": "temporary"}
        licence = await self._json("POST", path, _Licence, body)
        try:
            return {_hex(key.kid): _hex(key.k) for key in licence.keys if key.kty == "oct"}
        except ValueError as error:
            raise ApiAway("the licence holds something that is not a key of 16 bytes") from error

    async def key(self, url: str) -> str:
        """The content key at ``url`` in hex (HLS, ``KEYFORMAT="identity"``).

        Asked of this service whatever host the playlist names: the login goes nowhere else.
        """
        path = urlsplit(url).path
        key = await self._send("GET", path)
        if len(key) != 16:
            raise ApiAway(f"the key at {path} has {len(key)} bytes, not 16")
        return key.hex()

    async def report_progress(self, path: str, position_s: float, sequence: int) -> None:
        body = msgspec.json.encode({"position_s": position_s, "sequence": sequence})
        await self._send("PUT", path, body)

    async def end_play(self, session_id: str) -> None:
        await self._send("DELETE", f"{BASE}/plays/{quote(session_id, safe='')}")

    async def _json(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: Mapping[str, object] | None = None,
    ) -> T:
        sent = msgspec.json.encode(body) if body is not None else None
        answer = await self._send(method, path, sent)
        try:
            return msgspec.json.decode(answer, type=kind)
        except UNREADABLE as error:
            raise ApiAway(f"{method} {_bare(path)} answered something undocumented") from error

    async def _send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send, waiting out a few answers (429, 503) that say that nothing was done.

        A connection that breaks while the answer is awaited is tried again too: the service is
        being restarted. What is asked of it can be asked twice, but for the code of a login link,
        which is refused where the first time counted.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                status, answer, wait_s = await self._once(method, path, body)
            except _Broken as broken:
                if attempt == _ATTEMPTS:
                    raise ApiAway(str(broken)) from broken
                await asyncio.sleep(_PAUSE_S)
                continue
            if status not in (429, 503) or attempt == _ATTEMPTS:
                break
            await asyncio.sleep(min(wait_s, _LONGEST_WAIT_S))
        if 200 <= status < 300:
            return answer
        raise _refusal(f"{method} {_bare(path)}", status, answer)

    async def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes, float]:
        headers: HeadersType = {tracing.HEADER: tracing.traceparent()}
        request = self._client.request(method, self.address(path)).headers(headers)
        if self._token:
            request = request.bearer_auth(self._token)
        if body is not None:
            request = request.header("content-type", "application/json").body_bytes(body)
        try:
            response = await request.build().send()
            answer = (await response.bytes()).to_bytes()
        except PyreqwestError as error:
            away = f"the service at {self._origin} does not answer: is it up?"
            if isinstance(error, RequestTimeoutError):
                raise ApiAway(away) from error
            raise _Broken(away) from error
        wait = response.get_header("retry-after") or ""
        return response.status, answer, float(wait) if wait.isdecimal() else 0.5

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self._client.close()


def _refusal(what: str, status: int, body: bytes) -> PlayerError:
    try:
        said = msgspec.json.decode(body, type=_ErrorBody)
    except UNREADABLE:
        said = _ErrorBody(_Error())
    error = said.error
    if said.proof is not None:
        proof = said.proof
        return ProofAsked(error.message, proof.challenge, proof.bits)
    message = error.message or f"{what} answered {status}"
    if status >= 500 or status < 400:
        return ApiAway(message)
    return ApiRefused(message, code=error.code, status=status)


def _bare(path: str) -> str:
    return path.partition("?")[0]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hex(text: str) -> str:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(data) != 16:
        raise ValueError("not 16 bytes")
    return data.hex()
