"""Who may call what, asked of every route there is, on a whole control plane.

The rows are the routes themselves, so that none can be forgotten: a new one is guarded here at
once, and the lists below ask what kind of route it is. A refusal is one only where every table of
every context is afterwards what it was.
"""

import base64
import hashlib
import hmac
import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from cuemark.app.compose import CONTRACTS
from cuemark.app.system import passport_key_of
from cuemark.contracts.steering import Steering
from cuemark.gateway.access import access_of, action_of, routes_of
from cuemark.gateway.app import build_routes
from cuemark.kit.clock import SystemClock
from cuemark.kit.link import methods_of, route_of
from cuemark.kit.passport import Passport, PassportOffice, appliance_key
from tests.integration.gateway.households import Household, Town, opened_town
from tests.unit.gateway.neighbours import Town as Neighbourhood
from tests.unit.gateway.test_access import BODIES, headers_of
from tests.unit.test_capabilities import dead

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[3]

PUBLIC = {
    "GET /",
    "GET /{path:path}",
    "GET /operations/login",
    "GET /operations/operations.css",
    "GET /operations/operations.js",
    "GET /api/v1/health",
    "GET /api/v1/plans",
    "GET /api/v1/service",
    "POST /api/v1/device_authorization",
    "POST /api/v1/email/confirm",
    "POST /api/v1/email/restore",
    "POST /api/v1/login",
    "POST /api/v1/login/letter",
    "POST /api/v1/login/factor",
    "POST /api/v1/login/link",
    "POST /api/v1/login/passkey",
    "POST /api/v1/login/passkey/options",
    "POST /api/v1/password-reset",
    "POST /api/v1/password-reset/complete",
    "POST /api/v1/sign-up",
    "POST /api/v1/sign-up/complete",
    "POST /api/v1/token",
    "POST /operations/login",
}
"""For everybody: what they show is nobody's, or they ask for a secret in the body."""

ELSEWHERE = {
    "GET /api/v1/media/{path:path}": (
        "test_who_shows_no_token_of_a_running_play_is_sent_nowhere",
        "tests/unit/gateway/test_media.py",
    ),
    "GET /api/v1/steering": (
        "test_who_shows_no_token_of_a_play_is_told_to_ask_no_more",
        "tests/unit/gateway/test_steering.py",
    ),
    "POST /api/v1/billing/webhooks": (
        "test_a_webhook_without_the_providers_signature_is_rejected",
        "tests/contract/billing/test_billing_contract.py",
    ),
}
"""Those that verify something other than a login, and the test that shows it."""

EDGE = {
    "test_nothing_is_served_without_a_token": "tests/integration/edge/test_tokens.py",
    "test_every_verifier_says_the_same_of_each_token": "tests/integration/edge/test_tokens.py",
    "test_a_revoked_session_is_refused_within_a_second_and_no_other_is": (
        "tests/integration/edge/test_tokens.py"
    ),
    "test_the_token_of_one_session_gains_nothing_from_that_of_another": (
        "tests/integration/edge/test_attacks.py"
    ),
    "test_the_origin_answers_only_those_with_its_key": "tests/integration/edge/test_tokens.py",
    "test_the_agent_answers_only_its_own_nginx": "tests/integration/edge/test_tokens.py",
}
"""What shows of segments, pictures of the seek bar and captions, which appliances serve and the
gateway does not, what this matrix shows of the gateway."""

OWNED = {
    "DELETE /api/v1/account/logins/{login_id:str}",
    "DELETE /api/v1/account/passkeys/{passkey_id:str}",
    "DELETE /api/v1/plays/{session_id:str}",
    "GET /api/v1/invoices/{invoice_id:str}",
    "GET /api/v1/invoices/{invoice_id:str}/{form:str}",
    "GET /api/v1/plays/{session_id:str}/keys/{kid:str}",
    "GET /api/v1/plays/{session_id:str}/manifest.mpd",
    "GET /api/v1/plays/{session_id:str}/master.m3u8",
    "PATCH /api/v1/profiles/{profile_id:str}",
    "POST /api/v1/plays/{session_id:str}/licence",
    "POST /api/v1/plays/{session_id:str}/licence/{system:str}",
    "POST /api/v1/profiles/{profile_id:str}/deletion",
    "PUT /api/v1/account/passkeys/{passkey_id:str}",
    "PUT /api/v1/plays/{session_id:str}/progress",
    "PUT /api/v1/profile",
}
"""Members' routes that name something which belongs to one of them, as test_ownership.py reads it
from the routes."""

