"""When an account is erased, every context that kept something of it follows."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from cuemark.contexts.identity import wiring as identity_wiring
from cuemark.contexts.licensing import wiring as licensing_wiring
from cuemark.contexts.playback import wiring as playback_wiring
from cuemark.contexts.viewers import wiring as viewers_wiring
from cuemark.contracts import playback
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.experiments import Experiments
from cuemark.contracts.identity.changing import DeleteAccount
from cuemark.contracts.ids import PlaySessionId, TitleId, VersionId, WorkId
from cuemark.contracts.licensing import GetLicence, LicenceRefused, OpenLicences
from cuemark.contracts.playback import ListOwnPlays
from cuemark.contracts.steering import Steering
from cuemark.contracts.viewers import ListWatching, RecordProgress
from cuemark.contracts.viewers.lists import AddToMyList, Rate
from cuemark.kit import mail
from cuemark.kit.channel import Channel
from cuemark.kit.ids import Ids
from cuemark.kit.link import connect
from cuemark.kit.outbox import Cursor
from tests.databases import opened
from tests.integration.identity.house import PASSWORD, House
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

KEY = bytes(32)


class Town:
    """Identity and the three that keep something of accounts; plays are asked of nobody."""

    def __init__(self, house: House, away: Channel) -> None:
        self.house = house
        self.viewers = viewers_wiring.build(house.database, house.clock)
        rights = Notary(house.clock)
        self.licensing = licensing_wiring.build(
            database=house.database,
            clock=house.clock,
            vault=vault_of(),
            rights=rights,
            catalog=connect(Catalog, away),
        )
        self.playback = playback_wiring.build(
            database=house.database,
            log=house.log,
            clock=house.clock,
            ids=Ids(house.clock),
            catalog=connect(Catalog, away),
            encoding=connect(Encoding, away),
            experiments=connect(Experiments, away),
            licensing=self.licensing.service,
            rights=rights,
            steering=connect(Steering, away),
            viewers=self.viewers.service,
            fingerprint_key=KEY,
        )

    async def follow(self) -> None:
        for room in (self.viewers, self.licensing, self.playback):
            for follower in room.followers:
                await follower.catch_up()


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    owners = (identity_wiring, mail, viewers_wiring, licensing_wiring, playback_wiring)
    async with (
        opened(database_url, *owners) as database,
        Channel("http://127.0.0.1:1", lambda: "") as away,
    ):
        yield Town(House(database), away)


async def watch(town: Town, email: str) -> tuple[str, str]:
    """Somebody who has watched, and watches; the ids of account and play."""
    account = await town.house.create(email)
    play = f"play_{email.partition('@')[0]:0<26}"
    now = town.house.clock.now()
    async with town.house.database.transaction() as transaction:
        await transaction.execute(
            text(
                "insert into playback.session (session_id, account_id, profile_id, title_id, "
                "version_id, duration_s, device, ranking, started_at, expires_at) values "
                "(:play, :account, :profile, 'ttl_1', 'ver_1', 60, 'A phone', '[]', :now, "
                "cast(:now as timestamptz) + interval '60 days')"
            ),
            {
                "play": play,
                "account": account.account_id,
                "profile": account.profile_id,
                "now": now,
            },
        )
    await town.licensing.service.open_licences(
        OpenLicences(
            session_id=PlaySessionId(play),
            account_id=account.account_id,
            version_id=VersionId("ver_1"),
            expires_at=now.replace(year=now.year + 1),
        )
    )
    for title in ("ttl_1", "ttl_2"):
        await town.viewers.service.record_progress(
            RecordProgress(
                profile_id=account.profile_id,
                title_id=TitleId(title),
                session_id=PlaySessionId(play),
                sequence=1,
                position_s=59.9 if title == "ttl_2" else 12.0,
                duration_s=60.0,
            )
        )
    viewers, profile_id = town.viewers.service, account.profile_id
    await viewers.add_to_my_list(AddToMyList(profile_id=profile_id, work_id=WorkId("ttl_1")))
    await viewers.rate(Rate(profile_id=profile_id, work_id=WorkId("ttl_1"), rating="love"))
    return account.account_id, play


async def everything(town: Town, *ids: str) -> list[str]:
    """The rows of every table, but of the log and of the bare ids that other regions are to hear
    of, that hold one of these ids or addresses."""
    found = []
    async with town.house.database.transaction() as transaction:
        tables = await transaction.execute(
            text(
                "select format('%I.%I', table_schema, table_name) as name "
                "from information_schema.tables where table_type = 'BASE TABLE' "
                "and table_schema in ('identity', 'viewers', 'licensing', 'playback') "
                "and (table_schema, table_name) <> ('viewers', 'erased')"
            )
        )
        for table in tables.scalars():
            rows = await transaction.execute(text(f"select t::text from {table} t"))
            found += [f"{table}: {row}" for row in rows.scalars() if any(i in row for i in ids)]
    return found


async def test_nothing_is_left_of_an_account_that_is_erased_and_all_of_another(town: Town) -> None:
    ada, adas_play = await watch(town, "ada@example.org")
    ben, bens_play = await watch(town, "ben@example.org")
    profile = (await town.house.login()).account.profile_id
    before = await everything(town, ben, bens_play, "ben@example.org")
    ask = DeleteAccount(account_id=(await town.house.login()).account.account_id, password=PASSWORD)
    await town.house.identity.delete_account(ask)
    town.house.clock.advance(14 * 86400)
    assert await town.house.identity.erase_due() == 1
    await town.follow()
    assert await everything(town, ada, profile, "ada@example.org") == []
    assert await everything(town, ben, bens_play, "ben@example.org") == before
    assert any(row.startswith("viewers.") for row in before)
    async with town.house.database.transaction() as transaction:
        entries = await town.house.log.read(transaction, [playback.TOPIC], Cursor())
    assert [(entry.kind, entry.key) for entry in entries] == [("PlayStopped", adas_play)]
    with pytest.raises(LicenceRefused):
        await town.licensing.service.get_licence(
            GetLicence(
                session_id=PlaySessionId(adas_play), account_id=ask.account_id, kids=["0" * 32]
            )
        )
    assert bens_play in str(await everything(town, ben))


async def test_a_follower_that_reads_the_end_twice_changes_nothing(town: Town) -> None:
    await watch(town, "ada@example.org")
    account_id = (await town.house.login()).account.account_id
    await town.house.identity.delete_account(
        DeleteAccount(account_id=account_id, password=PASSWORD)
    )
    town.house.clock.advance(14 * 86400)
    await town.house.identity.erase_due()
    await town.follow()
    for room in (town.viewers, town.licensing, town.playback):
        for follower in room.followers:
            await follower.rewind()
    await town.follow()
    async with town.house.database.transaction() as transaction:
        assert len(await town.house.log.read(transaction, [playback.TOPIC], Cursor())) == 1


async def test_what_is_kept_of_a_member_can_be_listed_to_the_end(town: Town) -> None:
    await watch(town, "ada@example.org")
    account = (await town.house.login()).account
    plays = await town.playback.service.list_own_plays(
        ListOwnPlays(account_id=account.account_id, limit=1)
    )
    assert [(each.device, each.title_id) for each in plays.plays] == [("A phone", "ttl_1")]
    assert plays.next_cursor == ""
    ask = ListWatching(profile_id=account.profile_id, ended=True)
    watched = (await town.viewers.service.list_watching(ask)).titles
    assert sorted((each.title_id, each.position_s) for each in watched) == [
        ("ttl_1", 12.0),
        ("ttl_2", 0.0),
    ]
    begun = await town.viewers.service.list_watching(ListWatching(profile_id=account.profile_id))
    assert [each.title_id for each in begun.titles] == ["ttl_1"]
