"""Whoever tries stolen passwords: ``python -m benches.stuffers PORT RATE SECONDS MODE MEMBERS``.

It sends ``RATE`` attempts a second whatever comes back, half of them on connections that it keeps
and half on new ones, and prints as JSON how many were answered how, and its own CPU seconds.
"""

import asyncio
import os
import random
import sys
import time
from collections import Counter

import msgspec

from benches.http11 import Answer, Connection
from cuemark.kit import puzzle

MODES = ("few", "many", "members", "provers")
KEPT = 16
PATH = "/api/v1/login"
SEED = 6


class Told(msgspec.Struct, frozen=True):
    statuses: dict[str, int]
    cpu_s: float


class Attack:
    """``few``: from four addresses; ``many``: from five thousand; ``members``: the same, at mail
    addresses that have accounts; ``provers``: these, who do the work that is asked for."""

    def __init__(self, port: int, mode: str, members: int) -> None:
        self._port = port
        self._mode = mode
        self._members = members
        self._rng = random.Random(SEED)
        self._kept: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self.statuses: Counter[str] = Counter()

    async def run(self, rate: float, seconds: float) -> None:
        begun_s = time.monotonic()
        running = set()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun_s + number / rate - time.monotonic()))
            task = asyncio.create_task(self._attempt(kept=number % 2 == 0))
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.wait(running, timeout=10)

    async def _attempt(self, *, kept: bool) -> None:
        body, headers = self._drawn()
        try:
            answer = await self._send(body, headers, kept=kept)
            if self._mode == "provers" and answer.status == 403:
                proof = msgspec.json.decode(answer.body).get("proof")
                if proof:
                    number = await asyncio.to_thread(
                        puzzle.solve, proof["challenge"], proof["bits"]
                    )
                    body["proof"] = f"{proof['challenge']}:{number}"
                    answer = await self._send(body, headers, kept=kept)
        except (OSError, asyncio.IncompleteReadError):
            self.statuses["broken"] += 1
            return
        self.statuses[str(answer.status)] += 1

    async def _send(self, body: dict[str, str], headers: dict[str, str], *, kept: bool) -> Answer:
        connection = None
        if kept and not self._kept.empty():
            connection = self._kept.get_nowait()
        connection = connection or await Connection.open(self._port)
        try:
            answer = await connection.post(PATH, msgspec.json.encode(body), headers)
        except BaseException:
            connection.close()
            raise
        if kept and self._kept.qsize() < KEPT:
            self._kept.put_nowait(connection)
        else:
            connection.close()
        return answer

    def _drawn(self) -> tuple[dict[str, str], dict[str, str]]:
        rng = self._rng
        number = rng.randrange(4 if self._mode == "few" else 5000)
        of_member = self._mode in ("members", "provers")
        mail = f"member-{rng.randrange(self._members)}" if of_member else f"x{rng.random()}"
        body = {"email": f"{mail}@cuemark.example", "password": f"stolen {rng.random()}"}
        return body, {"X-Forwarded-For": f"198.18.{number // 250}.{number % 250}"}


def main() -> None:
    os.nice(10)
    port, rate, seconds, mode, members = sys.argv[1:6]
    attack = Attack(int(port), mode, int(members))
    asyncio.run(attack.run(float(rate), float(seconds)))
    told = Told(dict(attack.statuses), time.process_time())
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")


if __name__ == "__main__":
    main()