SHARED = {
    "DELETE /api/v1/history/{title_id:str}",
    "DELETE /api/v1/my-list/{work_id:str}",
    "DELETE /api/v1/ratings/{work_id:str}",
    "GET /api/v1/device-sign-in",
    "GET /api/v1/standing",
    "GET /api/v1/search",
    "GET /api/v1/search/suggestions",
    "GET /api/v1/subscription/preview",
    "GET /api/v1/titles",
    "GET /api/v1/titles/{title_id:str}",
    "GET /api/v1/titles/{title_id:str}/artwork",
    "GET /api/v1/works",
    "GET /api/v1/works/{work_id:str}",
    "GET /api/v1/works/{work_id:str}/artwork",
    "GET /api/v1/works/{work_id:str}/like",
    "GET /api/v1/works/{work_id:str}/schema.jsonld",
    "POST /api/v1/device-sign-in",
    "POST /api/v1/plays",
    "POST /api/v1/subscription",
    "PUT /api/v1/my-list/{work_id:str}",
    "PUT /api/v1/ratings/{work_id:str}",
    "PUT /api/v1/subscription/card",
    "PUT /api/v1/subscription/plan",
}
"""Members' routes whose ids belong to no member: titles, plans, the code on a television, and the
token of a card, of which the payment provider alone knows whose it is."""

PLAIN = {
    "DELETE /api/v1/account/logins",
    "DELETE /api/v1/history",
    "GET /api/v1/account/export",
    "GET /api/v1/account/findings",
    "GET /api/v1/account/factors",
    "GET /api/v1/account/logins",
    "GET /api/v1/continue-watching",
    "GET /api/v1/entitlement",
    "GET /api/v1/history",
    "GET /api/v1/invoices",
    "GET /api/v1/me",
    "GET /api/v1/profiles",
    "GET /api/v1/my-list",
    "GET /api/v1/ratings",
    "GET /api/v1/plays/devices",
    "GET /api/v1/subscription",
    "POST /api/v1/account/deletion",
    "POST /api/v1/account/passkeys",
    "POST /api/v1/account/passkeys/options",
    "POST /api/v1/account/proof",
    "POST /api/v1/account/proof/options",
    "POST /api/v1/account/recovery-codes",
    "POST /api/v1/account/totp",
    "POST /api/v1/account/totp/confirm",
    "POST /api/v1/account/totp/removal",
    "POST /api/v1/billing/test-cards",
    "POST /api/v1/logout",
    "POST /api/v1/profiles",
    "POST /api/v1/subscription/changes",
    "PUT /api/v1/account/email",
    "PUT /api/v1/account/password",
}
"""Members' routes that name nothing: whose it is, is who calls."""

LISTS = {
    "PUBLIC": PUBLIC,
    "ELSEWHERE": set(ELSEWHERE),
    "OWNED": OWNED,
    "SHARED": SHARED,
    "PLAIN": PLAIN,
}


def table() -> list[tuple[str, str, str, str]]:
    """Method, path, access and cookie of each route, from the application itself."""
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Neighbourhood(Path(folder)).parts)
    return sorted(
        (method, path, access_of(handler), str(handler.opt.get("cookie", "cuemark_login")))
        for method, path, handler in routes_of(app)
    )


def actions() -> dict[tuple[str, str], str]:
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Neighbourhood(Path(folder)).parts)
    return {(method, path): action_of(handler) for method, path, handler in routes_of(app)}


ROUTES = table()
GUARDED = [(method, path) for method, path, access, _ in ROUTES if access != "anyone"]
OPERATORS = [(method, path) for method, path, access, _ in ROUTES if access == "operator"]
STAFFED = [(method, path) for method, path, access, _ in ROUTES if "operator" in access]
MEMBERS = [(method, path) for method, path, access, _ in ROUTES if access == "member"]
ACTIONS_OF = actions()
COOKIES = {(method, path): cookie for method, path, _, cookie in ROUTES}
WRITES = [route for route in GUARDED if route[0] != "GET"]
BELONGING = [(method, path) for method, path in GUARDED if f"{method} {path}" in OWNED]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("matrix") / "data"
    async with opened_town(folder, module_database_url) as town:
        yield town


