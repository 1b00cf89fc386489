"""From a password to the first page: what a member waits for between the two."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from benches.bare import bare, port_of
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.http11 import Answer, Connection
from benches.processes import cpu_of_each
from benches.spread import percentile
from benches.stand import Install, Stand
from cuemark.app.engines import postgres
from cuemark.contracts import steering
from cuemark.contracts.encoding.events import TOPIC, VersionPublished
from cuemark.contracts.identity import Account
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.steering import VersionPlaced
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log

MEMBERS, TITLES, LISTED, VISITS = 40, 200, 5, 400
SEEN_S, POLL_S = 60.0, 0.1
PASSWORD = "a sentence that nobody guesses"
API = "/api/v1"
WHO = (f"{API}/me", f"{API}/profiles")
SHOWN = (
    f"{API}/continue-watching",
    f"{API}/my-list?limit=50",
    f"{API}/titles?after=&limit=48",
    f"{API}/works?kind=series&limit=48",
)
ABOUT = f"""
`python -m benches home` starts a Cuemark without workers and appliances, with {TITLES} titles that
are told to have a version somewhere, and {MEMBERS} members who have {LISTED} of them on their list.
Members log in one after another by password, on devices that logged in before; each then asks for
what the page asks for: who is here and the profiles, and, on four connections at once, what goes
on, the list, the titles and the series. *Login to home* is from the password to the last of these
answers, without the time in which a browser draws. The check of a password is in it, which is slow
on purpose. *CPU of a visit* is that of all of Cuemark's processes.
"""


class Made(msgspec.Struct, frozen=True):
    title_id: str


class Seen(msgspec.Struct, frozen=True):
    quality: str


class Visit(NamedTuple):
    login_ms: float
    home_ms: float


def measure(stand: Stand) -> list[Figure]:
    visits = MEMBERS if stand.quick else VISITS
    with bare(stand, "home") as install:
        stand.tell("titles and members")
        titles = furnish(install)
        asyncio.run(publish(install, titles))
        crowd = Crowd(port_of(install))
        asyncio.run(crowd.settle(titles))
        stand.tell("visits")
        before = cpu_of_each(install.pids)
        made = asyncio.run(crowd.come(visits))
        after = cpu_of_each(install.pids)
    used_ms = 1000 * (sum(after.values()) - sum(before.values())) / visits
    rows = [figure("home: calls from login to home", 1 + len(WHO) + len(SHOWN), "calls")]
    for name, took_ms in (
        ("login", [each.login_ms for each in made]),
        ("login to home", [each.home_ms for each in made]),
    ):
        rows += [
            figure(f"home: {name}, p50", percentile(took_ms, 0.5), "ms"),
            figure(f"home: {name}, p99", percentile(took_ms, 0.99), "ms"),
        ]
    return [*rows, figure("home: CPU of a visit", used_ms, "ms")]


def furnish(install: Install) -> list[str]:
    """Makes the titles and the members; the ids of the titles."""
    for number in range(MEMBERS):
        body = {"email": mail_of(number), "password": PASSWORD}
        install.operator.post("/accounts", body, Account)
    made = [
        install.operator.post("/titles", {"name": f"Film {number}"}, Made)
        for number in range(TITLES)
    ]
    return [each.title_id for each in made]


async def publish(install: Install, titles: Sequence[str]) -> None:
    """Tells, as encoding and steering do, that each title has a version and that an appliance holds
    it; returns once members see all."""
    clock = SystemClock()
    ids, log = Ids(clock), Log(clock)
    database = Database(postgres.url_of(install.folder.run))
    try:
        async with database.transaction() as transaction:
            for title_id in titles:
                version_id = VersionId(ids.new("ver"))
                told = VersionPublished(
                    version_id=version_id,
                    title_id=TitleId(title_id),
                    quality="full",
                    duration_s=5400.0,
                    artwork_key="",
                    index_blake3="00" * 32,
                    published_at=clock.now(),
                )
                await log.append(transaction, TOPIC, version_id, told)
                placed = VersionPlaced(version_id=version_id, placed_at=clock.now())
                await log.append(transaction, steering.TOPIC, version_id, placed)
    finally:
        await database.close()
    last = titles[-1]
    async with asyncio.timeout(SEEN_S):
        while install.operator.get(f"/titles/{last}", Seen).quality == "none":
            await asyncio.sleep(POLL_S)


def mail_of(number: int) -> str:
    return f"member-{number}@cuemark.example"


class Crowd:
    """Members, each on a device of their own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._badges: dict[int, str] = {}

    async def settle(self, titles: Sequence[str]) -> None:
        """Each logs in once, on the device that is known from then on, and lists some titles."""
        for number in range(MEMBERS):
            lines = [await Connection.open(self._port)]
            cookies = await self._log_in(lines[0], number)
            for listed in range(LISTED):
                wanted = titles[(number + 7 * listed) % len(titles)]
                path = f"{API}/my-list/{wanted}"
                _ok(path, await lines[0].put(path, _with(cookies)))
            lines[0].close()

    async def come(self, visits: int) -> list[Visit]:
        return [await self._visit(number % MEMBERS) for number in range(visits)]

    async def _visit(self, number: int) -> Visit:
        lines = [await Connection.open(self._port) for _ in SHOWN]
        try:
            begun_s = time.monotonic()
            headers = _with(await self._log_in(lines[0], number))
            in_s = time.monotonic()
            for path in WHO:
                _ok(path, await lines[0].get(path, headers))
            asked = (line.get(path, headers) for line, path in zip(lines, SHOWN, strict=True))
            for path, answer in zip(SHOWN, await asyncio.gather(*asked), strict=True):
                _ok(path, answer)
            shown_s = time.monotonic()
        finally:
            for line in lines:
                line.close()
        return Visit(1000 * (in_s - begun_s), 1000 * (shown_s - begun_s))

    async def _log_in(self, line: Connection, number: int) -> Mapping[str, str]:
        """The cookies of a login."""
        body = msgspec.json.encode({"email": mail_of(number), "password": PASSWORD})
        known = {"cuemark_device": self._badges[number]} if number in self._badges else {}
        path = f"{API}/login"
        answer = await line.post(path, body, _with(known, f"203.0.{number}.7"))
        _ok(path, answer)
        self._badges[number] = answer.cookies()["cuemark_device"]
        return answer.cookies()


def _with(cookies: Mapping[str, str], address: str = "") -> dict[str, str]:
    told = {"Origin": "http://127.0.0.1"}
    if cookies:
        told["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return told | ({"X-Forwarded-For": address} if address else {})


def _ok(path: str, answer: Answer) -> None:
    if answer.status >= 300:
        raise BenchFailed(f"{path} was answered {answer.status}: {answer.body[:200]!r}")
