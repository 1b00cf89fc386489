"""What a profile may call and see, asked of every route that members have."""

import re
import tempfile
from pathlib import Path

import pytest
from litestar import get

from cuemark.contracts.identity.profiles import ChangeProfile, ChooseProfile, CreateProfile, Profile
from cuemark.contracts.ids import AccountId, LoginId, ProfileId, WorkId
from cuemark.gateway.access import RouteWithoutAccess, access_of, profiles_of, routes_of
from cuemark.gateway.app import build_routes
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, ANNAS_SESSION, BEN, FILM, KID, OPERATOR, Town
from tests.unit.gateway.neighbours.works import SERIES
from tests.unit.gateway.test_access import BODIES, headers_of, target

ANNAS, OWN = AccountId("acc_anna"), ProfileId("prf_anna")
KIM = Profile(profile_id=ProfileId("prf_anna"), name="Kim", maturity=6, kids=True, language="de")
TEEN = Profile(profile_id=ProfileId("prf_anna"), name="Teen", maturity=12)
JPEG = b"\xff\xd8\xff picture"
FOR_KIDS = {
    ("GET", "/api/v1/continue-watching"),
    ("GET", "/api/v1/history"),
    ("GET", "/api/v1/my-list"),
    ("PUT", "/api/v1/my-list/{work_id:str}"),
    ("DELETE", "/api/v1/my-list/{work_id:str}"),
    ("GET", "/api/v1/ratings"),
    ("PUT", "/api/v1/ratings/{work_id:str}"),
    ("DELETE", "/api/v1/ratings/{work_id:str}"),
    ("GET", "/api/v1/standing"),
    ("GET", "/api/v1/search"),
    ("GET", "/api/v1/search/suggestions"),
    ("GET", "/api/v1/works/{work_id:str}/like"),
    ("GET", "/api/v1/titles"),
    ("GET", "/api/v1/titles/{title_id:str}"),
    ("GET", "/api/v1/titles/{title_id:str}/artwork"),
    ("GET", "/api/v1/works"),
    ("GET", "/api/v1/works/{work_id:str}"),
    ("GET", "/api/v1/works/{work_id:str}/artwork"),
    ("GET", "/api/v1/works/{work_id:str}/schema.jsonld"),
    ("POST", "/api/v1/plays"),
    ("GET", "/api/v1/plays/{session_id:str}/keys/{kid:str}"),
    ("POST", "/api/v1/plays/{session_id:str}/licence"),
    ("POST", "/api/v1/plays/{session_id:str}/licence/{system:str}"),
    ("GET", "/api/v1/plays/{session_id:str}/manifest.mpd"),
    ("GET", "/api/v1/plays/{session_id:str}/master.m3u8"),
    ("PUT", "/api/v1/plays/{session_id:str}/progress"),
    ("DELETE", "/api/v1/plays/{session_id:str}"),
}
"""What a child may call. A route that joins them is to hold what it shows against the level."""
FOR_ANY = {
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/profiles"),
    ("PUT", "/api/v1/profile"),
    ("POST", "/api/v1/logout"),
}


def table() -> list[tuple[str, str, str]]:
    """Method, path template and profiles of each route that members may call."""
    with tempfile.TemporaryDirectory() as folder:
        app = build_routes(Town(Path(folder)).parts)
    return sorted(
        (method, path, profiles_of(handler))
        for method, path, handler in routes_of(app)
        if "member" in access_of(handler).split("_or_")
    )


ROUTES = table()


def test_a_child_may_call_what_is_listed_and_nothing_else() -> None:
    assert {(method, path) for method, path, profiles in ROUTES if profiles == "kids"} == FOR_KIDS
    assert {(method, path) for method, path, profiles in ROUTES if profiles == "any"} == FOR_ANY


def test_a_gateway_with_a_route_for_unknown_profiles_cannot_be_built(town: Town) -> None:
    @get("/api/v1/misspelt", opt={"access": "member", "profile": "kid"})
    async def misspelt() -> None: ...

    with pytest.raises(RouteWithoutAccess, match="misspelt"):
        build_routes(town.parts, misspelt)


