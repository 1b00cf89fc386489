"""Searches for a mark over the API: begun, followed, and whom they name."""

import pytest

from cuemark.contracts.encoding.jobs import Ingest
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, FILM, OPERATOR, Town

BEGIN = "/api/v1/versions/ver_1/mark-searches"


async def test_a_search_is_begun_for_an_uploaded_copy(ask: Asker, town: Town) -> None:
    body = {"name": "copy.mp4", "size_bytes": 3}
    upload = (await ask("POST", "/api/v1/uploads", token=OPERATOR, json=body)).json()
    wanted = {"upload_id": upload["upload_id"]}
    answer = await ask("POST", BEGIN, token=OPERATOR, json=wanted)
    assert answer.status == 201
    assert answer.json() == {
        "search_id": "mks_1",
        "version_id": "ver_1",
        "state": "running",
        "error": "",
        "evidence": None,
        "naming": None,
    }
    elsewhere = BEGIN.replace("ver_1", "ver_2")
    refused = await ask("POST", elsewhere, token=OPERATOR, json=wanted)
    assert (refused.status, refused.code) == (409, "not_marked")
    nothing = await ask("POST", BEGIN, token=OPERATOR, json={"upload_id": "upl_9"})
    assert (nothing.status, nothing.code) == (404, "unknown_upload")


async def test_a_search_that_is_done_names_a_session_and_whose_it_is(
    ask: Asker, town: Town
) -> None:
    answer = await ask("GET", "/api/v1/mark-searches/mks_2", token=OPERATOR)
    view = answer.json()
    assert (answer.status, view["state"]) == (200, "done")
    naming = view["naming"]
    assert (naming["compared"], naming["verdict"]) == (2, "It was ses_anna.")
    guilty, other = naming["suspects"]
    assert (guilty["account_id"], guilty["email"]) == ("acc_anna", "anna@films.example")
    assert (other["named"], other["account_id"], other["email"]) == (False, None, "")
    (asked,) = town.theatre.evidence
    assert (asked.version_id, asked.first_segment) == ("ver_1", 4)
    assert asked.values == [0.4, -0.2, 0.0]


async def test_a_session_is_named_without_its_address_where_nobody_can_tell_it(
    ask: Asker, town: Town
) -> None:
    """The operator's login is still remembered from a moment ago."""
    town.people.deaf = True
    view = (await ask("GET", "/api/v1/mark-searches/mks_2", token=OPERATOR)).json()
    guilty = view["naming"]["suspects"][0]
    assert (guilty["account_id"], guilty["email"]) == ("acc_anna", "")


async def test_a_search_that_failed_says_why_and_names_nobody(ask: Asker, town: Town) -> None:
    view = (await ask("GET", "/api/v1/mark-searches/mks_3", token=OPERATOR)).json()
    assert (view["state"], view["naming"]) == ("failed", None)
    assert view["error"] == "The file shows nothing of this film."
    gone = await ask("GET", "/api/v1/mark-searches/mks_9", token=OPERATOR)
    assert (gone.status, gone.code) == (404, "unknown_mark_search")
    assert town.theatre.evidence == []


async def test_no_member_searches(ask: Asker) -> None:
    for method, path in (("POST", BEGIN), ("GET", "/api/v1/mark-searches/mks_2")):
        body = {"upload_id": "upl_0"} if method == "POST" else None
        assert (await ask(method, path, token=ANNA, json=body)).status == 403


@pytest.mark.parametrize("marked", [True, False])
async def test_a_title_is_marked_where_that_is_asked_for(
    ask: Asker, town: Town, marked: bool
) -> None:
    body = {"upload_id": "upl_0"} | ({"marked": True} if marked else {})
    answer = await ask("POST", f"/api/v1/titles/{FILM}/ingest", token=OPERATOR, json=body)
    assert answer.status == 201
    assert town.studio.ingested == [Ingest(title_id=FILM, upload_id="upl_0", marked=marked)]  # type: ignore[arg-type]