def target(path: str, ids: Mapping[str, str]) -> str:
    known = {"number": "1"} | dict(ids)
    return re.sub(r"{(\w+):\w+}", lambda found: known.get(found.group(1), "abc_1"), path)


def body_of(method: str, path: str, of: Household) -> object:
    """A body that the route takes, which names what belongs to a household."""
    body = BODIES.get((method, path))
    if path == "/api/v1/profile":
        return {"profile_id": of.ids["own_profile_id"]}
    if path.endswith("/licence") and isinstance(body, dict):
        kid = base64.urlsafe_b64encode(bytes.fromhex(of.ids["kid"])).decode().rstrip("=")
        return {"kids": [kid], "type": "temporary"}
    return body


async def test_every_route_says_what_kind_it_is() -> None:
    known = {name for names in LISTS.values() for name in names}
    for method, path, access, _ in ROUTES:
        name = f"{method} {path}"
        lists = [each for each, names in LISTS.items() if name in names]
        if access == "operator":
            assert lists == [], f"{name} is for operators: it needs no list, but an action of staff"
            continue
        assert len(lists) == 1, (
            f"{name} is in {lists or 'no list'}: put it into one of {', '.join(LISTS)} in "
            "tests/integration/gateway/test_matrix.py, into OWNED where an id in its path, query "
            "or body belongs to one member"
        )
        for_anyone = lists[0] in ("PUBLIC", "ELSEWHERE")
        assert for_anyone == (access == "anyone"), f"{name} is {access}, but in {lists[0]}"
        known.discard(name)
    assert not known, f"there are no such routes: {sorted(known)}"


async def test_what_is_shown_elsewhere_is_shown_there() -> None:
    shown = [*ELSEWHERE.values(), *EDGE.items()]
    assert [fault for test, file in shown if (fault := dead(test, file, ROOT))] == []


def unsigned(claims: Mapping[str, object]) -> str:
    """A token in the form of RFC 7519 that says it needs no signature."""
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


