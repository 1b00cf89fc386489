"""Master keys change under what is stored, and nothing is lost or served under the wrong one."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from cuemark.contexts.licensing import wiring
from cuemark.contexts.licensing.model.master_keys import SPREAD_S
from cuemark.contexts.licensing.service.master_keys import WRAPPED_AT_ONCE
from cuemark.contexts.licensing.wiring import MasterKey, Vault
from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import (
    Licensing,
    ListMasterKeys,
    MasterKeyInUse,
    MasterKeyList,
    ProvisionKeys,
    RetireMasterKey,
    RotateMasterKey,
    UnknownMasterKey,
)
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.room import Room
from tests.databases import opened
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

FILM = VersionId("ver_film")
LABELS = ["AUDIO", "HD", "SD"]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring) as database:
        yield database


class House:
    """Licensing in one process, with its keeper running or not."""

    def __init__(self, database: Database, vault: Vault, clock: ManualClock) -> None:
        self.room: Room[Licensing] = wiring.build(
            database=database, clock=clock, rights=Notary(clock), catalog=Films(clock), vault=vault
        )
        self.licensing = self.room.service

    async def keys(self, version_id: VersionId = FILM, periods: int = 1) -> list[str]:
        wanted = ProvisionKeys(version_id=version_id, labels=LABELS, periods=periods)
        return [each.key for each in (await self.licensing.provision_keys(wanted)).keys]

    async def rotate(self) -> MasterKeyList:
        return await self.licensing.rotate_master_key(RotateMasterKey())

    async def under(self) -> dict[int, int]:
        found = await self.licensing.list_master_keys(ListMasterKeys())
        return {each.number: each.content_keys for each in found.keys}

    async def kept(self, wanted: dict[int, int]) -> None:
        """Run the keeper until it has wrapped all as wanted."""
        (keep,) = self.room.keepers
        task = asyncio.create_task(keep())
        try:
            async with asyncio.timeout(10):
                while await self.under() != wanted:
                    await asyncio.sleep(0.02)
        finally:
            task.cancel()


async def test_after_a_rotation_all_keys_are_the_same_under_the_new_master_key(
    database: Database,
) -> None:
    clock = ManualClock()
    house = House(database, vault_of(made_at=clock.now()), clock)
    before = await house.keys(periods=WRAPPED_AT_ONCE)
    count = len(LABELS) * WRAPPED_AT_ONCE
    told = await house.rotate()
    assert [(each.number, each.wraps) for each in told.keys] == [(2, True), (1, False)]
    assert await house.keys(periods=WRAPPED_AT_ONCE) == before
    await house.kept({2: count, 1: 0})
    assert await house.keys(periods=WRAPPED_AT_ONCE) == before
    clock.advance(SPREAD_S)
    left = await house.licensing.retire_master_key(RetireMasterKey(number=1))
    assert [each.number for each in left.keys] == [2]
    assert await house.keys(periods=WRAPPED_AT_ONCE) == before


async def test_two_processes_wrap_side_by_side_and_one_that_was_late_learns_of_it(
    database: Database,
) -> None:
    clock, vault = ManualClock(), vault_of()
    one, late = House(database, vault, clock), House(database, vault, clock)
    before = await one.keys()
    await one.rotate()
    # It wraps with what it knows, and opens what the other has wrapped meanwhile.
    other = VersionId("ver_other")
    later = await late.keys(other)
    assert await one.under() == {2: 0, 1: 2 * len(LABELS)}
    await asyncio.gather(*(house.kept({2: 2 * len(LABELS), 1: 0}) for house in (one, late)))
    assert (await late.keys(), await one.keys(other)) == (before, later)


async def test_a_master_key_goes_only_when_nothing_is_under_it_and_nobody_uses_it(
    database: Database,
) -> None:
    clock = ManualClock()
    house = House(database, vault_of(made_at=clock.now()), clock)
    await house.keys()
    retire = house.licensing.retire_master_key
    with pytest.raises(MasterKeyInUse, match="rotate first"):
        await retire(RetireMasterKey(number=1))
    with pytest.raises(UnknownMasterKey):
        await retire(RetireMasterKey(number=7))
    await house.rotate()
    with pytest.raises(MasterKeyInUse, match="3 content keys are still stored"):
        await retire(RetireMasterKey(number=1))
    await house.kept({2: 3, 1: 0})
    with pytest.raises(MasterKeyInUse, match="for a minute"):
        await retire(RetireMasterKey(number=1))
    clock.advance(SPREAD_S)
    await retire(RetireMasterKey(number=1))


async def test_keys_under_a_master_key_that_is_gone_are_left_and_told(database: Database) -> None:
    house = House(database, vault_of(), ManualClock())
    await house.keys()
    gone = House(database, _only(5), ManualClock())
    assert await gone.under() == {5: 0, 1: 3}
    with pytest.raises(Unavailable, match="put back the one"):
        await gone.keys()
    assert await house.under() == {1: 3}


async def test_a_row_that_was_changed_does_not_hold_up_the_others(database: Database) -> None:
    house = House(database, vault_of(), ManualClock())
    await house.keys()
    async with database.transaction() as transaction:
        spoil = "update licensing.content_key set wrapped = wrapped || '\\x00' where label = 'HD'"
        await transaction.execute(text(spoil))
    await house.rotate()
    await house.kept({2: 2, 1: 1})


def _only(number: int) -> Vault:
    def refuse(_: int) -> None:
        raise OSError("read only")

    return Vault(lambda: [MasterKey(bytes([number]) * 32, number)], refuse, refuse)


async def test_a_vault_that_refuses_is_one_sentence_and_changes_nothing(database: Database) -> None:
    house = House(database, _only(1), ManualClock())
    before = await house.keys()
    with pytest.raises(Unavailable, match="cannot be kept"):
        await house.rotate()
    assert await house.keys() == before
