"""Works as viewers and operators see them, each in their language."""

import json

import pytest

from cuemark.contracts.ids import TitleId
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, BEN, EVIL, FILM, OPERATOR, SERIES, Town
from tests.unit.gateway.neighbours.rights import denied

JPEG = b"\xff\xd8\xff picture"
WORKS = "/api/v1/works"
NAMES = [{"language": "en", "name": "Anna"}]


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "de-CH;q=0.2, de, en;q=0.9", "de"),
        ("", "fr, de;q=0, en;q=0.1", "en"),
        ("", "de;q=nonsense, , ;, x y, *", "en"),
        ("?language=de", "en", "de"),
        ("", "", "en"),
    ],
)
async def test_an_answer_is_in_the_callers_language_and_says_which(
    ask: Asker, query: str, accepted: str, language: str
) -> None:
    headers = {"accept-language": accepted}
    for path in (f"{WORKS}/{SERIES}", f"{WORKS}/{SERIES}/schema.jsonld", WORKS):
        answer = await ask("GET", f"{path}{query}", token=ANNA, headers=headers)
        assert answer.header("content-language") == language
        assert answer.header("vary") == "accept-language"
        assert ("The Show (de)" in answer.body.decode()) == (language == "de")
    for path in ("/api/v1/titles", f"/api/v1/titles/{FILM}", "/api/v1/continue-watching"):
        answer = await ask("GET", f"{path}{query}", token=ANNA, headers=headers)
        assert answer.header("vary") == "accept-language"
        told = answer.header("content-language")
        assert (told, "Der Film" in answer.body.decode()) == (
            ("de", True) if language == "de" else ("", False)
        )


async def test_a_work_comes_with_what_it_lies_in_and_the_viewers_position(ask: Asker) -> None:
    answer = await ask("GET", f"{WORKS}/{FILM}?territory=DE", token=ANNA)
    told = answer.json()
    assert (told["work"]["position_s"], told["work"]["kind"]) == (12.5, "episode")
    assert told["above"][0]["work_id"] == SERIES
    assert told["rating"] == {"scheme": "FSK", "rating": "12"}
    assert told["next_title_id"] == "ttl_next"
    assert told["work"]["artwork_url"] == f"/api/v1/titles/{FILM}/artwork"
    assert told["above"][0]["artwork_url"] == f"/api/v1/works/{SERIES}/artwork"
    assert "artwork_key" not in answer.body.decode()
    other = await ask("GET", f"{WORKS}/{FILM}", token=BEN)
    assert (other.json()["work"]["position_s"], other.json()["rating"]) == (0.0, None)


async def test_works_come_without_positions_while_viewers_is_away(ask: Asker, town: Town) -> None:
    town.memory.away = True
    told = (await ask("GET", f"{WORKS}/{FILM}", token=ANNA)).json()
    assert told["work"]["position_s"] == 0.0
    listed = (await ask("GET", WORKS, token=ANNA)).json()
    assert [work["position_s"] for work in listed["works"]] == [0.0, 0.0]


async def test_a_work_is_told_in_schema_org_that_no_name_can_break_out_of(ask: Asker) -> None:
    answer = await ask("GET", f"{WORKS}/{FILM}/schema.jsonld", token=ANNA)
    assert answer.header("content-type").startswith("application/ld+json")
    text = answer.body.decode()
    assert not any(sign in text for sign in "<>&\u2028\u2029")
    told = json.loads(text)
    assert (told["@type"], told["name"], told["duration"]) == ("TVEpisode", EVIL, "PT1H2M5S")
    assert told["actor"] == [
        {
            "@type": "PerformanceRole",
            "characterName": "Eve",
            "actor": {"@type": "Person", "name": f"Anna {EVIL}"},
        }
    ]
    assert told["partOfSeries"]["name"] == "The Show"
    assert told["url"] == f"http://127.0.0.1:8080/title/{FILM}"
    assert told["image"] == f"http://127.0.0.1:8080/api/v1/titles/{FILM}/artwork"
    assert told["contentRating"] == ["FSK 12"]
    assert told["sameAs"] == ["https://www.imdb.com/title/tt0087332/"]
    series = json.loads((await ask("GET", f"{WORKS}/{SERIES}/schema.jsonld", token=ANNA)).body)
    assert (series["@type"], series["datePublished"]) == ("TVSeries", "1984")


async def test_the_picture_of_a_series_is_read_once_and_then_confirmed(
    ask: Asker, town: Town
) -> None:
    path = f"{WORKS}/{SERIES}/artwork"
    assert (await ask("GET", path, token=ANNA)).code == "not_found"
    town.objects.put("artwork/film.jpg", JPEG)
    first = await ask("GET", path, token=ANNA)
    assert (first.status, first.body, first.header("vary")) == (200, JPEG, "accept-language")
    headers = {"if-none-match": first.header("etag")}
    assert (await ask("GET", path, token=ANNA, headers=headers)).status == 304