def signed_with(key: bytes, claims: Mapping[str, object]) -> str:
    """The same, signed with something that is no key of ours, or ours for something else."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    mac = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _part(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tokens(town: Town) -> Mapping[str, str]:
    """What opens nothing, by what it is."""
    late, ended = await town.log_in("late@films.example"), await town.log_in("ended@films.example")
    await town.change(
        "update identity.login set expires_at = now() - interval '1 second' "
        "where token_sha256 = :sha256",
        sha256=hashlib.sha256(late.encode()).digest(),
    )
    await town.must("POST", "/logout", token=ended)
    link = await town.must("POST", "/login-links", {"email": "anna@films.example"})
    operators = await town.must("POST", "/operator-links")
    ids = {"sub": town.anna.ids["account_id"], "role": "operator", "exp": 4_000_000_000}
    passport = Passport(subject="operator", role="operator")
    return {
        "nothing": "",
        "made up": "A" * 43,
        "another letter": town.anna.token[:-1] + ("A" if town.anna.token[-1] != "A" else "B"),
        "a digest": hashlib.sha256(town.anna.token.encode()).hexdigest(),
        "past its time": late,
        "ended": ended,
        "a code of a login link": link.json()["code"],
        "a code of an operator's link": operators.json()["url"].partition("=")[2],
        "a passport": town.office.mint(passport),
        "a token of media": town.anna.media_token,
        "unsigned": unsigned(ids),
        "signed by nobody": signed_with(b"", ids),
        "signed with the passports' key": signed_with(
            town.install.folder.secret("passport_key"), ids
        ),
        "signed with what is public": signed_with(str(ids["sub"]).encode(), ids),
        "an account": town.anna.ids["account_id"],
        "an injection": "' or 1=1 --",
    }


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_no_route_opens_to_what_is_no_login(
    town: Town, tokens: Mapping[str, str], method: str, path: str
) -> None:
    before = await town.everything()
    body = body_of(method, path, town.anna)
    for name, token in tokens.items():
        cookie = f"{COOKIES[method, path]}={token}"
        for headers in (
            {"authorization": f"Bearer {token}"},
            {"cookie": cookie, "sec-fetch-site": "same-origin"},
        ):
            answer = await town.ask(
                method,
                target(path, town.anna.ids),
                headers=headers | headers_of(method),
                json=body,
            )
            assert (answer.status, answer.code) == (401, "not_logged_in"), name
    assert await town.everything() == before


@pytest.mark.parametrize(("method", "path"), OPERATORS)
async def test_no_member_does_what_operators_do(town: Town, method: str, path: str) -> None:
    before = await town.everything()
    cookie = f"{COOKIES[method, path]}={town.ben.token}"
    for headers in (
        {"authorization": f"Bearer {town.ben.token}"},
        {"cookie": cookie, "sec-fetch-site": "same-origin"},
    ):
        answer = await town.ask(
            method,
            target(path, town.anna.ids),
            headers=headers | headers_of(method),
            json=body_of(method, path, town.anna),
        )
        assert (answer.status, answer.code) == (403, "forbidden")
    assert await town.everything() == before


@pytest.mark.parametrize(("method", "path"), STAFFED)
async def test_staff_do_what_their_role_allows_and_nothing_else(
    town: Town, method: str, path: str
) -> None:
    """Who may is told apart from who may not by the policies, and every refusal is in the log."""
    action = ACTIONS_OF[method, path]
    roles = (await town.must("GET", "/staff")).json()["roles"]
    refused = [role for role, allowed in roles.items() if action not in allowed]
    before = await town.everything()
    for role in refused:
        answer = await town.ask(
            method,
            target(path, town.anna.ids),
            token=town.staff[role],
            headers=headers_of(method),
            json=body_of(method, path, town.anna),
        )
        assert (answer.status, answer.code) == (403, "not_allowed"), role
        last = (await town.must("GET", "/acts?limit=1")).json()["acts"][0]
        assert (last["role"], last["action"], last["result"]) == (role, action, "refused")
    assert await town.everything() == before
    assert "owner" not in refused


@pytest.mark.parametrize(("method", "path"), [route for route in STAFFED if route[0] == "GET"])
async def test_no_look_of_staff_whom_the_role_lets_look_is_refused(
    town: Town, method: str, path: str
) -> None:
    roles = (await town.must("GET", "/staff")).json()["roles"]
    for role, allowed in roles.items():
        if ACTIONS_OF[method, path] in allowed:
            answer = await town.ask(method, target(path, town.anna.ids), token=town.staff[role])
            assert answer.status not in (401, 403), role


@pytest.mark.parametrize(("method", "path"), MEMBERS)
async def test_no_operator_passes_for_a_member(town: Town, method: str, path: str) -> None:
    before = await town.everything()
    answer = await town.ask(
        method,
        target(path, town.anna.ids),
        token=town.operator,
        headers=headers_of(method),
        json=body_of(method, path, town.anna),
    )
    assert (answer.status, answer.code) == (403, "forbidden")
    assert await town.everything() == before


@pytest.mark.parametrize(("method", "path"), WRITES)
async def test_no_page_of_others_writes_by_a_members_cookie(
    town: Town, method: str, path: str
) -> None:
    before = await town.everything()
    operator = (method, path) in OPERATORS
    cookie = f"{COOKIES[method, path]}={town.operator if operator else town.anna.token}"
    for said in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1.evil.example:8080"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8080"},
        {"sec-fetch-site": "same-site"},
        {},
    ):
        answer = await town.ask(
            method,
            target(path, town.anna.ids),
            headers={"cookie": cookie} | said | headers_of(method),
            json=body_of(method, path, town.anna),
        )
        assert (answer.status, answer.code) == (403, "foreign_origin"), said
    assert await town.everything() == before


async def test_what_names_nothing_tells_each_member_of_nobody_else(town: Town) -> None:
    """Whose it is, is who calls: no answer to Ben has an id of Anna's, and hers have them."""
    await town.prove()
    lists = [route.partition(" ")[2] for route in sorted(PLAIN) if route.startswith("GET ")]
    names = ("account_id", "session_id", "invoice_id", "own_profile_id", "passkey_id", "login_id")
    annas = {town.anna.ids[name] for name in names} | {"anna@films.example"}
    found: set[str] = set()
    for path in lists:
        told = (await town.ask("GET", path, token=town.anna.token)).body.decode()
        found |= {each for each in annas if each in told}
        others = await town.ask("GET", path, token=town.ben.token)
        assert others.status == 200, path
        assert [each for each in annas if each in others.body.decode()] == [], path
    assert found == annas


