"""A kids' profile on a whole control plane: it sees, plays and opens nothing above its level."""

import base64
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from cuemark.gateway.access import access_of, profiles_of, routes_of
from cuemark.gateway.app import build_routes
from tests.integration.gateway.households import Town, opened_town
from tests.unit.gateway.neighbours import Town as Neighbourhood
from tests.unit.gateway.test_access import BODIES, headers_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


def table() -> list[tuple[str, str, str]]:
    """Method, path and profiles of each route that members may call."""
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Neighbourhood(Path(folder)).parts)
    return sorted(
        (method, path, profiles_of(handler))
        for method, path, handler in routes_of(app)
        if "member" in access_of(handler).split("_or_")
    )


ROUTES = table()
SEARCHED = ("/search?text=film", "/search/suggestions?text=fil")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("levels") / "data"
    async with opened_town(folder, module_database_url) as town:
        yield town


async def rate(town: Town, rating: str | None) -> None:
    """What FSK says of the film."""
    path = f"/works/{town.film.title_id}/details"
    work = (await town.must("GET", path)).json()
    ratings = [{"scheme": "FSK", "rating": rating}] if rating else []
    body = {"revision": work["revision"], "details": work["details"] | {"ratings": ratings}}
    await town.must("PUT", path, body)


async def child(town: Town, email: str) -> tuple[str, dict[str, str]]:
    """A login on a kids' profile of 6 years, and what a grown-up of its account plays."""
    household = await town.settle(email)
    # What follows logs in once more, and is not about second factors.
    passkey = "delete from identity.passkey where passkey_id = :id"
    await town.change(passkey, id=household.ids["passkey_id"])
    kid = {"name": "Kim", "kids": True, "maturity": 6}
    made = (await town.must("POST", "/profiles", kid, token=household.token)).json()
    token = await town.log_in(email)
    await town.must("PUT", "/profile", {"profile_id": made["profile_id"]}, token=token)
    ids = dict(household.ids) | {"title_id": town.film.title_id, "work_id": town.film.title_id}
    return token, ids


def target(path: str, ids: Mapping[str, str]) -> str:
    filled = re.sub(r"{(\w+):\w+}", lambda found: ids.get(found.group(1), "abc_1"), path)
    return f"{filled}?text=film" if "/search" in path else filled


def body_of(method: str, path: str, ids: Mapping[str, str]) -> object:
    if path.endswith("/plays"):
        return {"title_id": ids["title_id"]}
    if path == "/api/v1/profile":
        return {"profile_id": ids["own_profile_id"]}
    if path.endswith("/licence"):
        kid = base64.urlsafe_b64encode(bytes.fromhex(ids["kid"])).decode().rstrip("=")
        return {"kids": [kid], "type": "temporary"}
    return BODIES.get((method, path))


async def test_no_route_of_members_gives_a_child_what_is_above_its_level(town: Town) -> None:
    await rate(town, "16")
    token, ids = await child(town, "dora@films.example")
    before = await town.everything()
    for method, path, profiles in ROUTES:
        if path.endswith("/logout") or "progress" in path or method == "DELETE":
            continue
        answer = await town.ask(
            method,
            target(path, ids),
            token=token,
            headers=headers_of(method),
            json=body_of(method, path, ids),
        )
        if profiles == "grown_up":
            assert (answer.status, answer.code) == (403, "not_for_kids"), path
        for told in (b"The film", town.film.title_id.encode(), b"<MPD", b"#EXTM3U"):
            assert told not in answer.body, path
        if path.endswith(("/licence", "/plays")) or "{kid" in path or "manifest" in path:
            assert answer.status in (403, 409), (path, answer.status)
    changed = {name for name, digest in (await town.everything()).items() if before[name] != digest}
    assert changed <= {"playback.session"}, "a session was heard of, and nothing else"


