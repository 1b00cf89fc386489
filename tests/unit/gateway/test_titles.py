"""Titles as viewers and operators see them."""

import msgspec

from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, BEN, DRAFT, FILM, OPERATOR, Town

JPEG = b"\xff\xd8\xff picture"


async def test_a_title_comes_with_the_viewers_position(ask: Asker) -> None:
    expected = {
        "title_id": FILM,
        "name": "Film",
        "synopsis": "",
        "duration_s": 52.0,
        "quality": "full",
        "artwork_url": f"/api/v1/titles/{FILM}/artwork",
        "position_s": 12.5,
        "series": "",
        "launch_at": None,
        "launched": True,
        "playable": True,
        "playable_from": None,
    }
    answer = await ask("GET", "/api/v1/titles?after=c1&limit=10", token=ANNA)
    assert answer.json() == {"titles": [expected], "next_cursor": "c1"}
    assert (await ask("GET", f"/api/v1/titles/{FILM}", token=ANNA)).json() == expected
    other = await ask("GET", f"/api/v1/titles/{FILM}", token=BEN)
    assert other.json() == expected | {"position_s": 0.0}


async def test_only_operators_see_what_is_not_published(ask: Asker) -> None:
    page = await ask("GET", "/api/v1/titles", token=OPERATOR)
    assert [title["title_id"] for title in page.json()["titles"]] == [FILM, DRAFT]
    draft = await ask("GET", f"/api/v1/titles/{DRAFT}", token=OPERATOR)
    assert (draft.json()["quality"], draft.json()["artwork_url"]) == ("none", "")
    for path in (f"/api/v1/titles/{DRAFT}", f"/api/v1/titles/{DRAFT}/artwork"):
        hidden = await ask("GET", path, token=ANNA)
        assert (hidden.status, hidden.code) == (404, "unknown_title")


async def test_members_see_nothing_of_a_title_before_its_launch(ask: Asker, town: Town) -> None:
    where, launch_at = f"/api/v1/titles/{FILM}", "2030-01-31T20:00:00+01:00"
    town.objects.put("artwork/film.jpg", JPEG)
    body = {"launch_at": launch_at}
    put_off = await ask("PUT", f"{where}/launch", token=OPERATOR, json=body)
    assert (put_off.status, put_off.json()["launched"]) == (200, False)
    assert put_off.json()["launch_at"] == "2030-01-31T20:00:00+01:00"
    for path in (where, f"{where}/artwork"):
        hidden = await ask("GET", path, token=ANNA)
        assert (hidden.status, hidden.code) == (404, "unknown_title")
        assert (await ask("GET", path, token=OPERATOR)).status == 200
    for path in ("/api/v1/titles", "/api/v1/continue-watching"):
        assert (await ask("GET", path, token=ANNA)).json()["titles"] == []
    assert (await ask("PUT", f"{where}/launch", token=ANNA, json=body)).status == 403
    now = await ask("PUT", f"{where}/launch", token=OPERATOR, json={"launch_at": None})
    assert (now.status, now.json()["launched"]) == (200, True)
    assert (await ask("GET", where, token=ANNA)).status == 200


async def test_a_launch_that_is_no_moment_is_refused_with_one_sentence(ask: Asker) -> None:
    where = f"/api/v1/titles/{FILM}/launch"
    moments: list[object] = ["tomorrow", "", [], "2030-13-01T00:00:00Z"]
    for launch_at in moments:
        refused = await ask("PUT", where, token=OPERATOR, json={"launch_at": launch_at})
        assert (refused.status, refused.code) == (422, "invalid")
    assert (await ask("PUT", where, token=OPERATOR, json={})).status == 422


async def test_titles_come_without_positions_while_viewers_is_away(ask: Asker, town: Town) -> None:
    town.memory.away = True
    page = await ask("GET", "/api/v1/titles", token=ANNA)
    assert [title["position_s"] for title in page.json()["titles"]] == [0.0]
    assert (await ask("GET", f"/api/v1/titles/{FILM}", token=ANNA)).json()["position_s"] == 0.0
    row = await ask("GET", "/api/v1/continue-watching", token=ANNA)
    assert (row.status, row.json()) == (200, {"titles": []})


