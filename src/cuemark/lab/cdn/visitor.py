"""``python -m cuemark.lab.cdn.visitor``: one who browses, and begins a play, again and again.

The title, the API and a login code are its arguments. Each line of stdout is a ``Visit``. It goes
on until it is ended.
"""

import asyncio
import re
import sys
from datetime import timedelta

import msgspec
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from cuemark.kit.clock import SystemClock
from cuemark.kit.process import run_and_leave
from cuemark.player.api import BearerToken
from cuemark.player.errors import PlayerError
from cuemark.player.session import Options, play

EVERY_S = 1.0
PATIENCE_S = 5.0
FILM_S = 0.2
_ASSET = re.compile(r'(?:src|href)="(/assets/[^"]+)"')


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """The member page, the titles, the film of the lab and its artwork, and the begin of a play.

    ``clock_s`` is when it began, of the machine's monotonic clock. ``pages_ms`` is what all but the
    play took, which began from ``appliance_id`` after ``startup_ms``. With an ``error`` it went no
    farther than that.
    """

    clock_s: float
    pages_ms: int = 0
    startup_ms: int = 0
    appliance_id: str = ""
    error: str = ""


class _Granted(msgspec.Struct, frozen=True):
    token: str


class _Title(msgspec.Struct, frozen=True):
    title_id: str
    name: str


class _Titles(msgspec.Struct, frozen=True):
    titles: list[_Title]


class _Failed(Exception):
    """A page did not come; the text says which, and what came."""


class Visitor:
    """A member who has logged in. ``client`` has ``origin`` for its base."""

    def __init__(self, client: Client, origin: str, title: str, token: str) -> None:
        self._client = client
        self._origin = origin
        self._title = title
        self._token = token
        self._clock = SystemClock()

    async def visit(self) -> Visit:
        begun_s = self._clock.monotonic_s()
        try:
            await self._browse()
        except _Failed as failed:
            return Visit(clock_s=begun_s, error=str(failed))
        pages_ms = round(1000 * (self._clock.monotonic_s() - begun_s))
        options = Options(
            api_url=self._origin,
            credential=BearerToken(self._token),
            title=self._title,
            seconds=FILM_S,
            from_s=0.0,
        )
        try:
            report = await play(options)
        except PlayerError as failed:
            return Visit(clock_s=begun_s, pages_ms=pages_ms, error=f"the play: {failed}")
        return Visit(
            clock_s=begun_s,
            pages_ms=pages_ms,
            startup_ms=report.startup_ms,
            appliance_id=report.appliances[0],
        )

    async def _browse(self) -> None:
        """What the member page asks for, from the home page to the film's own."""
        home = (await self._get("/")).decode(errors="replace")
        for asset in _ASSET.findall(home):
            await self._get(asset)
        listed = msgspec.json.decode(await self._get("/api/v1/titles"), type=_Titles).titles
        title_id = next((each.title_id for each in listed if each.name == self._title), "")
        if not title_id:
            raise _Failed("/api/v1/titles: the film is not among them")
        await self._get(f"/api/v1/titles/{title_id}")
        if not (await self._get(f"/api/v1/titles/{title_id}/artwork")).startswith(b"\xff\xd8"):
            raise _Failed("the artwork is no JPEG")

    async def _get(self, path: str) -> bytes:
        try:
            answer = await self._client.get(path).bearer_auth(self._token).build().send()
            body = (await answer.bytes()).to_bytes()
        except PyreqwestError as error:
            raise _Failed(f"{path}: no answer") from error
        if answer.status != 200:
            raise _Failed(f"{path}: {answer.status}")
        return body


async def browse(title: str, origin: str, code: str) -> None:
    """For ever."""
    client = ClientBuilder().base_url(origin).timeout(timedelta(seconds=PATIENCE_S)).no_proxy()
    async with client.build() as asked:
        login = asked.post("/api/v1/login/link").body_json({"code": code})
        granted = await (await login.build().send()).bytes()
        token = msgspec.json.decode(granted.to_bytes(), type=_Granted).token
        visitor = Visitor(asked, origin, title, token)
        while True:
            sys.stdout.buffer.write(msgspec.json.encode(await visitor.visit()) + b"\n")
            sys.stdout.buffer.flush()
            await asyncio.sleep(EVERY_S)


def main() -> None:
    title, origin, code = sys.argv[1:4]
    asyncio.run(browse(title, origin, code))


if __name__ == "__main__":
    run_and_leave(main)
