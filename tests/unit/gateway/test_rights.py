"""What members are shown where they are, and how operators set rights."""

import msgspec

from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.ids import TitleId
from cuemark.gateway.plans import KEPT_S
from cuemark.kit.clock import ManualClock
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.buying import subscribe
from tests.unit.gateway.neighbours import ANNA, BEN, FILM, OPERATOR, Town
from tests.unit.gateway.neighbours.rights import denied

JPEG = b"\xff\xd8\xff picture"
WINDOW = {"window_id": "w1", "territories": ["DE"], "licence_type": "SVOD"}


async def test_a_title_that_is_not_for_the_territory_is_nowhere_to_be_seen(
    ask: Asker, town: Town
) -> None:
    town.objects.put("artwork/film.jpg", JPEG)
    town.notary.said[FILM] = denied(FILM)
    for path in ("/api/v1/titles", "/api/v1/continue-watching"):
        answer = await ask("GET", path, token=ANNA)
        assert (answer.status, answer.json()["titles"]) == (200, [])
    for path in (f"/api/v1/titles/{FILM}", f"/api/v1/titles/{FILM}/artwork"):
        hidden = await ask("GET", path, token=ANNA)
        assert (hidden.status, hidden.code) == (404, "unknown_title")
        assert (await ask("GET", path, token=OPERATOR)).status == 200
    assert {each.territory for each in town.notary.asked} == {"DE"}


async def test_a_title_that_was_announced_is_shown_and_says_that_it_does_not_play(
    ask: Asker, town: Town
) -> None:
    town.notary.said[FILM] = denied(FILM, "not_begun", shown=True)
    shown = (await ask("GET", f"/api/v1/titles/{FILM}", token=ANNA)).json()
    assert (shown["playable"], shown["playable_from"]) == (False, None)
    assert (await ask("GET", "/api/v1/titles", token=ANNA)).json()["titles"] == [
        shown | {"position_s": 12.5}
    ]


async def test_without_rights_members_are_shown_nothing_and_operators_all(
    ask: Asker, town: Town
) -> None:
    for neighbour in (town.notary, town.guide):
        neighbour.away = True
        for path in ("/api/v1/titles", f"/api/v1/titles/{FILM}", "/api/v1/continue-watching"):
            away = await ask("GET", path, token=ANNA)
            assert (away.status, away.code) == (503, "unavailable")
        assert (await ask("GET", "/api/v1/titles", token=OPERATOR)).status == 200
        neighbour.away = False


async def test_a_play_is_started_where_the_client_is(ask: Asker, town: Town) -> None:
    town.guide.country = "AT"
    await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": FILM})
    assert town.theatre.started[-1].territory == "AT"


async def test_members_are_shown_and_find_what_is_there_under_their_plan(
    ask: Asker, town: Town
) -> None:
    (small,) = town.till.books.kept.plans.values()
    allowance = Allowance(licence_types=("AVOD", "FVOD"))
    await town.till.put_plan(msgspec.structs.replace(small, allowance=allowance))

    async def asked_under() -> set[tuple[str, ...]]:
        town.notary.asked.clear()
        for path in ("/titles", f"/titles/{FILM}", "/continue-watching"):
            await ask("GET", f"/api/v1{path}", token=ANNA)
        await ask("GET", "/api/v1/search?text=film", token=ANNA)
        found = {tuple(each.licence_types) for each in town.notary.asked}
        return found | {tuple(town.finder.asked[-1].viewpoint.licence_types)}

    assert await asked_under() == {()}
    await subscribe(ask)
    assert await asked_under() == {("AVOD", "FVOD")}
    town.till.away = True
    assert isinstance(town.clock, ManualClock)
    town.clock.advance(KEPT_S)
    assert await asked_under() == {("AVOD", "FVOD")}


async def test_inside_it_is_known_which_plan_a_member_is_on(ask: Asker, town: Town) -> None:
    await subscribe(ask)
    for token in (ANNA, BEN):
        await ask("POST", "/api/v1/logout", token=token)
    assert [each and each.plan_id for each in town.people.passports] == ["small", ""]