@pytest.mark.parametrize(("method", "path", "profiles"), ROUTES)
async def test_a_kids_profile_is_refused_what_is_not_for_it(
    ask: Asker, town: Town, method: str, path: str, profiles: str
) -> None:
    town.people.profiles["anna"] = KIM
    answer = await ask(
        method,
        target(path),
        token=ANNA,
        headers=headers_of(method),
        json=BODIES.get((method, path)),
    )
    refused = answer.status == 403 and answer.code == "not_for_kids"
    assert refused is (profiles == "grown_up")


@pytest.mark.parametrize(("method", "path", "profiles"), ROUTES)
async def test_a_login_on_no_profile_may_choose_one_and_leave(
    ask: Asker, town: Town, method: str, path: str, profiles: str
) -> None:
    town.people.profiles["anna"] = None
    answer = await ask(
        method,
        target(path),
        token=ANNA,
        headers=headers_of(method),
        json=BODIES.get((method, path)),
    )
    refused = answer.status == 403 and answer.code == "profile_not_chosen"
    assert refused is (profiles != "any")
    assert not town.theatre.started


async def test_the_operator_is_on_no_profile_and_needs_none(ask: Asker) -> None:
    assert (await ask("GET", "/api/v1/titles", token=OPERATOR)).status == 200


@pytest.mark.parametrize("profile", [KIM, TEEN])
@pytest.mark.parametrize("path", sorted(path for method, path in FOR_KIDS if method == "GET"))
async def test_a_title_above_the_level_is_nowhere_to_be_seen(
    ask: Asker, town: Town, profile: Profile, path: str
) -> None:
    """The film is all that there is, so that no answer may tell anything of it."""
    if "session_id" in path or path.endswith("/standing"):
        return
    town.memory.listed[OWN, WorkId(FILM)] = None
    town.memory.rated[OWN, WorkId(FILM)] = "up"
    town.objects.put("artwork/film.jpg", JPEG)
    asked = [re.sub(r"{work_id:str}", one, path) for one in (FILM, SERIES)]
    seen = [await ask("GET", target(each), token=ANNA) for each in asked]
    assert any(each.status == 200 and _tells(each.body) for each in seen)
    town.people.profiles["anna"] = profile
    town.films.ages[FILM] = 16
    for each in asked:
        answer = await ask("GET", target(each), token=ANNA)
        assert answer.status in (200, 404)
        assert not _tells(answer.body), each
    assert {each.maturity for each in town.films.admitting} == {profile.maturity}
    assert {each.territory for each in town.films.admitting} == {"DE"}
    town.films.ages[FILM] = 6
    again = [await ask("GET", target(each), token=ANNA) for each in asked]
    assert [each.status for each in again] == [each.status for each in seen]


def _tells(body: bytes) -> bool:
    return any(word in body for word in (FILM.encode(), b"Film", JPEG, b"The Show"))


async def test_without_the_catalog_a_bound_profile_is_shown_nothing(ask: Asker, town: Town) -> None:
    town.people.profiles["anna"] = TEEN
    town.films.away = True
    for method, path in FOR_KIDS:
        if method == "GET" and "session_id" not in path and not path.endswith("/standing"):
            answer = await ask(method, target(path), token=ANNA)
            assert answer.status in (200, 404, 503)
            assert not _tells(answer.body)


async def test_a_series_above_the_level_by_its_own_rating_is_hidden_from_its_episode(
    ask: Asker, town: Town
) -> None:
    town.people.profiles["anna"] = TEEN
    town.films.ages[SERIES] = 16
    episode = (await ask("GET", f"/api/v1/works/{FILM}", token=ANNA)).json()
    assert episode["above"] == []
    assert (await ask("GET", f"/api/v1/works/{SERIES}", token=ANNA)).status == 404