async def test_continue_watching_leaves_out_what_is_gone(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/continue-watching", token=ANNA)
    (title,) = answer.json()["titles"]
    assert (title["title_id"], title["position_s"]) == (FILM, 12.5)


async def test_artwork_is_read_once_and_then_confirmed(ask: Asker, town: Town) -> None:
    path = f"/api/v1/titles/{FILM}/artwork"
    missing = await ask("GET", path, token=ANNA)
    assert (missing.status, missing.code) == (404, "not_found")
    town.objects.put("artwork/film.jpg", JPEG)
    first = await ask("GET", path, token=ANNA)
    assert (first.status, first.body, first.header("content-type")) == (200, JPEG, "image/jpeg")
    assert first.header("cache-control").startswith("private")
    headers = {"if-none-match": first.header("etag")}
    again = await ask("GET", path, token=ANNA, headers=headers)
    assert (again.status, again.body, again.header("etag")) == (304, b"", first.header("etag"))
    film = town.films.titles[FILM]
    town.films.titles[FILM] = msgspec.structs.replace(film, artwork_key="artwork/new.jpg")
    town.objects.put("artwork/new.jpg", JPEG + b"2")
    newer = await ask("GET", path, token=ANNA, headers=headers)
    assert (newer.status, newer.body) == (200, JPEG + b"2")
    assert (await ask("HEAD", path, token=ANNA)).header("content-length") == str(len(JPEG) + 1)


async def test_a_refusal_keeps_its_code_and_status(ask: Asker) -> None:
    answer = await ask("POST", "/api/v1/titles", token=OPERATOR, json={"name": " "})
    assert (answer.status, answer.code) == (422, "title_invalid")
    assert answer.json()["error"]["message"] == "A title needs a name."


async def test_an_ingest_names_title_upload_and_captions(ask: Asker, town: Town) -> None:
    body = {"upload_id": "upl_0", "captions": [{"language": "de-CH", "upload_id": "upl_1"}]}
    answer = await ask("POST", f"/api/v1/titles/{FILM}/ingest", token=OPERATOR, json=body)
    assert (answer.status, answer.json()["version_id"]) == (201, "ver_1")
    (request,) = town.studio.ingested
    assert (request.title_id, request.upload_id) == (FILM, "upl_0")
    assert [(c.language, c.upload_id) for c in request.captions] == [("de-CH", "upl_1")]
    bad = body | {"captions": [{"language": "../x", "upload_id": "upl_1"}]}
    refused = await ask("POST", f"/api/v1/titles/{FILM}/ingest", token=OPERATOR, json=bad)
    assert (refused.status, refused.code) == (422, "invalid")
    assert "language" in refused.json()["error"]["message"]


async def test_an_ingest_names_its_effort_or_leaves_it_to_the_install(
    ask: Asker, town: Town
) -> None:
    where = f"/api/v1/titles/{FILM}/ingest"
    for body in ({}, {"effort": None}, {"effort": "fast"}):
        answer = await ask("POST", where, token=OPERATOR, json={"upload_id": "upl_0", **body})
        assert answer.status == 201
    assert [request.effort for request in town.studio.ingested] == [None, None, "fast"]
    bad = {"upload_id": "upl_0", "effort": "slow"}
    refused = await ask("POST", where, token=OPERATOR, json=bad)
    assert (refused.status, refused.code) == (422, "invalid")
    assert refused.json()["error"]["message"] == "effort: Invalid enum value 'slow'."


async def test_operators_see_jobs_and_appliances(ask: Asker) -> None:
    jobs = await ask("GET", "/api/v1/jobs", token=OPERATOR)
    assert jobs.json()["jobs"][0]["stages"] == [{"stage": "inspect", "done": 1, "total": 1}]
    for path in ("/api/v1/jobs/ver_9", "/api/v1/versions/ver_9"):
        assert (await ask("GET", path, token=OPERATOR)).code == "unknown_version"
    appliances = await ask("GET", "/api/v1/appliances", token=OPERATOR)
    assert appliances.json()["appliances"][0]["appliance_id"] == "edge-a"
