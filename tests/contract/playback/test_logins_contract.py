"""What becomes of a play when the login by which it began is ended."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import text

from cuemark.contexts.playback.service import logins
from cuemark.contexts.playback.service.logins import LoginsKeeper
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.identity import TOPIC
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.identity.logins import LoginEnded
from cuemark.contracts.ids import AccountId, LoginId
from cuemark.contracts.licensing import GetLicence, LicenceRefused, Licensing
from cuemark.contracts.playback import Play, Playback, StartPlay
from cuemark.contracts.playback.streams import TooManyStreams
from cuemark.kit.outbox import Follower, Log
from tests.contract.conftest import Reach
from tests.contract.playback.conftest import FILM, OWNER, PROFILE, House
from tests.contract.playback.test_streams_contract import goes_on, stopped, subscribed

TV, PHONE = LoginId("lgn_tv"), LoginId("lgn_phone")


async def begin(playback: Playback, login_id: str, account_id: AccountId = OWNER) -> Play:
    return await playback.start(
        StartPlay(account_id=account_id, profile_id=PROFILE, title_id=FILM, login_id=login_id)
    )


async def tell(house: House, login_id: LoginId, account_id: AccountId = OWNER) -> None:
    """What identity tells of a login that ended."""
    ended = LoginEnded(account_id=account_id, login_id=login_id)
    async with house.database.transaction() as transaction:
        await Log(house.clock).append(transaction, TOPIC, account_id, ended)


async def read(house: House, playback: Playback) -> LoginsKeeper:
    """What follows logins, once it has read all that was told."""
    keeper = LoginsKeeper(house.database, house.clock, playback)
    log = Log(house.clock)
    await Follower("playback.logins", [TOPIC], house.database, log, keeper.take).catch_up()
    return keeper


async def licence(house: House, play: Play, login_id: str) -> bool:
    asked = GetLicence(
        session_id=play.session_id,
        account_id=OWNER,
        kids=(await house.kids())[:1],
        login_id=login_id,
    )
    try:
        return bool((await house.licensing.get_licence(asked)).keys)
    except LicenceRefused:
        return False


async def noted(house: House) -> int:
    async with house.database.transaction() as transaction:
        found = await transaction.execute(text("select count(*) from playback.ended_login"))
        return int(found.scalar_one())


async def test_the_plays_of_a_login_end_with_it_and_no_others(
    playback: Playback, house: House
) -> None:
    there, also_there = await begin(playback, TV), await begin(playback, TV)
    here, of_old = await begin(playback, PHONE), await begin(playback, "")
    await begin(playback, TV, AccountId("acc_stranger"))
    await tell(house, TV)
    keeper = await read(house, playback)
    assert await keeper.look() == 2
    for play in (there, also_there):
        assert not await goes_on(playback, play)
        assert not await licence(house, play, TV)
    assert sorted(await stopped(house)) == sorted([there.session_id, also_there.session_id])
    for play, login_id in ((here, PHONE), (of_old, TV)):
        assert await goes_on(playback, play)
        assert await licence(house, play, login_id)
    assert await keeper.look() == 0


async def test_a_login_that_ends_leaves_its_stream_to_the_next(house: House, reach: Reach) -> None:
    selling = await subscribed(house, reach, Allowance(streams=1))
    await begin(selling, TV)
    with pytest.raises(TooManyStreams):
        await begin(selling, PHONE)
    await tell(house, TV)
    await (await read(house, selling)).look()
    assert await goes_on(selling, await begin(selling, PHONE))


async def test_a_play_that_began_while_its_login_ended_ends_too(
    playback: Playback, house: House
) -> None:
    await tell(house, TV)
    keeper = await read(house, playback)
    assert await keeper.look() == 0
    await house.report()
    late = await begin(playback, TV)
    house.clock.advance(60)
    assert await keeper.look() == 1
    assert not await goes_on(playback, late)


async def test_while_playback_is_away_a_play_goes_on_and_ends_when_it_is_back(
    playback: Playback, house: House
) -> None:
    """Nobody has read what was told. Another login has no licence of it all the while, and the
    gateway knows the ended one no more."""
    play = await begin(playback, TV)
    await tell(house, TV)
    house.clock.advance(3600)
    assert await goes_on(playback, play)
    assert not await licence(house, play, PHONE)
    keeper = await read(house, playback)
    assert await keeper.look() == 1
    assert not await goes_on(playback, play)


async def test_a_play_ends_with_its_login_also_while_catalog_and_licensing_are_away(
    playback: Playback, house: House
) -> None:
    play = await begin(playback, TV)
    house.take_away(Catalog)
    house.take_away(Licensing)
    await tell(house, TV)
    assert await (await read(house, playback)).look() == 1
    assert not await goes_on(playback, play)
    for reader in house.readers_of_licensing:
        await reader.catch_up()
    assert not await licence(house, play, TV)


async def test_who_died_before_the_plays_were_stopped_has_them_stopped_by_the_next(
    playback: Playback, house: House
) -> None:
    play = await begin(playback, TV)
    await tell(house, TV)
    await read(house, playback)
    assert await goes_on(playback, play)
    assert await LoginsKeeper(house.database, house.clock, playback).look() == 1
    assert not await goes_on(playback, play)


async def test_a_login_is_forgotten_when_no_play_can_begin_by_it_any_more(
    playback: Playback, house: House
) -> None:
    await tell(house, TV)
    await tell(house, TV)
    keeper = await read(house, playback)
    house.clock.advance(logins.KEPT_FOR.total_seconds())
    await keeper.look()
    assert await noted(house) == 1
    await house.report()
    play = await begin(playback, TV)
    house.clock.advance(1)
    assert await keeper.look() == 1
    assert not await goes_on(playback, play)
    assert await noted(house) == 0


async def test_a_clock_that_was_set_on_lets_no_play_go_on(playback: Playback, house: House) -> None:
    play = await begin(playback, TV)
    await tell(house, TV)
    keeper = await read(house, playback)
    house.clock.advance((logins.KEPT_FOR + timedelta(hours=1)).total_seconds())
    assert await keeper.look() == 1
    assert not await goes_on(playback, play)


async def test_more_plays_than_are_stopped_at_once_are_stopped_one_look_after_the_other(
    playback: Playback, house: House
) -> None:
    plays = [await begin(playback, TV) for _ in range(3)]
    await tell(house, TV)
    await read(house, playback)
    keeper = LoginsKeeper(house.database, house.clock, playback, at_once=2)
    assert [await keeper.look() for _ in range(3)] == [2, 1, 0]
    assert not any([await goes_on(playback, play) for play in plays])


async def test_other_things_that_identity_tells_end_no_play(
    playback: Playback, house: House
) -> None:
    class LoginOpened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
        account_id: AccountId
        login_id: LoginId

    play = await begin(playback, TV)
    async with house.database.transaction() as transaction:
        told = LoginOpened(account_id=OWNER, login_id=TV)
        await Log(house.clock).append(transaction, TOPIC, OWNER, told)
    assert await (await read(house, playback)).look() == 0
    assert await goes_on(playback, play)


async def test_nothing_is_kept_of_the_logins_of_an_account_that_is_no_more(
    playback: Playback, house: House
) -> None:
    other = AccountId("acc_other")
    await tell(house, TV)
    await tell(house, PHONE, other)
    async with house.database.transaction() as transaction:
        deleted = AccountDeleted(account_id=OWNER, profile_ids=[PROFILE])
        await Log(house.clock).append(transaction, TOPIC, OWNER, deleted)
    await read(house, playback)
    assert await noted(house) == 1
