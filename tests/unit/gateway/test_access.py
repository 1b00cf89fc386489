"""Who may call what, asked of every route there is."""

import re
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import get

from cuemark.gateway.access import (
    FRESH_S,
    RouteWithoutAccess,
    access_of,
    action_of,
    assurance_of,
    is_assured,
    routes_of,
)
from cuemark.gateway.app import build_routes
from cuemark.gateway.routes.devices import GRANT
from cuemark.gateway.staff.actions import ACTIONS
from cuemark.kit.passport import HEADER, Passport
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, ANNAS_SESSION, BEN, CODE, FILM, KID, OPERATOR, Town
from tests.unit.gateway.neighbours.factors import CHALLENGE

IDS = {"session_id": ANNAS_SESSION, "title_id": FILM, "kid": KID, "path": "any"}
IDS |= {"system": "widevine", "number": "1"}
CREDENTIAL = {"id": "Y3JlZA", "response": {"clientDataJSON": "e30"}}
BODIES: dict[tuple[str, str], object] = {
    ("POST", "/api/v1/billing/clock"): {"seconds": 60},
    ("POST", "/api/v1/billing/test-cards"): {"number": "4242424242424242"},
    ("POST", "/api/v1/invoices/{invoice_id:str}/refund"): {"amount_minor": 1},
    ("POST", "/api/v1/subscription"): {"plan_id": "small", "territory": "DE", "card": "card_1"},
    ("POST", "/api/v1/subscription/changes"): {"change": "cancel"},
    ("PUT", "/api/v1/coupons"): {"code": "HALF", "percent_bp": 5000},
    ("PUT", "/api/v1/plans"): {
        "plan_id": "large",
        "name": "Large",
        "prices": [{"money": {"amount_minor": 900, "currency": "EUR"}}],
    },
    ("PUT", "/api/v1/ratings/{work_id:str}"): {"rating": "up"},
    ("POST", "/api/v1/viewing/changes"): {"region": "west", "changes": []},
    ("PUT", "/api/v1/subscription/card"): {"card": "card_1"},
    ("PUT", "/api/v1/subscription/plan"): {"plan_id": "small"},
    ("PUT", "/api/v1/taxes"): {
        "territory": "DE",
        "rate_bp": 1900,
        "since": "2026-01-01T00:00:00Z",
    },
    ("POST", "/api/v1/login"): {"email": "a@b.c", "password": "wrong"},
    ("POST", "/api/v1/login/letter"): {"email": "a@b.c"},
    ("POST", "/api/v1/login/link"): {"code": "wrong"},
    ("POST", "/api/v1/plays"): {"title_id": FILM},
    ("POST", "/api/v1/plays/{session_id:str}/licence"): {"kids": ["ABEiM0RVZneImaq7zN3u_w"]},
    ("PUT", "/api/v1/plays/{session_id:str}/progress"): {"position_s": 1, "sequence": 1},
    ("POST", "/api/v1/accounts"): {"email": "new@films.example"},
    ("POST", "/api/v1/accounts/log-out"): {"email": "a@b.c"},
    ("POST", "/api/v1/login-links"): {"email": "new@films.example"},
    ("POST", "/api/v1/titles"): {"name": "New"},
    ("PUT", "/api/v1/titles/{title_id:str}/artwork"): {"number": 1},
    ("PUT", "/api/v1/titles/{title_id:str}/launch"): {"launch_at": None},
    ("PUT", "/api/v1/titles/{title_id:str}/rights"): {"windows": []},
    ("PUT", "/api/v1/rights"): {"sets": []},
    ("POST", "/api/v1/works"): {"kind": "series", "details": {"texts": []}},
    ("PUT", "/api/v1/works/{work_id:str}/details"): {"revision": 1, "details": {"texts": []}},
    ("PUT", "/api/v1/works/{work_id:str}/place"): {"number": 1},
    ("POST", "/api/v1/people"): {"names": []},
    ("PUT", "/api/v1/people/{person_id:str}"): {"names": []},
    ("PUT", "/api/v1/terms/{term_id:str}"): {"vocabulary": "genre", "names": []},
    ("POST", "/api/v1/metadata"): {"works": []},
    ("POST", "/api/v1/uploads"): {"name": "a.mov", "size_bytes": 3},
    ("POST", "/api/v1/titles/{title_id:str}/ingest"): {"upload_id": "upl_0"},
    ("POST", "/api/v1/versions/{version_id:str}/mark-searches"): {"upload_id": "upl_0"},
    ("PUT", "/api/v1/experiments/{experiment:str}"): {
        "layer": "player",
        "cells": [{"name": "control"}, {"name": "low", "settings": {}}],
        "share_bp": 1,
    },
    ("PUT", "/api/v1/functions/{name:str}"): {"on": False},
    ("PUT", "/api/v1/jobs/{version_id:str}/priority"): {"priority": "premiere"},
    ("POST", "/api/v1/jobs/{version_id:str}/cancel"): {"by": "anna"},
    ("PUT", "/api/v1/appliances/{appliance_id:str}/draining"): {"draining": True},
    ("POST", "/api/v1/rollouts"): {"release": "0.2.0+abc"},
    ("POST", "/api/v1/rollouts/{rollout_id:str}"): {"change": "pause"},
    ("POST", "/api/v1/staff"): {"email": "eve@films.example", "role": "support"},
    ("PUT", "/api/v1/staff/{staff_id:str}/role"): {"role": "support"},
    ("POST", "/api/v1/staff/{staff_id:str}/tokens"): {},
    ("POST", "/operations/login"): {"code": "wrong"},
    ("POST", "/api/v1/sign-up"): {"email": "a@b.c"},
    ("POST", "/api/v1/sign-up/complete"): {"code": "wrong", "password": "x"},
    ("POST", "/api/v1/password-reset"): {"email": "a@b.c"},
    ("POST", "/api/v1/password-reset/complete"): {"code": "wrong", "password": "x"},
    ("POST", "/api/v1/email/confirm"): {"code": "wrong"},
    ("POST", "/api/v1/email/restore"): {"code": "wrong"},
    ("PUT", "/api/v1/account/password"): {"old_password": "x", "new_password": "y"},
    ("PUT", "/api/v1/account/email"): {"email": "a@b.c", "password": "x"},
    ("POST", "/api/v1/account/deletion"): {"password": "x"},
    ("POST", "/api/v1/device-sign-in"): {"user_code": "WDJB-MJHT", "allow": True},
    ("POST", "/api/v1/profiles"): {"name": "Kim"},
    ("PATCH", "/api/v1/profiles/{profile_id:str}"): {"name": "Kim"},
    ("POST", "/api/v1/profiles/{profile_id:str}/deletion"): {},
    ("PUT", "/api/v1/profile"): {"profile_id": "prf_kim", "pin": "1234"},
    ("POST", "/api/v1/login/factor"): {"challenge": CHALLENGE, "code": "000000"},
    ("POST", "/api/v1/login/passkey"): {"passkey": CREDENTIAL},
    ("POST", "/api/v1/account/proof"): {"password": "x"},
    ("POST", "/api/v1/account/totp/confirm"): {"code": "000000"},
    ("POST", "/api/v1/account/totp/removal"): {"password": "x", "code": "000000"},
    ("POST", "/api/v1/account/passkeys"): {"passkey": CREDENTIAL, "name": "My phone"},
    ("PUT", "/api/v1/account/passkeys/{passkey_id:str}"): {"name": "My phone"},
    ("POST", "/api/v1/accounts/factors-reset"): {"email": "a@b.c"},
    ("POST", "/api/v1/token"): {"grant_type": GRANT, "device_code": CODE},
}


