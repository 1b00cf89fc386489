"""The link itself, on a contract made for it: all three ways behave alike."""

import asyncio
from datetime import UTC, datetime
from typing import ClassVar, Protocol

import msgspec
import pytest

from cuemark.kit import deadline, link, passport, tracing
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.errors import Refusal, Unavailable
from tests.contract.conftest import Reach, served


class Closed(Refusal):
    code = "closed"
    status = 409


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    open: list[int]


class ClosedToday(Closed):
    code = "closed_today"
    tells = Hours


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    word: str
    at: datetime | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    word: str
    at: datetime | None
    trace_id: str
    caller: str
    remaining_s: float


class Echo(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (Closed, ClosedToday)

    async def say(self, request: Ask) -> Answer: ...


class EchoService(Echo):
    async def say(self, request: Ask) -> Answer:
        if request.word == "closed":
            raise Closed("The echo is closed: come back tomorrow.")
        if request.word == "closed today":
            raise ClosedToday("The echo is closed today.", Hours(open=[9, 17]))
        if request.word == "closed for good":
            raise ClosedToday("The echo is closed.")
        if request.word == "away":
            raise Unavailable("the valley does not answer")
        if request.word == "slow":
            await asyncio.sleep(5)
        caller = passport.current_passport.get()
        return Answer(
            word=request.word,
            at=request.at,
            trace_id=tracing.current_trace_id(),
            caller=caller.subject if caller else "",
            remaining_s=deadline.remaining_s(60),
        )


def an_echo() -> Echo:
    return EchoService()


async def test_a_message_comes_through_whole(reach: Reach) -> None:
    echo = await reach(Echo, an_echo())
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    answer = await echo.say(Ask(word="gr\u00fc\u00dfe \U0001f3ac \x00 '", at=at))
    assert (answer.word, answer.at) == ("gr\u00fc\u00dfe \U0001f3ac \x00 '", at)


async def test_a_refusal_keeps_its_type_and_sentence(reach: Reach) -> None:
    echo = await reach(Echo, an_echo())
    with pytest.raises(Closed, match=r"^The echo is closed: come back tomorrow\.$"):
        await echo.say(Ask(word="closed"))


async def test_a_refusal_brings_what_it_tells_beside_its_sentence(reach: Reach) -> None:
    echo = await reach(Echo, an_echo())
    with pytest.raises(ClosedToday) as refused:
        await echo.say(Ask(word="closed today"))
    assert refused.value.details == Hours(open=[9, 17])
    with pytest.raises(ClosedToday) as refused:
        await echo.say(Ask(word="closed for good"))
    assert refused.value.details is None


async def test_a_callee_that_cannot_answer_is_unavailable(reach: Reach) -> None:
    echo = await reach(Echo, an_echo())
    with pytest.raises(Unavailable):
        await echo.say(Ask(word="away"))


async def test_the_trace_of_the_caller_is_the_trace_of_the_callee(reach: Reach) -> None:
    echo = await reach(Echo, an_echo())
    with tracing.trace("5" * 32):
        assert (await echo.say(Ask(word="x"))).trace_id == "5" * 32


async def test_the_deadline_of_the_caller_binds_the_callee(reach: Reach) -> None:
    echo = await reach(Echo, an_echo())
    with deadline.deadline(1.5):
        assert 0 < (await echo.say(Ask(word="x"))).remaining_s <= 1.5


async def test_many_calls_at_once_get_each_their_own_answer(reach: Reach) -> None:
    echo = await reach(Echo, an_echo())
    answers = await asyncio.gather(*(echo.say(Ask(word=str(n))) for n in range(200)))
    assert [answer.word for answer in answers] == [str(n) for n in range(200)]


async def test_a_remote_callee_sees_the_passport_of_the_calling_process() -> None:
    async with served(Echo, an_echo()) as echo:
        assert (await echo.say(Ask(word="x"))).caller == "contract tests"


@pytest.mark.parametrize("role", ["member", "operator"])
async def test_a_remote_callee_that_takes_us_for_no_service_is_unavailable(
    role: passport.Role,
) -> None:
    async with served(Echo, an_echo(), role=role) as echo:
        with pytest.raises(Unavailable, match="403"):
            await echo.say(Ask(word="x"))


async def test_a_remote_callee_that_is_slow_is_given_up_at_the_deadline() -> None:
    async with served(Echo, an_echo()) as echo:
        with deadline.deadline(0.1), pytest.raises(Unavailable):
            async with asyncio.timeout(2):
                await echo.say(Ask(word="slow"))


async def test_a_remote_callee_that_is_not_there_is_unavailable() -> None:
    office = passport.PassportOffice(b"key", SystemClock())
    me = passport.Passport(subject="x", role="service")
    async with Channel("http://127.0.0.1:9", lambda: office.mint(me)) as channel:
        with pytest.raises(Unavailable):
            await link.connect(Echo, channel).say(Ask(word="x"))
