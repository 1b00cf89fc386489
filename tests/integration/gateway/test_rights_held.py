"""What plans and places have rights to, on a whole control plane, from lists to licences."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from tests.integration.gateway.households import Town, opened_town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("plans") / "data"
    async with opened_town(folder, module_database_url) as town:
        yield town


async def licensed_as(town: Town, licence_type: str) -> None:
    """The film plays everywhere, under this licence alone."""
    window = {"window_id": "w", "territories": ["WW"], "licence_type": licence_type}
    path = f"/titles/{town.film.title_id}/rights"
    await town.must("PUT", path, {"windows": [window]})


async def opened(town: Town, token: str, session_id: str) -> tuple[str, dict[str, int]]:
    """A new play instead of the one, if it may begin, and with what status each answers that shows
    the film, begins a play, or lets that go on."""
    film, kid = town.film.title_id, town.film.kid
    body: object = {"title_id": film, "instead_of": session_id}
    began = await town.ask("POST", "/api/v1/plays", json=body, token=token)
    if began.status == 201:
        session_id = began.json()["session_id"]
    else:
        assert "is not a part of this plan" in began.json()["error"]["message"]
    found = {"a play": began.status}
    for path, hits in (
        ("/titles", "titles"),
        ("/search?text=film", "hits"),
        ("/search/suggestions?text=fil", "hits"),
    ):
        answer = (await town.must("GET", path, token=token)).json()
        found[path] = 200 if answer[hits] else 404
    asked = base64.urlsafe_b64encode(bytes.fromhex(kid)).decode().rstrip("=")
    plays = f"/plays/{session_id}"
    for method, path, body in (
        ("GET", f"/titles/{film}", None),
        ("GET", f"{plays}/manifest.mpd", None),
        ("GET", f"{plays}/master.m3u8", None),
        ("GET", f"{plays}/keys/{kid}", None),
        ("POST", f"{plays}/licence", {"kids": [asked], "type": "temporary"}),
    ):
        answer = await town.ask(method, f"/api/v1{path}", json=body, token=token)
        found[path.removeprefix(plays)] = answer.status
    return session_id, found


async def test_a_plan_holds_what_its_licence_types_give_and_nothing_else(town: Town) -> None:
    hugo = await town.settle("hugo@films.example")
    price = {"money": {"amount_minor": 1900, "currency": "EUR"}}
    allowance = {"licence_types": ["SVOD", "EST"]}
    large = {"plan_id": "large", "name": "Large", "prices": [price], "allowance": allowance}
    await town.must("PUT", "/plans", large)

    await licensed_as(town, "AVOD")
    session_id, found = await opened(town, hugo.token, hugo.ids["session_id"])
    assert max(found.values()) < 300, found
    await licensed_as(town, "EST")
    _, found = await opened(town, hugo.token, session_id)
    assert set(found.values()) == {403, 404}, found

    await town.must("PUT", "/subscription/plan", {"plan_id": "large"}, token=hugo.token)
    assert (await town.must("GET", "/entitlement", token=hugo.token)).json()["plan_id"] == "large"
    session_id, found = await opened(town, hugo.token, session_id)
    assert max(found.values()) < 300, found
    await licensed_as(town, "AVOD")
    _, found = await opened(town, hugo.token, session_id)
    assert set(found.values()) == {403, 404}, found


async def test_a_launch_at_local_midnight_comes_to_each_territory_at_its_own(town: Town) -> None:
    midnight = datetime(2031, 5, 1)
    window = {
        "window_id": "w",
        "territories": ["WW"],
        "licence_type": "SVOD",
        "start": {"wall": midnight.isoformat(), "zone": "local"},
    }
    path = f"/titles/{town.film.title_id}/rights"
    await town.must("PUT", path, {"windows": [window]})
    zones = {"JP": "Asia/Tokyo", "DE": "Europe/Berlin", "PT": "Europe/Lisbon"}
    comes = {each: midnight.replace(tzinfo=ZoneInfo(zone)) for each, zone in zones.items()}

    async def has_it(at: datetime) -> set[str]:
        moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        asked = [f"{path}/decision?territory={each}&at={moment}" for each in zones]
        said = [(await town.must("GET", each)).json() for each in asked]
        return {place for place, right in zip(zones, said, strict=True) if right["allowed"]}

    second = timedelta(seconds=1)
    assert await has_it(comes["JP"] - second) == set()
    assert await has_it(comes["JP"]) == {"JP"}
    assert await has_it(comes["DE"] - second) == {"JP"}
    assert await has_it(comes["DE"]) == {"JP", "DE"}
    assert await has_it(comes["PT"]) == {"JP", "DE", "PT"}
