"""Where a running play is steered, and how operators drain an appliance."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.gateway.app import build_gateway
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, OPERATOR, PLAY_TOKEN, Town

HERE = "/api/v1/steering"
DRAIN = "/api/v1/appliances/edge-a/draining"


async def test_a_player_without_a_login_is_told_in_the_words_of_both_formats(ask: Asker) -> None:
    answer = await ask("GET", f"{HERE}?play={PLAY_TOKEN}", headers={"origin": "https://tv.test"})
    assert answer.status == 200
    assert answer.json() == {
        "VERSION": 1,
        "TTL": 10,
        "RELOAD-URI": f"http://127.0.0.1:8080{HERE}?play={PLAY_TOKEN}",
        "PATHWAY-PRIORITY": ["edge-a"],
    }
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"
    assert answer.header("access-control-allow-origin") == "*"


@given(st.text(), st.text())
async def test_what_players_add_to_the_query_changes_nothing(pathway: str, rate: str) -> None:
    ask = Asker(build_gateway(Town(Path("/nonexistent")).parts))
    plain = await ask("GET", f"{HERE}?play={PLAY_TOKEN}")
    for kind in ("HLS", "DASH"):
        raw = f"&_{kind}_pathway={pathway}&_{kind}_throughput={rate}"
        said = "".join(c for c in raw if c.isascii() and c.isprintable() and c not in " #?")
        answer = await ask("GET", f"{HERE}?play={PLAY_TOKEN}{said}")
        if said.count("play=") == 0:
            assert (answer.status, answer.body) == (200, plain.body)
        else:
            assert answer.status in (200, 410, 422)


@pytest.mark.parametrize("query", ["", "?play=", "?play=forged", "?_HLS_pathway=edge-a"])
async def test_who_shows_no_token_of_a_play_is_told_to_ask_no_more(ask: Asker, query: str) -> None:
    answer = await ask("GET", f"{HERE}{query}")
    assert (answer.status, answer.code) == (410, "steering_over")
    assert answer.header("access-control-allow-origin") == "*"


async def test_steering_that_is_away_is_no_reason_to_ask_no_more(ask: Asker, town: Town) -> None:
    town.guide.away = True
    answer = await ask("GET", f"{HERE}?play={PLAY_TOKEN}")
    assert (answer.status, answer.code) == (503, "unavailable")


async def test_manifests_name_the_place_where_plays_are_steered(ask: Asker, town: Town) -> None:
    for file in ("manifest.mpd", "master.m3u8"):
        await ask("GET", f"/api/v1/plays/ses_anna/{file}", token=ANNA)
    assert town.theatre.steering_urls == [f"http://127.0.0.1:8080{HERE}"] * 2


async def test_an_operator_drains_an_appliance_and_lets_it_have_plays_again(
    ask: Asker, town: Town
) -> None:
    answer = await ask("PUT", DRAIN, token=OPERATOR, json={"draining": True})
    assert (answer.status, town.guide.draining) == (200, ["edge-a"])
    answer = await ask("PUT", DRAIN, token=OPERATOR, json={"draining": False})
    assert (answer.status, town.guide.draining) == (200, [])


async def test_an_appliance_that_there_is_not_cannot_be_drained(ask: Asker) -> None:
    path = "/api/v1/appliances/edge-z/draining"
    answer = await ask("PUT", path, token=OPERATOR, json={"draining": True})
    assert (answer.status, answer.code) == (404, "unknown_appliance")
