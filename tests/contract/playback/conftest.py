"""What every caller of playback may rely on, its neighbours present and away.

Licensing, steering and experiments are the real ones. Of catalog, encoding and viewers a play asks
one question each, which ``Shelf`` answers from memory; a neighbour that is away is a closed port.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import msgspec
import pytest

from cuemark.contexts.experiments import wiring as experiments_wiring
from cuemark.contexts.licensing import wiring as licensing_wiring
from cuemark.contexts.playback import wiring
from cuemark.contexts.steering import wiring as steering_wiring
from cuemark.contracts.billing import Billing
from cuemark.contracts.catalog import Catalog, GetTitle, Title, UnknownTitle
from cuemark.contracts.catalog.works import AdmittedWorks, AdmitWorks
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion, Version
from cuemark.contracts.experiments import Experiments
from cuemark.contracts.ids import AccountId, ApplianceId, PlaySessionId, ProfileId, TitleId
from cuemark.contracts.licensing import Licensing, ProvisionKeys
from cuemark.contracts.playback import GetManifest, Play, Playback, StartPlay
from cuemark.contracts.protection import System
from cuemark.contracts.rights import Rights
from cuemark.contracts.steering import Steering
from cuemark.contracts.steering.reports import Report
from cuemark.contracts.viewers import GetResumePoint, ResumePoint, Viewers
from cuemark.kit.cat import TokenKey
from cuemark.kit.channel import Channel
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.link import connect
from cuemark.kit.outbox import Log
from tests.contract.conftest import Reach
from tests.databases import opened
from tests.unit.gateway.neighbours.billing import Till
from tests.unit.gateway.neighbours.rights import Notary
from tests.unit.playback.versions import version
from tests.unit.steering.teller import untold
from tests.vaults import vault_of

OWNER, PROFILE = AccountId("acc_owner"), ProfileId("prf_owner")
FILM, UNPUBLISHED = TitleId("ttl_film"), TitleId("ttl_unpublished")
EDGE = ApplianceId("edge-a")
OWNERS = (experiments_wiring, licensing_wiring, steering_wiring, wiring)
FINGERPRINT_KEY = b"f" * 32
LICENCE_URL = "https://watch.test/api/v1/plays/x/licence"


class Shelf:
    """Titles, versions and resume points in memory, as far as a play asks for them."""

    def __init__(self, clock: ManualClock) -> None:
        self._version: Version = version()
        self.versions = {self._version.version_id: self._version}
        self.asked_versions = 0
        self.position_s = 0.0
        self.answers_after_s = 0.0
        self._created_at = clock.now()
        self.launched = True
        self.age = 0

    @property
    def version(self) -> Version:
        """What is published."""
        return self._version

    @version.setter
    def version(self, version: Version) -> None:
        self._version = version
        self.versions[version.version_id] = version

    async def get_title(self, request: GetTitle) -> Title:
        if request.title_id not in (FILM, UNPUBLISHED):
            raise UnknownTitle("No title has this id.")
        published = request.title_id == FILM
        return Title(
            title_id=request.title_id,
            name="The Film",
            synopsis="",
            created_at=self._created_at,
            version_id=self.version.version_id if published else None,
            duration_s=self.version.duration_s,
            launched=self.launched,
        )

    async def admit_works(self, request: AdmitWorks) -> AdmittedWorks:
        admitted = request.work_ids if self.age <= request.maturity else []
        return AdmittedWorks(work_ids=admitted)

    async def get_version(self, request: GetVersion) -> Version:
        self.asked_versions += 1
        if request.version_id not in self.versions:
            raise UnknownVersion("No version has this id.")
        return self.versions[request.version_id]

    async def get_resume_point(self, request: GetResumePoint) -> ResumePoint:
        await asyncio.sleep(self.answers_after_s)
        return ResumePoint(position_s=self.position_s)


class House:
    """A playback service and its neighbours, each of which can be taken away."""

    def __init__(self, database: Database, clock: ManualClock, closed: Channel) -> None:
        self.database = database
        self.clock = clock
        self.shelf = Shelf(clock)
        self.notary = Notary(clock)
        self.till = Till(clock)
        self._closed = closed
        licences = licensing_wiring.build(
            database=database,
            clock=clock,
            rights=cast(Rights, _Switch(self, Rights)),
            catalog=cast(Catalog, _Switch(self, Catalog)),
            vault=vault_of(),
        )
        self.licensing = licences.service
        self.readers_of_licensing = licences.followers
        self.steering = steering_wiring.build(
            database=database,
            log=Log(clock),
            clock=clock,
            fill=untold(),
            appliance_ids=(EDGE, ApplianceId("edge-b")),
            token_keys=[TokenKey("k1", b"1" * 32)],
        ).service
        self.experiments = experiments_wiring.build(database, clock, Ids(clock)).service
        self.neighbours: dict[type[Any], object] = {
            Billing: self.till,
            Catalog: self.shelf,
            Encoding: self.shelf,
            Viewers: self.shelf,
            Licensing: self.licensing,
            Rights: self.notary,
            Steering: self.steering,
            Experiments: self.experiments,
        }

    def take_away(self, contract: type[Any]) -> None:
        self.neighbours[contract] = connect(contract, self._closed)

    def build(
        self, offer: wiring.Offer = wiring.CLEARKEY_ALONE, *, sells: bool = False
    ) -> Playback:
        """``sells``: a play needs a plan, of the till that stands for billing."""
        return wiring.build(
            database=self.database,
            log=Log(self.clock),
            clock=self.clock,
            ids=Ids(self.clock),
            catalog=cast(Catalog, _Switch(self, Catalog)),
            encoding=cast(Encoding, _Switch(self, Encoding)),
            experiments=cast(Experiments, _Switch(self, Experiments)),
            licensing=cast(Licensing, _Switch(self, Licensing)),
            rights=cast(Rights, _Switch(self, Rights)),
            steering=cast(Steering, _Switch(self, Steering)),
            viewers=cast(Viewers, _Switch(self, Viewers)),
            fingerprint_key=FINGERPRINT_KEY,
            offer=offer,
            billing=cast(Billing, _Switch(self, Billing)) if sells else None,
        ).service

    async def report(self, appliance_id: ApplianceId = EDGE, in_flight: int = 0) -> None:
        await self.steering.report(
            Report(
                appliance_id=appliance_id,
                url=f"http://{appliance_id}.test:8081",
                healthy=True,
                in_flight=in_flight,
                inventory_revision=1,
                versions=[self.shelf.version.version_id],
            )
        )

    async def kids(self) -> list[str]:
        made = await self.licensing.provision_keys(
            ProvisionKeys(version_id=self.shelf.version.version_id, labels=["AUDIO", "SD", "HD"])
        )
        return [key.kid for key in made.keys]


class _Switch:
    """Whoever stands for a contract in the house just now."""

    def __init__(self, house: House, contract: type[Any]) -> None:
        self._house = house
        self._contract = contract

    def __getattr__(self, name: str) -> Any:
        return getattr(self._house.neighbours[self._contract], name)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of ours on which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
async def house(database_url: str, closed_port: int) -> AsyncIterator[House]:
    async with (
        opened(database_url, *OWNERS) as database,
        Channel(f"http://127.0.0.1:{closed_port}", lambda: "") as closed,
    ):
        house = House(database, ManualClock(), closed)
        await house.report()
        yield house


@pytest.fixture
async def playback(house: House, reach: Reach) -> Playback:
    return await reach(Playback, house.build())


async def start(playback: Playback, title_id: TitleId = FILM, device: str = "") -> Play:
    return await playback.start(
        StartPlay(account_id=OWNER, profile_id=PROFILE, title_id=title_id, device=device)
    )


async def manifest(
    playback: Playback,
    session_id: PlaySessionId,
    form: str = "dash",
    account: AccountId = OWNER,
    system: System | None = None,
    steering_url: str = "",
) -> str:
    request = msgspec.convert(
        {
            "session_id": session_id,
            "account_id": account,
            "format": form,
            "licence_url": LICENCE_URL,
            "system": system,
            "steering_url": steering_url,
        },
        GetManifest,
    )
    return (await playback.get_manifest(request)).text
