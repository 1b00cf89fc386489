"""Where an address is, as far as the atlas says it."""

from pathlib import Path

from cuemark.contexts.steering import wiring
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import Locate, Steering
from cuemark.contracts.steering.routes import Place
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import ManualClock
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.databases import opened
from tests.unit.steering.teller import untold
from tests.unit.steering.test_atlas import write


async def test_without_an_atlas_nobody_is_anywhere(steering: Steering) -> None:
    for address in ("192.0.2.7", "2001:db8::7", "", "nowhere"):
        found = await steering.locate(Locate(client_address=address))
        assert found.place == Place()


async def test_an_address_is_in_the_country_of_the_atlas(
    reach: Reach, database_url: str, tmp_path: Path
) -> None:
    atlas, clock = tmp_path / "countries.mmdb", ManualClock()
    write(atlas, {"192.0.2.0/24": {"country_code": "DE"}})
    async with opened(database_url, wiring) as database:
        room = wiring.build(
            database=database,
            log=Log(clock),
            clock=clock,
            fill=untold(),
            appliance_ids=(ApplianceId("edge-a"),),
            token_keys=[TokenKey("k1", b"1" * 32)],
            atlas=[atlas],
        )
        steering = await reach(Steering, room.service)
        for address, country in (("192.0.2.7", "DE"), ("198.51.100.7", "")):
            found = await steering.locate(Locate(client_address=address))
            assert found.place.country == country
        for closer in room.closers:
            await closer()