async def test_what_is_within_its_level_a_child_finds_and_plays(town: Town) -> None:
    """Without this, the refusals above would show nothing but wrong ids."""
    await rate(town, "6")
    token, ids = await child(town, "emil@films.example")
    await town.must("POST", f"/plays/{ids['session_id']}/stop")
    listed = (await town.must("GET", "/titles", token=token)).json()["titles"]
    assert [each["title_id"] for each in listed] == [town.film.title_id]
    for asked in SEARCHED:
        hits = (await town.must("GET", asked, token=token)).json()["hits"]
        assert [each["hit_id"] for each in hits] == [town.film.title_id]
    body = {"title_id": town.film.title_id}
    play = (await town.must("POST", "/plays", body, token=token)).json()
    manifest = await town.must("GET", f"/plays/{play['session_id']}/manifest.mpd", token=token)
    assert b"<MPD" in manifest.body
    key = f"/plays/{play['session_id']}/keys/{town.film.kid}"
    assert len((await town.must("GET", key, token=token)).body) == 16
    await rate(town, "12")
    for path in (f"/plays/{play['session_id']}/manifest.mpd", key):
        assert (await town.ask("GET", f"/api/v1{path}", token=token)).status == 403
    await rate(town, None)
    assert (await town.must("GET", "/titles", token=token)).json()["titles"] == []
    for asked in SEARCHED:
        assert (await town.must("GET", asked, token=token)).json()["hits"] == []


async def test_no_body_of_a_child_lifts_its_level(town: Town) -> None:
    await rate(town, "16")
    token, ids = await child(town, "fritz@films.example")
    lifting = {"maturity": None, "kids": False, "role": "operator", "by": ids["own_profile_id"]}
    own = (await town.must("GET", "/me", token=token)).json()["profile_id"]
    for method, path in (
        ("PATCH", f"/profiles/{own}"),
        ("POST", "/profiles"),
        ("POST", f"/profiles/{own}/deletion"),
    ):
        answer = await town.ask(
            method, f"/api/v1{path}", token=token, json=lifting | {"name": "Big"}
        )
        assert (answer.status, answer.code) == (403, "not_for_kids")
    for profile_id in (own, ids["own_profile_id"]):
        body = lifting | {"profile_id": profile_id, "current": "", "pin": ""}
        await town.ask("PUT", "/api/v1/profile", token=token, json=body)
    body = lifting | {"title_id": town.film.title_id, "profile_id": ids["own_profile_id"]}
    assert (await town.ask("POST", "/api/v1/plays", token=token, json=body)).code == "cannot_play"
    assert (await town.must("GET", "/me", token=token)).json()["kids"] is True


async def test_a_switch_that_was_right_once_opens_nothing_when_it_is_sent_again(
    town: Town,
) -> None:
    token, ids = await child(town, "gerd@films.example")
    grown_up = ids["own_profile_id"]
    await town.change(
        "update identity.profile set maturity = 6, kids = true where profile_id = :id",
        id=ids["profile_id"],
    )
    link = await town.log_in("gerd@films.example")
    await town.must("PUT", "/profile", {"profile_id": grown_up}, token=link)
    await town.must("PATCH", f"/profiles/{grown_up}", {"pin": "2580"}, token=link)
    kid = (await town.must("GET", "/me", token=token)).json()["profile_id"]
    opening = {"profile_id": grown_up, "pin": "2580"}
    await town.must("PUT", "/profile", opening, token=token)
    await town.must("PUT", "/profile", {"profile_id": kid}, token=token)
    for body in (
        {"profile_id": grown_up},
        {"profile_id": grown_up, "pin": ""},
        {"profile_id": grown_up, "pin": "0000"},
    ):
        answer = await town.ask("PUT", "/api/v1/profile", token=token, json=body)
        assert (answer.status, answer.code) in ((403, "pin_needed"), (403, "wrong_pin"))
    assert (await town.must("GET", "/me", token=token)).json()["kids"] is True