def table() -> list[tuple[str, str, str]]:
    """Method, path template and access of each route, sorted, from the application itself."""
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Town(Path(folder)).parts)
    return sorted((method, path, access_of(handler)) for method, path, handler in routes_of(app))


ROUTES = table()
GUARDED = [route for route in ROUTES if route[2] != "anyone"]
SESSIONS = [route for route in GUARDED if "{session_id:str}" in route[1] and route[2] == "member"]


QUERIES = {"/api/v1/standing": "?work_ids=ttl_film"}
"""What a route cannot be asked without."""


def target(path: str) -> str:
    return re.sub(r"{(\w+):\w+}", lambda found: IDS.get(found.group(1), "abc_1"), path)


def headers_of(method: str) -> dict[str, str]:
    return {"upload-offset": "0"} if method == "PATCH" else {}


def test_the_reference_tells_every_route_and_who_may_call_it() -> None:
    text = (Path(__file__).parents[3] / "docs/reference/http-api.md").read_text()
    rows = re.findall(r"^\| `([A-Z]+) ([^`?]+)[^`]*` \| ([^|]+) \|", text, re.MULTILINE)
    documented = {
        (method, path, access.replace(", own session", "").replace(", ", "_or_"))
        for method, path, access in rows
    }
    real = {
        (method, re.sub(":(str|int|path)}", "}", path).removeprefix("/api/v1"), access)
        for method, path, access in ROUTES
        if path.startswith("/api/v1")
    }
    assert real == documented


