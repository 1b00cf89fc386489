"""The link without a network: routes, passports, and what a message must survive."""

import asyncio
import base64
from typing import Any, ClassVar, Protocol, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit import link, passport, tracing
from cuemark.kit.clock import ManualClock
from cuemark.kit.errors import Refusal, Unavailable


class Closed(Refusal):
    code = "closed"
    status = 409


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    word: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    word: str
    more: str = ""


class Echo(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (Closed,)

    async def say(self, request: Ask) -> Answer: ...


class EchoService(Echo):
    async def say(self, request: Ask) -> Answer:
        match request.word:
            case "closed":
                raise Closed("Closed today.")
            case "away":
                raise Unavailable("the valley is away")
            case "who":
                caller = passport.current_passport.get()
                return Answer(
                    word=caller.subject if caller else "", more=tracing.current_trace_id()
                )
        return Answer(word=request.word)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    appliance_id: str


class Porch(Protocol):
    for_appliances: ClassVar[frozenset[str]] = frozenset({"knock"})

    async def knock(self, request: Call) -> Answer: ...

    async def enter(self, request: Call) -> Answer: ...


class PorchService(Porch):
    async def knock(self, request: Call) -> Answer:
        return Answer(word="who is there?")

    async def enter(self, request: Call) -> Answer:
        return Answer(word="welcome")


def an_echo() -> Echo:
    return EchoService()


ROUTE = "/internal/echo/say"
OFFICE = passport.PassportOffice(b"key", ManualClock())


async def asked(
    app: link.InternalApp, body: bytes, path: str = ROUTE, **headers: str
) -> tuple[int, Any]:
    """What the application answers to one request, its body sent in two pieces."""
    given = {passport.HEADER: OFFICE.mint(passport.Passport(subject="tests", role="service"))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    pieces: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[:3], "more_body": True},
        {"type": "http.request", "body": body[3:]},
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    wire = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    await app({"type": "http", "path": path, "headers": wire}, receive, send)
    return sent[0]["status"], msgspec.json.decode(sent[1]["body"])


@pytest.fixture
def app() -> link.InternalApp:
    return link.InternalApp([link.serve(Echo, an_echo())], OFFICE)


def test_a_contract_has_a_route_for_each_method() -> None:
    assert [tuple(method) for method in link.methods_of(Echo)] == [("say", Ask, Answer)]
    assert set(link.serve(Echo, an_echo())) == {ROUTE}


async def test_an_answer_a_refusal_and_an_absence_have_each_a_status(
    app: link.InternalApp,
) -> None:
    assert await asked(app, b'{"word":"hi"}') == (200, {"word": "hi", "more": ""})
    refusal = {"code": "closed", "message": "Closed today."}
    assert await asked(app, b'{"word":"closed"}') == (422, refusal)
    status, body = await asked(app, b'{"word":"away"}')
    assert (status, body["code"]) == (503, "unavailable")


async def test_without_a_passport_nobody_gets_in(app: link.InternalApp) -> None:
    stranger = passport.PassportOffice(b"other", ManualClock())
    forged = stranger.mint(passport.Passport(subject="x", role="service"))
    for text in ("", "x", "\xe9.\xff", forged):
        status, body = await asked(app, b'{"word":"hi"}', x_cuemark_passport=text)
        assert (status, body["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("role", [each for each in get_args(passport.Role) if each != "service"])
async def test_nobody_but_a_service_gets_in(app: link.InternalApp, role: passport.Role) -> None:
    text = OFFICE.mint(passport.Passport(subject="acc_ada", role=role, staff_role="owner"))
    status, body = await asked(app, b'{"word":"hi"}', x_cuemark_passport=text)
    assert (status, body["code"]) == (403, "forbidden")


async def test_an_appliance_gets_in_where_it_is_meant_and_as_itself() -> None:
    app = link.InternalApp([link.serve(Porch, PorchService())], OFFICE)
    oslo = passport.Passport(subject="oslo", role="appliance")
    shown = {"x_cuemark_passport": OFFICE.mint(oslo)}
    answers = {
        (method, name): (
            await asked(app, b'{"appliance_id":"%s"}' % name, f"/internal/porch/{method}", **shown)
        )[0]
        for method in ("knock", "enter")
        for name in (b"oslo", b"bergen")
    }
    assert answers == {
        ("knock", b"oslo"): 200,
        ("knock", b"bergen"): 403,
        ("enter", b"oslo"): 403,
        ("enter", b"bergen"): 403,
    }
    assert (await asked(app, b'{"appliance_id":"bergen"}', "/internal/porch/knock"))[0] == 200


async def test_a_passport_past_its_time_lets_nobody_in() -> None:
    clock = ManualClock()
    office = passport.PassportOffice(b"key", clock, ttl_s=60)
    app = link.InternalApp([link.serve(Echo, an_echo())], office)
    text = office.mint(passport.Passport(subject="control", role="service"))
    clock.advance(60)
    assert (await asked(app, b'{"word":"hi"}', x_cuemark_passport=text))[0] == 200
    clock.advance(1)
    status, body = await asked(app, b'{"word":"hi"}', x_cuemark_passport=text)
    assert (status, body["code"]) == (401, "unauthenticated")


@given(st.data())
async def test_a_passport_that_was_changed_lets_nobody_in(data: st.DataObject) -> None:
    app = link.InternalApp([link.serve(Echo, an_echo())], OFFICE)
    genuine = OFFICE.mint(passport.Passport(subject="acc_ada", role="member"))
    body, _, signature = genuine.partition(".")
    claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    name = data.draw(st.sampled_from(sorted(claims)))
    claims |= {name: data.draw(st.sampled_from(["service", "control", 2, 2**40, None, True]))}
    changed = base64.urlsafe_b64encode(msgspec.json.encode({**claims, "role": "service"}))
    text = f"{changed.rstrip(b'=').decode()}.{signature}"
    assert (await asked(app, b'{"word":"hi"}', x_cuemark_passport=text))[0] == 401


async def test_a_route_that_is_not_there_is_told_so(app: link.InternalApp) -> None:
    for path in ("/", "/internal/echo/refusals", "/internal/echo/say/", "/internal/echo/__init__"):
        assert (await asked(app, b"{}", path=path))[0] == 404


async def test_what_is_no_request_is_told_so(app: link.InternalApp) -> None:
    for body in (b"", b"{", b"[]", b"{}", b'{"word":1}', b'{"word":"\xff"}', b"[" * 100_000):
        status, answer = await asked(app, body)
        assert (status, answer["code"]) == (400, "malformed")


async def test_a_call_runs_under_the_passport_and_the_trace_of_its_caller(
    app: link.InternalApp,
) -> None:
    header = f"00-{'5' * 32}-{'6' * 16}-01"
    answer = (await asked(app, b'{"word":"who"}', traceparent=header))[1]
    assert answer == {"word": "tests", "more": "5" * 32}
    assert passport.current_passport.get() is None


async def test_unknown_fields_of_a_newer_side_are_ignored(app: link.InternalApp) -> None:
    assert (await asked(app, b'{"word":"hi","loud":true}'))[0] == 200


class OtherAnswer(msgspec.Struct, frozen=True, kw_only=True):
    syllables: int


class OddService(Echo):
    """Answers with another type than its contract says."""

    async def say(self, request: Ask) -> Any:
        return OtherAnswer(syllables=2)


async def test_an_answer_that_this_release_cannot_read_is_unavailable() -> None:
    odd: Echo = OddService()
    with pytest.raises(Unavailable, match="cannot read"):
        await link.local(Echo, odd).say(Ask(word="hi"))


async def test_a_refusal_that_this_release_does_not_know_is_still_a_refusal() -> None:
    class Newer(Refusal):
        code = "newer"

    class NewerService(Echo):
        async def say(self, request: Ask) -> Answer:
            raise Newer("Not on Sundays.")

    newer: Echo = NewerService()
    with pytest.raises(Refusal, match="Not on Sundays"):
        await link.local(Echo, newer).say(Ask(word="hi"))


async def test_the_application_lives_as_long_as_its_server(app: link.InternalApp) -> None:
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    inbox.put_nowait({"type": "lifespan.startup"})
    inbox.put_nowait({"type": "lifespan.shutdown"})
    await app({"type": "lifespan"}, inbox.get, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
