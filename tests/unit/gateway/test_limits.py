"""How often something may be asked for from one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from litestar import get, post

from cuemark.gateway.access import RouteWithoutLimit, access_of, limit_of, routes_of
from cuemark.gateway.app import build_routes
from cuemark.gateway.clients import home_of
from cuemark.gateway.limits import LIMITS, Limiter, Windows
from cuemark.kit.clock import ManualClock
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import Town

LOGIN = {"email": "anna@films.example", "password": "guess what"}
MOST = LIMITS["login"].amount


def test_a_gateway_in_which_anyone_writes_without_a_limit_cannot_be_built(town: Town) -> None:
    @post("/api/v1/forgotten", opt={"access": "anyone"})
    async def forgotten() -> None: ...

    with pytest.raises(RouteWithoutLimit, match="forgotten"):
        build_routes(town.parts, forgotten)


def test_a_gateway_with_a_limit_of_no_name_cannot_be_built(town: Town) -> None:
    @get("/api/v1/misspelt", opt={"access": "anyone", "limit": "logins"})
    async def misspelt() -> None: ...

    with pytest.raises(RouteWithoutLimit, match="misspelt"):
        build_routes(town.parts, misspelt)


def test_every_write_of_anyone_is_limited(town: Town) -> None:
    public = [
        (path, limit_of(handler, method))
        for method, path, handler in routes_of(build_routes(town.parts))
        if access_of(handler) == "anyone" and method != "GET"
    ]
    assert len(public) >= 10
    assert all(limit in LIMITS for _, limit in public)


async def test_too_many_are_told_when_to_come_again_and_then_let_in(ask: Asker, town: Town) -> None:
    for _ in range(MOST):
        assert (await ask("POST", "/api/v1/login", json=LOGIN)).status == 401
    heard = len(town.people.heard)
    late = await ask("POST", "/api/v1/login", json=LOGIN)
    assert (late.status, late.code) == (429, "too_many_requests")
    assert late.header("retry-after") == "60"
    assert len(town.people.heard) == heard
    assert isinstance(town.clock, ManualClock)
    town.clock.advance(60)
    assert (await ask("POST", "/api/v1/login", json=LOGIN)).status == 401


async def test_a_device_that_is_known_is_counted_by_itself(ask: Asker, town: Town) -> None:
    for _ in range(MOST + 1):
        last = await ask("POST", "/api/v1/login", json=LOGIN)
    assert last.status == 429
    badge = town.badges.renewed(town.badges.read(""), LOGIN["email"])
    headers = {"cookie": f"cuemark_device={badge}"}
    assert (await ask("POST", "/api/v1/login", json=LOGIN, headers=headers)).status == 401
    forged = {"cookie": f"cuemark_device={badge[:-2]}AA"}
    assert (await ask("POST", "/api/v1/login", json=LOGIN, headers=forged)).status == 429


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_home_is_an_address_of_ipv4_and_64_bits_of_ipv6(address: str, home: str) -> None:
    assert home_of(address) == home


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.floats(0, 8)),
        max_size=300,
    )
)
def test_it_holds_no_more_than_it_may_whoever_asks(asked: list[tuple[int, float]]) -> None:
    clock = ManualClock()
    windows = Windows(clock, most_keys=7, most_entries=20)
    for key, passed_s in asked:
        clock.advance(passed_s)
        windows.acquire_entry(str(key), 5, 10)
        held = [windows.get(str(each)) for each in range(31)]
        assert windows.entries == sum(held) <= 20
        assert sum(count > 0 for count in held) <= 7


@given(st.lists(st.floats(0, 5), max_size=200))
def test_in_no_stretch_of_the_window_are_more_let_pass_than_the_limit(gaps: list[float]) -> None:
    clock = ManualClock()
    limiter = Limiter(clock, {"x": parse("4/10second")})
    passed: list[float] = []
    for gap_s in gaps:
        clock.advance(gap_s)
        again_s = limiter.hit("x", "one")
        if not again_s:
            passed.append(clock.monotonic_s())
        else:
            assert 1 <= again_s <= 10
        assert sum(at_s > clock.monotonic_s() - 10 for at_s in passed) <= 4


def test_whoever_comes_when_told_is_let_pass() -> None:
    clock = ManualClock()
    limiter = Limiter(clock, {"x": parse("2/10second")})
    assert [limiter.hit("x", "one") for _ in range(2)] == [0, 0]
    clock.advance(3)
    clock.advance(limiter.hit("x", "one"))
    assert limiter.hit("x", "one") == 0