def test_a_gateway_with_an_undeclared_route_cannot_be_built(town: Town) -> None:
    @get("/api/v1/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(RouteWithoutAccess, match="forgotten"):
        build_routes(town.parts, forgotten)


def test_a_gateway_with_an_unknown_access_cannot_be_built(town: Town) -> None:
    @get("/api/v1/misspelt", opt={"access": "everyone"})
    async def misspelt() -> None: ...

    with pytest.raises(RouteWithoutAccess, match="misspelt"):
        build_routes(town.parts, misspelt)


@pytest.mark.parametrize(
    "opt",
    [
        {"access": "operator"},
        {"access": "member_or_operator"},
        {"access": "operator", "staff": "moon.land"},
        {"access": "member", "staff": "catalog.read"},
        {"access": "anyone", "staff": "catalog.read"},
    ],
)
def test_a_gateway_cannot_be_built_where_staff_have_no_known_action(
    town: Town, opt: dict[str, str]
) -> None:
    @get("/api/v1/unsaid", opt=opt)
    async def unsaid() -> None: ...

    with pytest.raises(RouteWithoutAccess, match="unsaid"):
        build_routes(town.parts, unsaid)


def test_every_action_of_staff_is_that_of_a_route_and_has_a_sentence() -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Town(Path(folder)).parts)
    assert {action_of(handler) for _, _, handler in routes_of(app)} - {""} == set(ACTIONS)
    for action, sentence in ACTIONS.items():
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", action)
        assert re.fullmatch(r"[A-Z].*\.", sentence)


@pytest.mark.parametrize(("method", "path", "access"), GUARDED)
async def test_nobody_is_refused(ask: Asker, method: str, path: str, access: str) -> None:
    for headers in (
        {},
        {"authorization": "Bearer "},
        {"authorization": "Basic YTpi"},
        {"authorization": "Bearer forged"},
        {"authorization": "Bearer token-anna\x00"},
        {"cookie": "cuemark_login=forged", "sec-fetch-site": "same-origin"},
        {"cookie": "cuemark_login=", "sec-fetch-site": "same-origin"},
    ):
        answer = await ask(
            method,
            target(path),
            headers=headers | headers_of(method),
            json=BODIES.get((method, path)),
        )
        assert (answer.status, answer.code) == (401, "not_logged_in"), headers
        assert answer.header("www-authenticate") == "Bearer"


@pytest.mark.parametrize(("method", "path", "access"), GUARDED)
async def test_a_forged_passport_opens_nothing(
    ask: Asker, town: Town, method: str, path: str, access: str
) -> None:
    genuine = town.office.mint(Passport(subject="operator", role="operator"))
    headers = {HEADER: genuine, "x-deadline-ms": "1"} | headers_of(method)
    answer = await ask(method, target(path), headers=headers, json=BODIES.get((method, path)))
    assert answer.status == 401
    assert town.people.shown == []


@pytest.mark.parametrize(
    ("method", "path", "access"), [route for route in ROUTES if route[2] == "operator"]
)
async def test_a_member_is_refused_where_an_operator_is_needed(
    ask: Asker, method: str, path: str, access: str
) -> None:
    answer = await ask(
        method,
        target(path),
        token=ANNA,
        headers=headers_of(method),
        json=BODIES.get((method, path)),
    )
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "access"), [route for route in ROUTES if route[2] == "member"]
)
async def test_the_operator_is_refused_where_a_member_is_needed(
    ask: Asker, method: str, path: str, access: str
) -> None:
    answer = await ask(method, target(path), token=OPERATOR, json=BODIES.get((method, path)))
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path", "access"), SESSIONS)
async def test_the_wrong_member_finds_no_session(
    ask: Asker, town: Town, method: str, path: str, access: str
) -> None:
    body = BODIES.get((method, path))
    other = await ask(method, target(path), token=BEN, json=body)
    assert other.status in (403, 404)
    assert other.code in ("unknown_play", "licence_refused")
    assert not town.memory.recorded
    assert not town.theatre.ended
    own = await ask(method, target(path), token=ANNA, json=body)
    assert own.status in (200, 204)


@pytest.mark.parametrize(("method", "path", "access"), ROUTES)
async def test_who_may_call_gets_past_the_door(
    ask: Asker, method: str, path: str, access: str
) -> None:
    token = {"anyone": None, "operator": OPERATOR}.get(access, ANNA)
    answer = await ask(
        method,
        target(path) + QUERIES.get(path, ""),
        token=token,
        headers=headers_of(method),
        json=BODIES.get((method, path)),
    )
    assert answer.status < 500 or path in ("/", "/{path:path}")
    if answer.status >= 400 and path.startswith("/api"):
        assert answer.code not in ("not_logged_in", "forbidden", "invalid", "malformed")


def asking() -> dict[str, set[tuple[str, str]]]:
    """The routes that ask for an assurance, by which one."""
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Town(Path(folder)).parts)
    found: dict[str, set[tuple[str, str]]] = {}
    for method, path, handler in routes_of(app):
        found.setdefault(assurance_of(handler), set()).add((method, path.removeprefix("/api/v1")))
    return found


