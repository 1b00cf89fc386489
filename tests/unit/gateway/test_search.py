"""What callers find, and on whose behalf search is asked."""

import pytest

from cuemark.contracts.search import Viewpoint
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, BEN, FILM, OPERATOR, Town

SEARCH = "/api/v1/search"
MEMBERS = [f"{SEARCH}?text=film", f"{SEARCH}/suggestions?text=film", f"/api/v1/works/{FILM}/like"]


@pytest.mark.parametrize("path", MEMBERS)
async def test_a_member_asks_from_where_they_are_with_what_they_watched(
    ask: Asker, town: Town, path: str
) -> None:
    headers = {"accept-language": "de-CH, en;q=0.5"}
    answer = await ask("GET", path, token=ANNA, headers=headers)
    hit, *_ = answer.json()["hits"]
    assert (answer.status, hit["hit_id"], hit["work"]["position_s"]) == (200, FILM, 12.5)
    assert hit["work"]["artwork_url"] == f"/api/v1/titles/{FILM}/artwork"
    assert "artwork_key" not in answer.body.decode()
    assert answer.header("vary") == "accept-language"
    viewpoint = town.finder.asked[-1].viewpoint
    assert (viewpoint.languages, viewpoint.territory) == (["de-CH", "en"], "DE")
    assert (viewpoint.watched[0], viewpoint.seen_only) == (FILM, True)


@pytest.mark.parametrize("path", MEMBERS)
async def test_an_operator_finds_what_nobody_may_be_shown_yet(
    ask: Asker, town: Town, path: str
) -> None:
    assert (await ask("GET", path, token=OPERATOR)).status == 200
    assert town.finder.asked[-1].viewpoint == Viewpoint(seen_only=False)


async def test_a_hit_says_where_it_was_found(ask: Asker) -> None:
    answer = (await ask("GET", f"{SEARCH}?text=film", token=ANNA)).json()
    assert [(hit["what"], hit["why"]) for hit in answer["hits"]] == [
        ("work", [{"field": "title", "text": "Film"}]),
        ("person", [{"field": "person", "text": "Anna"}]),
    ]
    assert "work" in answer["hits"][1]
    like = (await ask("GET", f"/api/v1/works/{FILM}/like", token=ANNA)).json()
    assert (like["like"], like["hits"][0]["why"][0]["field"]) == ("Film", "like")


@pytest.mark.parametrize("path", MEMBERS)
async def test_without_search_rights_or_places_nothing_is_found(
    ask: Asker, town: Town, path: str
) -> None:
    for neighbour in (town.finder, town.guide):
        neighbour.away = True
        away = await ask("GET", path, token=ANNA)
        assert (away.status, away.code) == (503, "unavailable")
        neighbour.away = False


@pytest.mark.parametrize("path", MEMBERS)
async def test_without_viewers_search_knows_nothing_of_what_was_watched(
    ask: Asker, town: Town, path: str
) -> None:
    town.memory.away = True
    answer = await ask("GET", path, token=BEN)
    assert (answer.status, answer.json()["hits"][0]["work"]["position_s"]) == (200, 0.0)
    assert town.finder.asked[-1].viewpoint.watched == []


async def test_questions_that_cannot_be_are_refused(ask: Asker) -> None:
    for query in (f"?text={'x' * 201}", "?text=a%00b", "?text=a&limit=0", "?text=a%01"):
        for path in (SEARCH, f"{SEARCH}/suggestions"):
            answer = await ask("GET", f"{path}{query}", token=ANNA)
            if not (path.endswith("suggestions") and "limit" in query):
                assert answer.status in (400, 422), query
    unknown = await ask("GET", "/api/v1/works/ttl_other/like", token=ANNA)
    assert (unknown.status, unknown.code) == (404, "unknown_work")


async def test_operators_alone_see_and_rebuild_the_index(ask: Asker) -> None:
    for method in ("GET", "POST"):
        assert (await ask(method, f"{SEARCH}/index", token=ANNA)).status == 403
    assert (await ask("GET", f"{SEARCH}/index", token=OPERATOR)).json()["number"] == 1
    assert (await ask("POST", f"{SEARCH}/index", token=OPERATOR)).json()["building"] == 2
