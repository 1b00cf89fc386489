"""Whoever asks from outside learns of no mail address whether it has an account."""

import dataclasses
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuemark.contexts.fraud import wiring
from cuemark.gateway.app import build_gateway
from cuemark.gateway.limits import Limiter
from cuemark.kit import mail
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.puzzle import solve
from tests.databases import opened
from tests.integration.identity.house import EMAIL, House
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.neighbours import Town

NOBODY = "eve@example.org"
WRONG = "not the password at all"


class Door:
    """The gateway with fraud and identity as they are, and neighbors in memory."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        clock = house.clock
        room = wiring.build(house.database, Log(clock), clock, Ids(clock), key=b"k" * 32)
        town = Town(folder, clock=clock)
        parts = dataclasses.replace(
            town.parts,
            identity=house.identity,
            fraud=room.service,
            limiter=Limiter(clock),
        )
        self.ask = Asker(build_gateway(parts))

    async def log_in(self, email: str, proof: str = "") -> Answer:
        body = {"email": email, "password": WRONG, "proof": proof}
        return await self.ask("POST", "/api/v1/login", json=body)

    async def proven(self, email: str) -> Answer:
        """An attempt that does the work that is asked of it."""
        answer = await self.log_in(email)
        if answer.status == 403 and (asked := answer.json().get("proof")):
            number = solve(asked["challenge"], asked["bits"])
            answer = await self.log_in(email, f"{asked['challenge']}:{number}")
        return answer


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Door]:
    from cuemark.contexts.identity import wiring as identity

    async with opened(database_url, wiring, identity, mail) as database:
        house = House(database)
        await house.create()
        yield Door(house, tmp_path)


def said(answer: Answer) -> tuple[int, str, str, int]:
    """What an answer tells, but for the challenge itself, which is another each time."""
    body = answer.json()
    bits = body.get("proof", {}).get("bits", 0)
    return answer.status, answer.code, body["error"]["message"], bits


async def test_guesses_at_a_member_and_at_nobody_are_answered_alike_at_each_step(
    database_url: str, tmp_path: Path
) -> None:
    from cuemark.contexts.identity import wiring as identity

    heard = []
    async with opened(database_url, wiring, identity, mail) as database:
        house = House(database)
        await house.create()
        for email in (EMAIL, NOBODY):
            door = Door(house, tmp_path / email)
            answers = []
            for number in range(45):
                answers.append(said(await door.proven(email)))
                house.clock.advance(2 if number % 9 else 1)
            heard.append(answers)
    assert heard[0] == heard[1]
    codes = list(dict.fromkeys(code for _, code, _, _ in heard[0]))
    assert codes == ["wrong_credentials", "letter_needed"]


async def test_an_answer_takes_as_long_for_a_member_as_for_nobody(door: Door) -> None:
    for number in range(30):
        await door.log_in(f"x{number}@example.org")
        door.house.clock.advance(2)
    took_s: dict[str, list[float]] = {EMAIL: [], NOBODY: []}
    for _ in range(40):
        for email, times in took_s.items():
            begun_s = time.perf_counter()
            answer = await door.log_in(email)
            times.append(time.perf_counter() - begun_s)
            assert answer.status in (403, 429)
            door.house.clock.advance(2)
    middle = {email: sorted(times)[20] for email, times in took_s.items()}
    assert 0.5 < middle[EMAIL] / middle[NOBODY] < 2.0


async def test_a_letter_is_promised_to_both_and_written_to_one(door: Door) -> None:
    answers = [
        await door.ask("POST", "/api/v1/login/letter", json={"email": email})
        for email in (EMAIL, NOBODY)
    ]
    assert [(each.status, each.json()) for each in answers] == [(202, {"delayed": False})] * 2
    assert [each.recipient for each in await door.house.letters()] == [EMAIL]
