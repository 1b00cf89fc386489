"""The traffic and its lines, over the API."""

from datetime import timedelta

from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, DRAFT, FILM, OPERATOR, Town


async def test_the_traffic_of_a_title_is_that_of_the_version_that_plays(
    ask: Asker, town: Town
) -> None:
    answer = await ask("GET", f"/api/v1/traffic?last_s=60&title={FILM}", token=OPERATOR)
    assert answer.status == 200
    (told,) = answer.json()["appliances"]
    assert (told["appliance_id"], told["shares"][0]["requests"]) == ("edge-a", 3)
    (asked,) = town.scribe.asked
    assert asked.since == town.clock.now() - timedelta(seconds=60)
    assert len(asked.version_ids) == 1
    for wrong, code in ((f"title={DRAFT}", "traffic_invalid"), ("title=no", "unknown_title")):
        refused = await ask("GET", f"/api/v1/traffic?{wrong}", token=OPERATOR)
        assert refused.code == code
    for wrong in ("last_s=0", "last_s=x", "appliance=a%20b"):
        assert (await ask("GET", f"/api/v1/traffic?{wrong}", token=OPERATOR)).status == 422


async def test_lines_are_listed_with_the_cursor_to_go_on_with(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/traffic/lines?limit=1", token=OPERATOR)
    assert answer.json()["newest"] == "next"
    assert answer.json()["lines"][0]["line"]["path"] == "v1/1.m4s"


async def test_members_see_no_traffic(ask: Asker) -> None:
    for path in ("/api/v1/traffic", "/api/v1/traffic/lines"):
        assert (await ask("GET", path, token=ANNA)).status == 403


async def test_what_was_told_is_away_with_telemetry(ask: Asker, town: Town) -> None:
    town.scribe.away = True
    assert (await ask("GET", "/api/v1/traffic", token=OPERATOR)).status == 503