async def test_a_play_is_asked_for_with_the_level_of_the_profile(ask: Asker, town: Town) -> None:
    """Whatever the body says of it."""
    town.people.profiles["anna"] = TEEN
    body = {"title_id": FILM, "maturity": None, "profile_id": "prf_ben", "kids": False}
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json=body)).status == 201
    (started,) = town.theatre.started
    assert (started.maturity, started.profile_id) == (12, "prf_anna")
    session = f"/api/v1/plays/{ANNAS_SESSION}"
    for path in (f"{session}/manifest.mpd", f"{session}/master.m3u8", f"{session}/keys/{KID}"):
        await ask("GET", f"{path}?maturity=18", token=ANNA)
    for path in (f"{session}/licence", f"{session}/licence/widevine"):
        await ask("POST", path, token=ANNA, json={"kids": ["ABEiM0RVZneImaq7zN3u_w"]})
    assert [each.maturity for each in town.theatre.manifests] == [12, 12]
    assert [each.maturity for each in town.keys.asked] == [12, 12]
    assert [each.maturity for each in town.keys.forwarded] == [12]


async def test_titles_are_told_in_the_language_of_the_profile(ask: Asker, town: Town) -> None:
    town.people.profiles["anna"] = KIM
    shown = await ask("GET", f"/api/v1/titles/{FILM}", token=ANNA)
    assert shown.json()["name"] == "Der Film"
    asked = await ask("GET", f"/api/v1/titles/{FILM}?language=en", token=ANNA)
    assert asked.json()["name"] == "Film"


async def test_a_profile_is_made_and_changed_by_the_one_that_the_login_is_on(
    ask: Asker, town: Town
) -> None:
    """Account, profile and login come from the login alone."""
    foreign = {
        "account_id": "acc_ben",
        "by": "prf_ben",
        "login_id": "lgn_ben",
        "has_pin": True,
        "profile_id": "prf_other",
    }
    await ask("POST", "/api/v1/profiles", token=ANNA, json=foreign | {"name": "New"})
    await ask("PATCH", "/api/v1/profiles/prf_kim", token=ANNA, json=foreign | {"maturity": None})
    await ask("PUT", "/api/v1/profile", token=BEN, json=foreign | {"pin": "1234"})
    made, changed, chosen = town.people.heard
    assert made == CreateProfile(account_id=ANNAS, by=OWN, name="New")
    assert changed == ChangeProfile(
        account_id=ANNAS, by=OWN, profile_id=ProfileId("prf_kim"), maturity=None
    )
    assert chosen == ChooseProfile(
        account_id=AccountId("acc_ben"),
        login_id=LoginId("lgn_ben"),
        profile_id=ProfileId("prf_other"),
        pin="1234",
    )


async def test_a_change_names_only_what_its_body_names(ask: Asker, town: Town) -> None:
    await ask("PATCH", "/api/v1/profiles/prf_kim", token=ANNA, json={})
    (changed,) = town.people.heard
    assert changed == ChangeProfile(account_id=ANNAS, by=OWN, profile_id=ProfileId("prf_kim"))


@pytest.mark.parametrize(
    "body",
    [
        {"name": "A", "maturity": 19},
        {"name": "A", "maturity": -1},
        {"name": "A", "maturity": 6.5},
        {"name": "A", "pin": "12345"},
        {"name": "A", "pin": "١٢٣٤"},
        {"name": "A", "color": "mauve"},
        {"name": "A", "kids": "yes"},
        {"name": "A", "sound_languages": ["en"] * 9},
        {"name": "a\nb"},
    ],
)
async def test_a_body_that_cannot_be_is_refused(
    ask: Asker, town: Town, body: dict[str, object]
) -> None:
    assert (await ask("POST", "/api/v1/profiles", token=ANNA, json=body)).status == 422
    assert (await ask("PATCH", "/api/v1/profiles/prf_a", token=ANNA, json=body)).status == 422
    assert not town.people.heard


async def test_a_pin_is_asked_for_in_words_that_a_page_understands(ask: Asker) -> None:
    answer = await ask("PUT", "/api/v1/profile", token=ANNA, json={"profile_id": "prf_kim"})
    assert (answer.status, answer.code) == (403, "pin_needed")


async def test_who_is_watching_is_told_with_the_profiles(ask: Asker, town: Town) -> None:
    listed = (await ask("GET", "/api/v1/profiles", token=ANNA)).json()
    assert (listed["current"], listed["most"]) == ("prf_anna", 5)
    town.people.profiles["anna"] = None
    assert (await ask("GET", "/api/v1/profiles", token=ANNA)).json()["current"] == ""
    assert (await ask("GET", "/api/v1/me", token=ANNA)).json()["profile_id"] == ""
