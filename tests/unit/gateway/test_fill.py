"""What operators see of fill over the API."""

import pytest

from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, FILM, OPERATOR, Town


async def test_the_plan_is_shown_and_made_anew(ask: Asker, town: Town) -> None:
    shown = await ask("GET", "/api/v1/fill/plan", token=OPERATOR)
    (region,) = shown.json()["regions"]
    assert (region["region"], region["tier"], region["hours"]) == ("home", "edge", 24)
    assert region["appliances"][0]["fetch_bytes"] == 10**9
    made = await ask("POST", "/api/v1/fill/plan", token=OPERATOR)
    assert (made.status, made.json()["regions"][0]["hours"]) == (200, 25)


async def test_why_a_track_is_where_it_is_is_explained(ask: Asker) -> None:
    of_title = await ask("GET", f"/api/v1/fill/titles/{FILM}", token=OPERATOR)
    (track,) = of_title.json()["tracks"]
    where = f"/api/v1/fill/versions/{track['version_id']}/tracks/{track['track_id']}"
    of_track = await ask("GET", where, token=OPERATOR)
    assert of_track.json() == track
    assert track["regions"][0]["told"].startswith("It is brought")
    for unknown in ("/api/v1/fill/titles/ttl_x", f"{where}x"):
        refused = await ask("GET", unknown, token=OPERATOR)
        assert (refused.status, refused.code) == (404, "unknown_track")


@pytest.mark.parametrize("path", ["plan", f"titles/{FILM}", "versions/ver_film/tracks/v1"])
async def test_members_see_nothing_of_it(ask: Asker, path: str) -> None:
    assert (await ask("GET", f"/api/v1/fill/{path}", token=ANNA)).status == 403


async def test_without_fill_an_operator_is_told(ask: Asker, town: Town) -> None:
    town.granary.away = True
    answer = await ask("GET", "/api/v1/fill/plan", token=OPERATOR)
    assert (answer.status, answer.code) == (503, "unavailable")