async def test_an_operator_creates_describes_places_and_removes_a_work(
    ask: Asker, town: Town
) -> None:
    details = {"texts": [{"language": "en", "name": "Another"}]}
    made = await ask("POST", WORKS, token=OPERATOR, json={"kind": "series", "details": details})
    assert (made.status, made.json()["kind"]) == (201, "series")
    where = f"{WORKS}/{made.json()['work_id']}"
    body = {"revision": 1, "details": details | {"year": 1999}}
    after = await ask("PUT", f"{where}/details", token=OPERATOR, json=body)
    assert after.json()["details"]["year"] == 1999
    stale = await ask("PUT", f"{where}/details", token=OPERATOR, json=body)
    assert (stale.status, stale.code) == (409, "work_changed_meanwhile")
    place = {"parent_id": SERIES, "number": 2}
    placed = await ask("PUT", f"{where}/place", token=OPERATOR, json=place)
    assert (placed.json()["parent_id"], placed.json()["number"]) == (SERIES, 2)
    gone = await ask("DELETE", where, token=OPERATOR)
    assert (gone.status, gone.json()["number"]) == (200, 2)
    assert (await ask("GET", f"{where}/details", token=OPERATOR)).code == "unknown_work"
    back = await ask("POST", f"{where}/undo", token=OPERATOR)
    assert (back.status, back.json()) == (200, gone.json())
    again = await ask("POST", f"{where}/undo", token=OPERATOR)
    assert (again.status, again.code) == (409, "nothing_to_undo")


async def test_an_operator_keeps_people_and_terms(ask: Asker) -> None:
    anna = (await ask("POST", "/api/v1/people", token=OPERATOR, json={"names": NAMES})).json()
    where = f"/api/v1/people/{anna['person_id']}"
    ids = [{"scheme": "imdb", "value": "nm0000122"}]
    after = await ask("PUT", where, token=OPERATOR, json={"names": NAMES, "ids": ids})
    assert after.json()["ids"] == ids
    assert len((await ask("GET", "/api/v1/people", token=OPERATOR)).json()["people"]) == 2
    assert (await ask("DELETE", where, token=OPERATOR)).status == 200
    assert (await ask("DELETE", where, token=OPERATOR)).code == "unknown_person"
    body = {"vocabulary": "theme", "names": NAMES}
    term = await ask("PUT", "/api/v1/terms/heist", token=OPERATOR, json=body)
    assert term.json()["term_id"] == "heist"
    assert len((await ask("GET", "/api/v1/terms", token=OPERATOR)).json()["terms"]) == 2
    assert (await ask("DELETE", "/api/v1/terms/heist", token=OPERATOR)).status == 200


async def test_an_import_larger_than_other_bodies_arrives_and_its_faults_come_back(
    ask: Asker, town: Town
) -> None:
    details = {"texts": [{"language": "en", "name": "A" * 150}]}
    rows = [{"id": f"row{n}", "kind": "series", "details": details} for n in range(600)]
    done = await ask("POST", "/api/v1/metadata", token=OPERATOR, json={"works": rows})
    assert (done.status, done.json()["created"]) == (200, 600)
    assert len(town.films.imported[0].works) == 600
    bad = {"works": [rows[0] | {"number": -1}]}
    refused = await ask("POST", "/api/v1/metadata", token=OPERATOR, json=bad)
    assert refused.json()["faults"] == [{"place": "works[0].number", "message": "no number"}]
    there = (await ask("GET", "/api/v1/metadata", token=OPERATOR)).json()
    assert [row["id"] for row in there["works"]] == [SERIES, FILM]


async def test_without_a_right_a_title_and_what_holds_it_are_no_works_to_members(
    ask: Asker, town: Town
) -> None:
    assert SERIES in (await ask("GET", WORKS, token=ANNA)).body.decode()
    town.notary.said[FILM] = denied(FILM)
    assert (await ask("GET", WORKS, token=ANNA)).json()["works"] == []
    assert len((await ask("GET", WORKS, token=OPERATOR)).json()["works"]) == 2
    for work in (FILM, SERIES):
        for path in ("", "/schema.jsonld", "/artwork"):
            assert (await ask("GET", f"{WORKS}/{work}{path}", token=ANNA)).status == 404
        assert (await ask("GET", f"{WORKS}/{work}", token=OPERATOR)).status == 200


async def test_an_episode_that_may_not_be_shown_does_not_follow(ask: Asker, town: Town) -> None:
    following = TitleId("ttl_next")
    town.notary.said[following] = denied(following)
    assert (await ask("GET", f"{WORKS}/{FILM}", token=ANNA)).json()["next_title_id"] is None
    told = (await ask("GET", f"{WORKS}/{FILM}", token=OPERATOR)).json()
    assert told["next_title_id"] == following


async def test_without_rights_no_works_are_shown_to_members(ask: Asker, town: Town) -> None:
    town.notary.away = True
    assert (await ask("GET", WORKS, token=ANNA)).status == 503
    assert (await ask("GET", f"{WORKS}/{SERIES}", token=ANNA)).status == 503
    assert (await ask("GET", WORKS, token=OPERATOR)).status == 200
