"""What a profile watched, keeps and thinks of it, over the API."""

import pytest

from cuemark.contracts.ids import ProfileId, WorkId
from cuemark.contracts.rights import Decision
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, BEN, DRAFT, FILM, OPERATOR, Town
from tests.unit.gateway.neighbours.works import SERIES

STAMP = "0006370b2e1c4000.0000.west"
CHANGES = {
    "region": "west",
    "changes": [
        {"kind": "my_list", "profile_id": "prf_x", "work_id": "t", "listed": True, "stamp": STAMP},
        {"kind": "erasure", "profile_id": "prf_y"},
    ],
}


def forbid(town: Town) -> None:
    """Where the callers are, nobody has a right to the film."""
    town.notary.said[FILM] = Decision(
        title_id=FILM, allowed=False, shown=False, reason="territory", may_go_on=False
    )


async def test_the_history_has_what_was_watched_and_may_be_shown(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/history?after=c&limit=7", token=ANNA)
    page = answer.json()
    assert page["next_cursor"] == "c"
    assert [each["title"]["title_id"] for each in page["viewings"]] == [FILM, FILM]
    assert [each["position_s"] for each in page["viewings"]] == [40.0, 40.0]
    assert page["viewings"][0]["title"]["position_s"] == 12.5
    assert (await ask("GET", "/api/v1/history", token=BEN)).json()["viewings"] == []


async def test_what_is_removed_is_of_whoever_asks_whatever_the_request_says(
    ask: Asker, town: Town
) -> None:
    body = {"profile_id": "prf_anna"}
    one = await ask("DELETE", f"/api/v1/history/{FILM}?profile_id=prf_anna", token=BEN, json=body)
    everything = await ask("DELETE", "/api/v1/history", token=ANNA)
    assert (one.status, everything.status) == (204, 204)
    assert town.memory.removed == [("prf_ben", FILM), ("prf_anna", None)]


async def test_my_list_is_kept_by_profile_for_titles_and_series(ask: Asker, town: Town) -> None:
    for work in (FILM, SERIES):
        assert (await ask("PUT", f"/api/v1/my-list/{work}", token=ANNA)).status == 204
    answer = await ask("GET", "/api/v1/my-list", token=ANNA)
    works = [each["work"] for each in answer.json()["works"]]
    assert [each["work_id"] for each in works] == [SERIES, FILM]
    assert [each["position_s"] for each in works] == [0.0, 12.5]
    assert (await ask("GET", "/api/v1/my-list", token=BEN)).json()["works"] == []
    assert (await ask("DELETE", f"/api/v1/my-list/{FILM}", token=BEN)).status == 204
    assert (ProfileId("prf_anna"), WorkId(FILM)) in town.memory.listed
    assert (await ask("DELETE", f"/api/v1/my-list/{FILM}", token=ANNA)).status == 204
    assert [work for _, work in town.memory.listed] == [SERIES]


async def test_a_list_that_is_full_is_told(ask: Asker, town: Town) -> None:
    for number in range(3):
        town.memory.listed[ProfileId("prf_anna"), WorkId(f"ttl_{number}")] = None
    full = await ask("PUT", f"/api/v1/my-list/{FILM}", token=ANNA)
    assert (full.status, full.code) == (409, "list_full")


async def test_ratings_are_given_changed_and_taken_back(ask: Asker) -> None:
    for rating in ("up", "love"):
        body = {"rating": rating, "profile_id": "prf_ben"}
        assert (await ask("PUT", f"/api/v1/ratings/{FILM}", token=ANNA, json=body)).status == 204
    (rated,) = (await ask("GET", "/api/v1/ratings", token=ANNA)).json()["works"]
    assert (rated["work"]["work_id"], rated["rating"]) == (FILM, "love")
    assert (await ask("GET", "/api/v1/ratings", token=BEN)).json()["works"] == []
    for bad in ("great", "", None, 5):
        refused = await ask("PUT", f"/api/v1/ratings/{FILM}", token=ANNA, json={"rating": bad})
        assert (refused.status, refused.code) == (422, "invalid")
    assert (await ask("DELETE", f"/api/v1/ratings/{FILM}", token=ANNA)).status == 204
    assert (await ask("GET", "/api/v1/ratings", token=ANNA)).json()["works"] == []


async def test_how_a_profile_stands_to_works_is_told_for_many_at_once(ask: Asker) -> None:
    await ask("PUT", f"/api/v1/my-list/{FILM}", token=ANNA)
    await ask("PUT", f"/api/v1/ratings/{SERIES}", token=ANNA, json={"rating": "down"})
    answer = await ask("GET", f"/api/v1/standing?work_ids={FILM},{SERIES}", token=ANNA)
    assert answer.json()["standings"] == [
        {"work_id": FILM, "listed": True, "rating": ""},
        {"work_id": SERIES, "listed": False, "rating": "down"},
    ]
    for bad in ("", "?work_ids=", "?work_ids=a,,b", "?work_ids=../x"):
        assert (await ask("GET", f"/api/v1/standing{bad}", token=ANNA)).status in (400, 422)


async def test_what_may_not_be_shown_is_on_no_list_and_cannot_be_put_there(
    ask: Asker, town: Town
) -> None:
    await ask("PUT", f"/api/v1/my-list/{FILM}", token=ANNA)
    await ask("PUT", f"/api/v1/ratings/{FILM}", token=ANNA, json={"rating": "up"})
    forbid(town)
    for path, rows in (("my-list", "works"), ("ratings", "works"), ("history", "viewings")):
        assert (await ask("GET", f"/api/v1/{path}", token=ANNA)).json()[rows] == []
    for work in (FILM, DRAFT, "ttl_none"):
        for method, path, body in (
            ("PUT", f"/api/v1/my-list/{work}", None),
            ("PUT", f"/api/v1/ratings/{work}", {"rating": "up"}),
        ):
            refused = await ask(method, path, token=BEN, json=body)
            assert (refused.status, refused.code) == (404, "unknown_work")
    assert (await ask("DELETE", f"/api/v1/my-list/{FILM}", token=ANNA)).status == 204
    assert (await ask("DELETE", f"/api/v1/ratings/{FILM}", token=ANNA)).status == 204
    assert not town.memory.listed
    assert not town.memory.rated


async def test_while_viewers_is_away_rows_are_missing_and_nothing_else(
    ask: Asker, town: Town
) -> None:
    town.memory.away = True
    row = await ask("GET", "/api/v1/my-list", token=ANNA)
    assert (row.status, row.json()) == (200, {"works": [], "next_cursor": ""})
    standing = await ask("GET", f"/api/v1/standing?work_ids={FILM}", token=ANNA)
    assert (standing.status, standing.json()) == (200, {"standings": []})
    assert (await ask("GET", f"/api/v1/works/{FILM}", token=ANNA)).status == 200
    for method, path in (
        ("GET", "history"),
        ("GET", "ratings"),
        ("DELETE", "history"),
        ("PUT", f"my-list/{FILM}"),
    ):
        away = await ask(method, f"/api/v1/{path}", token=ANNA)
        assert (away.status, away.code) == (503, "unavailable")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "history"),
        ("DELETE", "history"),
        ("DELETE", f"history/{FILM}"),
        ("GET", "my-list"),
        ("PUT", f"my-list/{FILM}"),
        ("DELETE", f"my-list/{FILM}"),
        ("GET", "ratings"),
        ("PUT", f"ratings/{FILM}"),
        ("DELETE", f"ratings/{FILM}"),
        ("GET", f"standing?work_ids={FILM}"),
    ],
)
async def test_a_profiles_own_is_for_members_alone(ask: Asker, method: str, path: str) -> None:
    body = {"rating": "up"} if method == "PUT" else None
    assert (await ask(method, f"/api/v1/{path}", json=body)).status == 401
    assert (await ask(method, f"/api/v1/{path}", token=OPERATOR, json=body)).status == 403


async def test_operators_take_changes_from_one_region_to_another(ask: Asker, town: Town) -> None:
    path = "/api/v1/viewing/changes"
    applied = await ask("POST", path, token=OPERATOR, json=CHANGES)
    assert (applied.status, applied.json()) == (200, {"taken": 2, "faults": []})
    page = await ask("GET", f"{path}?after=c1&limit=500", token=OPERATOR)
    assert page.json() == {"cursor": "c1", "more": False} | CHANGES | {"region": "here"}
    same = await ask("POST", path, token=OPERATOR, json=CHANGES | {"region": "here"})
    assert (same.status, same.code) == (409, "same_region")
    bad = await ask("POST", path, token=OPERATOR, json={"region": "w", "changes": [{"kind": "x"}]})
    assert (bad.status, bad.code) == (422, "invalid")
    for token in (ANNA, BEN):
        assert (await ask("GET", path, token=token)).status == 403
        assert (await ask("POST", path, token=token, json=CHANGES)).status == 403
    town.memory.away = True
    assert (await ask("GET", path, token=OPERATOR)).status == 503