async def test_a_page_is_filled_from_the_pages_after_it(ask: Asker, town: Town) -> None:
    film = town.films.titles[FILM]
    town.films.titles = {
        TitleId(f"ttl_{n}"): msgspec.structs.replace(
            film, title_id=TitleId(f"ttl_{n}"), name=f"Film {n}"
        )
        for n in range(6)
    }
    town.notary.said = {each: denied(each) for each in (TitleId("ttl_0"), TitleId("ttl_1"))}
    page = (await ask("GET", "/api/v1/titles?limit=3&after=0", token=ANNA)).json()
    assert [title["name"] for title in page["titles"]] == ["Film 2", "Film 3", "Film 4"]
    last = (await ask("GET", f"/api/v1/titles?after={page['next_cursor']}", token=ANNA)).json()
    assert [title["name"] for title in last["titles"]] == ["Film 5"]
    assert last["next_cursor"] == ""


async def test_a_list_ends_in_pages_where_nothing_may_be_shown(ask: Asker, town: Town) -> None:
    film = town.films.titles[FILM]
    ids = [TitleId(f"ttl_{n}") for n in range(40)]
    town.films.titles = {each: msgspec.structs.replace(film, title_id=each) for each in ids}
    town.notary.said = {each: denied(each) for each in ids}
    cursor, pages = "0", 0
    while cursor:
        page = (await ask("GET", f"/api/v1/titles?limit=4&after={cursor}", token=ANNA)).json()
        assert page["titles"] == []
        cursor, pages = page["next_cursor"], pages + 1
    assert pages == 2


async def test_operators_set_ask_list_and_undo_rights(ask: Asker, town: Town) -> None:
    where = f"/api/v1/titles/{FILM}/rights"
    put = await ask("PUT", where, token=OPERATOR, json={"windows": [WINDOW]})
    assert (put.status, put.json()["number"]) == (200, 1)
    assert put.json()["windows"][0]["territories"] == ["DE"]
    assert (await ask("GET", where, token=OPERATOR)).json() == put.json()
    listed = await ask("GET", "/api/v1/rights?after=c", token=OPERATOR)
    assert (listed.json()["rights"], listed.json()["next_cursor"]) == ([put.json()], "c")
    decision = await ask(
        "GET",
        f"{where}/decision?territory=FR&licence_type=EST&at=2026-05-01T00:00:00Z",
        token=OPERATOR,
    )
    assert decision.json()["allowed"]
    asked = town.notary.asked[-1]
    assert (asked.territory, asked.licence_types) == ("FR", ["EST"])
    undone = await ask("POST", f"{where}/undo", token=OPERATOR)
    assert (undone.status, undone.json()["windows"]) == (200, [])
    again = await ask("POST", f"{where}/undo", token=OPERATOR)
    assert (again.status, again.code) == (409, "no_earlier_rights")


async def test_rights_that_cannot_be_read_are_refused(ask: Asker) -> None:
    where = f"/api/v1/titles/{FILM}/rights"
    for body in (
        {},
        {"windows": [{"window_id": "w"}]},
        {"windows": [WINDOW | {"licence_type": "X"}]},
    ):
        answer = await ask("PUT", where, token=OPERATOR, json=body)
        assert answer.status in (400, 422), body
    answer = await ask("GET", f"{where}/decision?territory=Germany", token=OPERATOR)
    assert answer.status in (400, 422)
    unknown = await ask("GET", "/api/v1/titles/ttl_none/rights", token=OPERATOR)
    assert (unknown.status, unknown.code) == (404, "unknown_title")


async def test_rights_of_many_titles_may_be_larger_than_other_bodies(
    ask: Asker, town: Town
) -> None:
    windows = [WINDOW | {"window_id": f"w{n}"} for n in range(2000)]
    body = {"sets": [{"title_id": FILM, "windows": windows}]}
    answer = await ask("PUT", "/api/v1/rights", token=OPERATOR, json=body)
    assert (answer.status, answer.json()) == (200, {"changed": [FILM]})
    assert len(town.notary.sets[-1].windows) == 2000
