"""What every caller of rights may rely on, however they are reached."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from cuemark.contexts.rights import wiring
from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import (
    TOPIC,
    Decide,
    Decision,
    GetRights,
    LicenceType,
    ListRights,
    Moment,
    NoEarlierRights,
    Rights,
    RightsInvalid,
    SetRights,
    TitleWindows,
    UndoRights,
    Window,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Cursor, Log
from cuemark.kit.pages import PageInvalid
from tests.contract.conftest import Reach
from tests.databases import opened

START = datetime(2026, 5, 1, tzinfo=UTC)
GRACE = timedelta(minutes=10)


@dataclass(frozen=True)
class House:
    rights: Rights
    database: Database
    clock: ManualClock
    ids: Ids

    def title(self) -> TitleId:
        return TitleId(self.ids.new("ttl"))

    async def put(self, title_id: TitleId, *windows: Window) -> bool:
        self.clock.advance(1)
        asked = SetRights(sets=[TitleWindows(title_id=title_id, windows=list(windows))])
        return (await self.rights.set_rights(asked)).changed == [title_id]

    async def ask(
        self, title_id: TitleId, territory: str = "", *types: LicenceType, at: str = ""
    ) -> Decision:
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None
        asked = Decide(
            title_ids=[title_id], territory=territory, licence_types=list(types), at=moment
        )
        (decision,) = (await self.rights.decide(asked)).decisions
        return decision


TERMS = wiring.Terms(grace=GRACE)


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring) as database:
        yield await housed(reach, database, TERMS)


async def housed(reach: Reach, database: Database, terms: wiring.Terms) -> House:
    clock = ManualClock(START)
    room = wiring.build(database, Log(clock), clock, terms)
    return House(await reach(Rights, room.service), database, clock, Ids(clock))


def window(
    window_id: str = "w1",
    *territories: str,
    licence_type: LicenceType = "SVOD",
    start: str = "",
    end: str = "",
) -> Window:
    return Window(
        window_id=window_id,
        territories=list(territories or ("DE",)),
        licence_type=licence_type,
        start=Moment(wall=start) if start else None,
        end=Moment(wall=end) if end else None,
    )


async def test_an_unrecorded_title_plays_everywhere_or_nowhere_as_the_install_says(
    reach: Reach, database_url: str
) -> None:
    async with opened(database_url, wiring) as database:
        opened_house = await housed(reach, database, TERMS)
        closed = await housed(reach, database, replace(TERMS, unrecorded="closed"))
        title = opened_house.title()
        said = await opened_house.ask(title, "DE")
        assert (said.allowed, said.reason, said.shown, said.may_go_on) == (True, "open", True, True)
        said = await closed.ask(title, "DE")
        assert (said.allowed, said.reason, said.shown) == (False, "unrecorded", False)
        for house in (opened_house, closed):
            await house.put(title)
            assert (await house.ask(title, "DE")).reason == "territory"


async def test_what_was_set_decides_at_once(house: House) -> None:
    title = house.title()
    assert await house.put(title, window(end="2026-06-01T00:00:00"), window("w2", "FR"))
    here = await house.ask(title, "DE")
    end = datetime(2026, 6, 1, tzinfo=UTC)
    assert (here.allowed, here.until, here.ends_at) == (True, end, end + GRACE)
    assert (await house.ask(title, "FR")).until is None
    assert (await house.ask(title, "AT")).reason == "territory"
    assert (await house.ask(title, "DE", "EST")).reason == "licence_type"
    over = await house.ask(title, "DE", at="2026-06-01T00:09:59")
    assert (over.allowed, over.may_go_on, over.since) == (False, True, end)
    assert not (await house.ask(title, "DE", at="2026-06-01T00:10:00")).may_go_on


async def test_a_worldwide_window_leaves_out_what_it_excludes(house: House) -> None:
    title = house.title()
    everywhere = Window(
        window_id="w", territories=["WW"], licence_type="SVOD", excluding=["FR", "MC"]
    )
    await house.put(title, everywhere)
    said = {where: (await house.ask(title, where)).allowed for where in ("DE", "FR", "MC", "")}
    assert said == {"DE": True, "FR": False, "MC": False, "": False}


async def test_a_territory_that_is_not_known_counts_as_the_install_says(
    reach: Reach, database_url: str
) -> None:
    async with opened(database_url, wiring) as database:
        house = await housed(reach, database, replace(TERMS, territory="AT"))
        title = house.title()
        await house.put(title, window("w1", "AT"))
        asked = Decide(title_ids=[title])
        said = await house.rights.decide(asked)
        assert (said.territory, said.decisions[0].allowed) == ("AT", True)
        assert not (await house.ask(title, "DE")).allowed


async def test_the_same_again_is_no_change_and_every_change_is_told(house: House) -> None:
    title = house.title()
    assert await house.put(title, window())
    assert not await house.put(title, window())
    assert await house.put(title, window("w2"))
    await house.rights.undo_rights(UndoRights(title_id=title))
    async with house.database.transaction() as transaction:
        entries = await Log(house.clock).read(transaction, [TOPIC], Cursor(), key=title)
    assert [entry.kind for entry in entries] == ["RightsSet"] * 3


async def test_a_set_that_was_replaced_can_be_gone_back_to(house: House) -> None:
    title = house.title()
    ask = GetRights(title_id=title)
    before = await house.rights.get_rights(ask)
    assert (before.number, before.windows, before.earlier) == (0, [], False)
    for name in ("a", "b", "c"):
        await house.put(title, window(name))
    undo = UndoRights(title_id=title)
    back = await house.rights.undo_rights(undo)
    assert (back.number, [each.window_id for each in back.windows], back.earlier) == (
        2,
        ["b"],
        True,
    )
    assert await house.rights.get_rights(ask) == back
    await house.put(title, window("d"))
    again = await house.rights.undo_rights(undo)
    assert [each.window_id for each in again.windows] == ["b"]
    await house.rights.undo_rights(undo)
    assert (await house.rights.undo_rights(undo)).number == 0
    assert (await house.ask(title, "AT")).reason == "open"
    with pytest.raises(NoEarlierRights):
        await house.rights.undo_rights(undo)
    await house.put(title, window("e"))
    assert (await house.rights.get_rights(ask)).number == 5


async def test_all_titles_of_a_call_are_set_or_none(house: House) -> None:
    good, bad = house.title(), house.title()
    sets = [
        TitleWindows(title_id=good, windows=[window()]),
        TitleWindows(title_id=bad, windows=[window("w1", "Germany")]),
    ]
    with pytest.raises(RightsInvalid, match="'Germany'"):
        await house.rights.set_rights(SetRights(sets=sets))
    assert (await house.rights.get_rights(GetRights(title_id=good))).number == 0
    with pytest.raises(RightsInvalid, match="twice"):
        await house.rights.set_rights(SetRights(sets=[sets[0], sets[0]]))
    with pytest.raises(RightsInvalid, match="1 to 2000"):
        await house.rights.set_rights(SetRights(sets=[]))


async def test_many_titles_are_decided_in_the_order_of_the_question(house: House) -> None:
    titles = [house.title() for _ in range(200)]
    for title in titles[::2]:
        await house.put(title, window("w", "FR"))
    said = await house.rights.decide(Decide(title_ids=titles, territory="DE"))
    assert [each.title_id for each in said.decisions] == titles
    assert [each.allowed for each in said.decisions] == [False, True] * 100
    for wrong in ([], [*titles, house.title()]):
        with pytest.raises(RightsInvalid, match="1 to 200"):
            await house.rights.decide(Decide(title_ids=wrong, territory="DE"))


async def test_pages_cover_all_titles_with_rights_once(house: House) -> None:
    titles = sorted(house.title() for _ in range(5))
    for title in titles:
        await house.put(title, window())
    await house.rights.undo_rights(UndoRights(title_id=titles[3]))
    seen: list[TitleId] = []
    cursor = ""
    while True:
        page = await house.rights.list_rights(ListRights(after=cursor, limit=2))
        seen += [each.title_id for each in page.rights]
        if not (cursor := page.next_cursor):
            break
    assert seen == [*titles[:3], titles[4]]
    with pytest.raises(PageInvalid):
        await house.rights.list_rights(ListRights(limit=0))


async def test_what_is_no_title_territory_or_moment_is_refused(house: House) -> None:
    with pytest.raises(RightsInvalid, match="not the id of a title"):
        await house.ask(TitleId("' or true --"), "DE")
    with pytest.raises(RightsInvalid, match="not the id of a title"):
        await house.put(TitleId("ttl_film"), window())
    with pytest.raises(RightsInvalid, match="the territory 'de'"):
        await house.ask(house.title(), "de")
    naive = Decide(title_ids=[house.title()], at=datetime(2026, 1, 1))
    with pytest.raises(RightsInvalid, match="no time zone"):
        await house.rights.decide(naive)
