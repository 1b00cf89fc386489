"""Whether members get in while somebody tries stolen passwords."""

import asyncio
import subprocess
import sys
import time
from typing import NamedTuple

import msgspec

from benches.bare import bare, port_of
from benches.failure import BenchFailed
from benches.figures import Anchor, Figure, figure
from benches.http11 import Answer, Connection
from benches.processes import cpu_of_each
from benches.spread import percentile
from benches.stand import Install, Stand
from benches.stuffers import MODES, PATH, Told
from cuemark.contracts.identity import Account
from cuemark.kit import puzzle

RATE_PER_S = 100
GENUINE_PER_S = 2.0
MEMBERS = 40
IN_TIME_S = 2.0
PASSWORD = "a sentence that nobody guesses"
INSIDE = Anchor("asked: 99 %", 99.0)
TIMELY = Anchor("asked: 2 s", 2000.0)
ABOUT = f"""
`python -m benches stuffing` starts a Cuemark without workers and appliances, gives it {MEMBERS}
members, and has one process try {RATE_PER_S} wrong passwords a second: from *few* addresses (4),
from *many* (5,000, by `X-Forwarded-For` of a trusted proxy), from many at *members'* mail
addresses, and from many that do the work of each challenge (*provers*). Meanwhile members log in
with the right password, {GENUINE_PER_S:.0f} a second, half of them on devices that logged in
before, half on new ones, which do the work that is asked of them. *In time* is who was in within
{IN_TIME_S:.0f} s, challenge included. All of it shares the machine's cores; the CPU of who attacks,
who logs in, and control is told.
"""


class Attempt(NamedTuple):
    known: bool
    took_s: float
    status: int


def measure(stand: Stand) -> list[Figure]:
    seconds = 8.0 if stand.quick else 40.0
    rows: list[Figure] = []
    with bare(stand, "stuffing") as install:
        port = port_of(install)
        members(install)
        people = Genuine(port)
        stand.tell("devices become known")
        asyncio.run(people.meet())
        stand.tell("peace")
        rows += told("peace", asyncio.run(people.run(seconds)))
        for mode in MODES:
            stand.tell(mode)
            rows += under(mode, install, port, people, seconds)
    return rows


def members(install: Install) -> None:
    for number in range(MEMBERS):
        body = {"email": mail_of(number), "password": PASSWORD}
        install.operator.post("/accounts", body, Account)


def mail_of(number: int) -> str:
    return f"member-{number}@cuemark.example"


def under(
    mode: str, install: Install, port: int, people: "Genuine", seconds: float
) -> list[Figure]:
    """What members meet while they are not alone, and what that costs."""
    before, own_s = cpu_of_each(install.pids), time.process_time()
    argv = [sys.executable, "-m", "benches.stuffers", str(port), str(RATE_PER_S)]
    with subprocess.Popen(
        [*argv, str(seconds + 2), mode, str(MEMBERS)], stdout=subprocess.PIPE
    ) as attack:
        time.sleep(2)
        attempts = asyncio.run(people.run(seconds))
        output, _ = attack.communicate(timeout=60)
    after = cpu_of_each(install.pids)
    attacked = msgspec.json.decode(output, type=Told)
    checked = attacked.statuses.get("401", 0)
    sent = sum(attacked.statuses.values())
    lasted_s = seconds + 2
    return [
        *told(mode, attempts),
        figure(f"stuffing: {mode}, attempts that were answered", sent / lasted_s, "a second"),
        figure(f"stuffing: {mode}, whose password was checked", 100 * checked / sent, "%"),
        figure(
            f"stuffing: {mode}, CPU of control",
            (after["control"] - before["control"]) / lasted_s,
            "cores",
        ),
        figure(f"stuffing: {mode}, CPU of the attack", attacked.cpu_s / lasted_s, "cores"),
        figure(
            f"stuffing: {mode}, CPU of the members' devices",
            (time.process_time() - own_s) / lasted_s,
            "cores",
        ),
    ]


def told(mode: str, attempts: list[Attempt]) -> list[Figure]:
    rows = []
    for known, who in ((True, "known devices"), (False, "new devices")):
        mine = [each for each in attempts if each.known == known]
        inside = [each for each in mine if each.status == 200 and each.took_s <= IN_TIME_S]
        took_ms = [each.took_s * 1000 for each in mine]
        name = f"stuffing: {mode}, {who}"
        rows += [
            figure(f"{name}, in time", 100 * len(inside) / len(mine), "%", INSIDE),
            figure(f"{name}, p50", percentile(took_ms, 0.5), "ms"),
            figure(f"{name}, p99", percentile(took_ms, 0.99), "ms", TIMELY),
        ]
    return rows


class Genuine:
    """Members with the right password, each at home."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._badges: dict[int, str] = {}

    async def meet(self) -> None:
        """Each logs in once on the device that is known from then on."""
        for number in range(MEMBERS):
            attempt = await self._attempt(number, known=True)
            if attempt.status != 200:
                raise BenchFailed(f"a member was answered {attempt.status} in peace")

    async def run(self, seconds: float) -> list[Attempt]:
        begun_s = time.monotonic()
        tasks = []
        for number in range(int(seconds * GENUINE_PER_S)):
            await asyncio.sleep(max(0.0, begun_s + number / GENUINE_PER_S - time.monotonic()))
            who = number % MEMBERS
            known = (number + number // MEMBERS) % 2 == 0
            tasks.append(asyncio.create_task(self._attempt(who, known=known)))
        return list(await asyncio.gather(*tasks))

    async def _attempt(self, number: int, *, known: bool) -> Attempt:
        begun_s = time.monotonic()
        headers = {"X-Forwarded-For": f"203.0.{number}.7"}
        if known and number in self._badges:
            headers["Cookie"] = f"cuemark_device={self._badges[number]}"
        body = {"email": mail_of(number), "password": PASSWORD}
        answer = await self._post(body, headers)
        if answer.status == 403 and (proof := msgspec.json.decode(answer.body).get("proof")):
            solved = await asyncio.to_thread(puzzle.solve, proof["challenge"], proof["bits"])
            body["proof"] = f"{proof['challenge']}:{solved}"
            answer = await self._post(body, headers)
        if answer.status == 200 and known:
            self._badges[number] = answer.cookies()["cuemark_device"]
        return Attempt(known, time.monotonic() - begun_s, answer.status)

    async def _post(self, body: dict[str, str], headers: dict[str, str]) -> Answer:
        connection = await Connection.open(self._port)
        try:
            return await connection.post(PATH, msgspec.json.encode(body), headers)
        finally:
            connection.close()