ASKING = asking()
PROVED = sorted(ASKING["fresh"] | ASKING["second"])


def test_what_changes_how_one_gets_in_asks_for_a_fresh_proof() -> None:
    assert ASKING["fresh"] == {
        ("POST", "/account/totp"),
        ("POST", "/account/totp/confirm"),
        ("POST", "/account/passkeys/options"),
        ("POST", "/account/passkeys"),
    }
    assert ASKING["second"] == {
        ("PUT", "/account/password"),
        ("PUT", "/account/email"),
        ("POST", "/account/deletion"),
        ("DELETE", "/account/logins"),
        ("DELETE", "/account/logins/{login_id:str}"),
        ("POST", "/device-sign-in"),
        ("POST", "/account/recovery-codes"),
        ("DELETE", "/account/passkeys/{passkey_id:str}"),
    }


@pytest.mark.parametrize(("method", "path"), PROVED)
async def test_an_old_proof_opens_no_route_that_asks_for_one(
    ask: Asker, town: Town, method: str, path: str
) -> None:
    body = BODIES.get((method, f"/api/v1{path}"))
    people = town.people
    people.two_steps, people.level = True, 2
    people.proved_at = town.clock.now() - timedelta(seconds=FRESH_S + 1)
    answer = await ask(method, f"/api/v1{target(path)}", token=ANNA, json=body)
    assert (answer.status, answer.code) == (403, "step_up_needed")
    people.proved_at, people.level = town.clock.now(), 1
    answer = await ask(method, f"/api/v1{target(path)}", token=ANNA, json=body)
    assert (answer.status, answer.code) == (403, "step_up_needed")
    assert people.heard == []
    proof = await ask("POST", "/api/v1/account/proof", token=ANNA, json={"code": "123456"})
    assert proof.status == 200
    answer = await ask(method, f"/api/v1{target(path)}", token=ANNA, json=body)
    assert answer.status in (200, 201, 202, 204)


@pytest.mark.parametrize("proved_s", [None, 0, FRESH_S])
@pytest.mark.parametrize(("method", "path"), PROVED)
async def test_without_a_second_factor_only_adding_one_asks_for_a_proof(
    ask: Asker, town: Town, method: str, path: str, proved_s: int | None
) -> None:
    if proved_s is not None:
        town.people.proved_at = town.clock.now() - timedelta(seconds=proved_s)
    body = BODIES.get((method, f"/api/v1{path}"))
    answer = await ask(method, f"/api/v1{target(path)}", token=ANNA, json=body)
    refused = (method, path) in ASKING["fresh"] and proved_s is None
    assert (answer.status == 403) is refused


@given(st.sampled_from([1, 2]), st.integers(-5, 2 * FRESH_S), st.booleans())
def test_more_is_never_asked_of_who_has_shown_more(level: int, age_s: int, two: bool) -> None:
    fresh = is_assured("fresh", level, age_s, two_steps=two)
    assert is_assured("second", level, age_s, two_steps=two) >= fresh
    assert is_assured("any", level, age_s, two_steps=two)
    assert is_assured("fresh", 2, age_s, two_steps=two) >= fresh
    assert is_assured("fresh", level, age_s - 1, two_steps=two) >= fresh
    assert fresh == (age_s <= FRESH_S and level >= 1 + two)


def test_a_gateway_with_an_unknown_assurance_cannot_be_built(town: Town) -> None:
    @get("/api/v1/sure", opt={"access": "member", "assurance": "very"})
    async def sure() -> None: ...

    with pytest.raises(RouteWithoutAccess, match="very"):
        build_routes(town.parts, sure)


async def test_a_session_that_ended_opens_nothing(ask: Asker) -> None:
    assert (await ask("POST", "/api/v1/logout", token=ANNA)).status == 204
    assert (await ask("GET", "/api/v1/me", token=ANNA)).status == 401


async def test_a_route_runs_under_the_passport_of_its_caller(ask: Asker, town: Town) -> None:
    await ask("POST", "/api/v1/logout", token=ANNA)
    (passport,) = town.people.passports
    assert passport is not None
    assert (passport.subject, passport.role, passport.profile_id) == (
        "acc_anna",
        "member",
        "prf_anna",
    )
    assert (passport.level, passport.proved_at_s) == (1, 0)
    assert passport.device == "lgn_anna"


async def test_a_bearer_token_goes_before_the_cookie(ask: Asker, town: Town) -> None:
    headers = {"cookie": f"cuemark_login={OPERATOR}"}
    answer = await ask("GET", "/api/v1/me", token=BEN, headers=headers)
    assert answer.json()["account_id"] == "acc_ben"
    assert town.people.shown == [BEN]
