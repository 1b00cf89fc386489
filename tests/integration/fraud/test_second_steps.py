"""A stolen password and guesses at the second factor, through the gateway."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest

from cuemark.contexts.fraud import wiring
from cuemark.contracts.identity import Authenticate
from cuemark.contracts.identity.factors import BeginTotp, ConfirmTotp
from cuemark.kit import mail
from cuemark.kit.puzzle import solve
from tests.databases import opened
from tests.integration.fraud.test_enumeration import Door
from tests.integration.identity.house import EMAIL, PASSWORD, House
from tests.unit.gateway.asking import Answer

STEP_S = 30


class Guessed(Door):
    """The door before an account that has an app."""

    app: pyotp.TOTP

    async def protect(self) -> None:
        granted = await self.house.login()
        identity = self.house.identity
        caller = await identity.authenticate(Authenticate(token=granted.token))
        begun = await identity.begin_totp(BeginTotp(account_id=caller.account_id))
        self.app = pyotp.TOTP(begun.secret)
        await identity.confirm_totp(
            ConfirmTotp(
                account_id=caller.account_id, login_id=caller.login_id, code=self.right_code()
            )
        )
        self.house.clock.advance(STEP_S)

    def right_code(self) -> str:
        return self.app.at(self.house.clock.now())

    def wrong_code(self) -> str:
        now = self.house.clock.now()
        near = {self.app.at(now + timedelta(seconds=STEP_S * step)) for step in range(-3, 4)}
        return next(
            code for code in ("000000", *map(str, range(111111, 111120))) if code not in near
        )

    async def first_step(self, headers: dict[str, str] | None = None) -> str:
        """The challenge that the right password gives."""
        body = {"email": EMAIL, "password": PASSWORD}
        answer = await self.ask("POST", "/api/v1/login", json=body, headers=headers or {})
        assert answer.status == 200, answer.body
        return str(answer.json()["challenge"])

    async def second_step(
        self, challenge: str, code: str, headers: dict[str, str] | None = None
    ) -> Answer:
        body = {"challenge": challenge, "code": code}
        return await self.ask("POST", "/api/v1/login/factor", json=body, headers=headers or {})

    async def worked(self, path: str, body: dict[str, str]) -> Answer:
        """What is answered to somebody who does all the work that is asked for."""
        answer = await self.ask("POST", f"/api/v1{path}", json=body)
        if answer.status == 200 or answer.code != "proof_needed":
            return answer
        asked = answer.json()["proof"]
        proof = f"{asked['challenge']}:{solve(asked['challenge'], asked['bits'])}"
        return await self.ask("POST", f"/api/v1{path}", json=body | {"proof": proof})

    async def guess(self, count: int) -> list[str]:
        """What somebody is told who has the password alone, and does no work for it."""
        said = []
        for _ in range(count):
            answer = await self.second_step(await self.first_step(), self.wrong_code())
            said.append(answer.code)
            self.house.clock.advance(10)
        return said


@pytest.fixture
async def door(database_url: str, tmp_path: Path) -> AsyncIterator[Guessed]:
    from cuemark.contexts.identity import wiring as identity

    async with opened(database_url, wiring, identity, mail) as database:
        house = House(database)
        await house.create()
        door = Guessed(house, tmp_path)
        await door.protect()
        yield door


async def test_guesses_at_a_second_factor_are_challenged_and_the_owner_comes_in(
    door: Guessed,
) -> None:
    said = await door.guess(12)
    assert list(dict.fromkeys(said)) == ["wrong_factor", "proof_needed"]
    assert said.count("wrong_factor") < 10
    right = {"challenge": await door.first_step(), "code": door.right_code()}
    refused = await door.ask("POST", "/api/v1/login/factor", json=right)
    assert refused.code == "proof_needed"
    assert (await door.worked("/login/factor", right)).status == 200
    door.house.clock.advance(STEP_S)
    again = await door.second_step(await door.first_step(), door.right_code())
    assert again.status == 200


async def test_a_device_that_the_owner_used_before_is_let_through_at_once(door: Guessed) -> None:
    entered = await door.second_step(await door.first_step(), door.right_code())
    worn = next(
        value.partition(";")[0]
        for name, value in entered.headers
        if name == "set-cookie" and value.startswith("cuemark_device=")
    )
    await door.guess(12)
    badge = {"cookie": worn}
    door.house.clock.advance(STEP_S)
    again = await door.second_step(await door.first_step(badge), door.right_code(), badge)
    assert again.status == 200


async def test_whoever_does_the_work_each_time_is_stopped_by_the_limit_and_the_owner_told(
    door: Guessed,
) -> None:
    said = []
    for _ in range(14):
        first = await door.worked("/login", {"email": EMAIL, "password": PASSWORD})
        guess = {"challenge": first.json()["challenge"], "code": door.wrong_code()}
        said.append((await door.worked("/login/factor", guess)).code)
        door.house.clock.advance(10)
    assert list(dict.fromkeys(said)) == ["wrong_factor", "too_many_tries"]
    assert said.count("wrong_factor") == 10
    assert [each.recipient for each in await door.house.letters()][-1:] == [EMAIL]