async def test_no_other_login_of_a_member_has_the_keys_of_a_play(town: Town) -> None:
    keys = [route for route in BELONGING if route[1].endswith(("/licence", "/keys/{kid:str}"))]
    assert len(keys) == 2
    for method, path in keys:
        asked = target(path, town.anna.ids), body_of(method, path, town.anna)
        answer = await town.ask(method, asked[0], token=town.anna.other_token, json=asked[1])
        assert (answer.status, answer.code) == (403, "licence_refused"), path
        assert "began on another device" in answer.json()["error"]["message"]
        assert (await town.ask(method, asked[0], token=town.anna.token, json=asked[1])).status < 300


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
async def test_no_context_answers_without_a_passport(town: Town, contract: str) -> None:
    before = await town.everything()
    office = town.office
    genuine = office.mint(Passport(subject="worker-1", role="service"))
    for method in methods_of(CONTRACTS[contract]):
        for shown in ("", "forged", genuine[:-1], f"{genuine.partition('.')[0]}.", town.operator):
            answer = await town.inside_raw(route_of(CONTRACTS[contract], method.name), shown)
            assert answer.status == 401, method.name
    assert await town.everything() == before


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
async def test_no_context_answers_a_member_or_an_operator(town: Town, contract: str) -> None:
    """Their passports are genuine: what they may have, a service asks for."""
    before = await town.everything()
    ids = town.anna.ids
    anna = Passport(subject=ids["account_id"], role="member", profile_id=ids["profile_id"], level=2)
    owner = Passport(subject="operator", role="operator", staff_role="owner", level=2)
    for method in methods_of(CONTRACTS[contract]):
        for passport in (anna, owner):
            shown = town.office.mint(passport)
            answer = await town.inside_raw(route_of(CONTRACTS[contract], method.name), shown)
            assert answer.status == 403, method.name
    assert await town.everything() == before


FOR_APPLIANCES = {
    "Steering": {"report", "get_snapshot", "announce_routes"},
    "Fill": {"tell_served", "tell_held", "get_manifest"},
    "Telemetry": {"take_lines"},
}


@pytest.mark.parametrize("contract", sorted(CONTRACTS))
async def test_an_appliance_asks_what_is_for_appliances_and_as_itself_alone(
    town: Town, contract: str
) -> None:
    """Whoever takes an appliance away has its key, and is that appliance: nothing else."""
    before = await town.everything()
    of = CONTRACTS[contract]
    install_key = town.install.folder.secret("passport_key")
    key = passport_key_of(town.install, "appliance-1")
    theirs = PassportOffice(key, SystemClock())
    itself = theirs.mint(Passport(subject="appliance-1", role="appliance"))
    assert hmac.compare_digest(key, appliance_key(install_key, "appliance-1"))
    opened = set()
    for method in methods_of(of):
        route = route_of(of, method.name)
        for claimed in (
            Passport(subject="appliance-2", role="appliance"),
            Passport(subject="appliance-1", role="service"),
            Passport(subject="control", role="service"),
            Passport(subject="operator", role="operator", staff_role="owner", level=2),
            Passport(subject=town.anna.ids["account_id"], role="member", level=2),
        ):
            assert (await town.inside_raw(route, theirs.mint(claimed))).status == 401, method.name
        answer = await town.inside_raw(route, itself)
        if answer.status != 403:
            opened.add(method.name)
    assert opened == FOR_APPLIANCES.get(of.__name__, set())
    assert await town.everything() == before


async def test_an_appliance_speaks_for_no_other(town: Town) -> None:
    office = PassportOffice(passport_key_of(town.install, "appliance-1"), SystemClock())
    itself = office.mint(Passport(subject="appliance-1", role="appliance"))
    route = route_of(Steering, "get_snapshot")
    answers = {
        name: (await town.inside_raw(route, itself, {"appliance_id": name})).status
        for name in ("appliance-1", "appliance-2", "")
    }
    assert answers == {"appliance-1": 200, "appliance-2": 403, "": 403}


async def test_what_is_refused_to_others_is_there_for_its_owner(town: Town) -> None:
    """Without this, the refusals above would show nothing but wrong ids. Ends go last."""
    await town.prove()
    for method, path in sorted(BELONGING, key=lambda route: (route[0] == "DELETE", route[1])):
        answer = await town.ask(
            method,
            target(path, town.cleo.ids),
            token=town.cleo.token,
            headers=headers_of(method),
            json=body_of(method, path, town.cleo),
        )
        if "{system" in path:
            assert answer.json()["error"]["message"].endswith("no licence server for widevine.")
        elif path.endswith("{login_id:str}"):
            assert answer.json() == {"ended": 1}
        else:
            assert answer.status < 300, (method, path, answer.body)
