"""A process of an install as far as plays go, and the neighbours that may fail it."""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeVar, cast

from cuemark.contexts.billing.service import BillingService
from cuemark.contexts.licensing import wiring as licensing
from cuemark.contexts.licensing.wiring import MasterKey, Vault
from cuemark.contexts.playback import wiring as playback
from cuemark.contexts.playback.service.ending import RightsKeeper
from cuemark.contexts.playback.service.logins import LoginsKeeper
from cuemark.contexts.rights import wiring as rights
from cuemark.contexts.steering import wiring as steering
from cuemark.contracts.billing import Billing
from cuemark.contracts.billing.subscriptions import Entitlement, GetEntitlement
from cuemark.contracts.catalog import Catalog, GetTitle, Title
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.versions import (
    AudioTrack,
    GetVersion,
    Rendition,
    Timeline,
    Version,
)
from cuemark.contracts.experiments import Allocate, Cells, Experiments
from cuemark.contracts.fill import Fill, GetHeld, Held
from cuemark.contracts.identity import TOPIC as IDENTITY
from cuemark.contracts.identity.logins import LoginEnded
from cuemark.contracts.ids import AccountId, ApplianceId, LoginId, TitleId, VersionId
from cuemark.contracts.licensing import Licensing, ProvisionKeys
from cuemark.contracts.rights import LicenceType, Rights
from cuemark.contracts.steering import Steering
from cuemark.contracts.steering.reports import Report
from cuemark.contracts.viewers import GetResumePoint, ResumePoint, Viewers
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from cuemark.lab.billing.memory import MemoryBooks
from cuemark.lab.plays.turns import TurnedDatabase

EDGE, VERSION = ApplianceId("edge-a"), VersionId("ver_lab")
TOKEN_KEY = TokenKey("k1", b"1" * 32)
PLAN: frozenset[LicenceType] = frozenset({"SVOD", "AVOD", "FVOD"})
TERMS = rights.Terms(plan=PLAN)
LATE_S = 20
OWNERS = (licensing, playback, rights, steering)

Fault = Literal["away", "late", "lost"]
"""It is not asked, it answers when nobody waits any more, or its answer is lost."""
FAILING: tuple[type[Any], ...] = (Billing, Catalog, Encoding, Licensing, Rights, Steering, Viewers)

T = TypeVar("T")


class Shelf:
    """Every title there is, with one version; nobody has watched anything."""

    def __init__(self, version: Version) -> None:
        self._version = version

    async def get_title(self, request: GetTitle) -> Title:
        return Title(
            title_id=request.title_id,
            name="The Film",
            synopsis="",
            created_at=self._version.published_at,
            version_id=self._version.version_id,
            duration_s=self._version.duration_s,
        )

    async def get_version(self, request: GetVersion) -> Version:
        return self._version

    async def get_resume_point(self, request: GetResumePoint) -> ResumePoint:
        return ResumePoint(position_s=0)

    async def allocate(self, request: Allocate) -> Cells:
        return Cells()


class _Nothing:
    """Fill, to which nobody told anything."""

    async def get_held(self, request: GetHeld) -> Held:
        return Held()


class Fate(Protocol):
    """What becomes of a question; None where nothing befalls it."""

    def __call__(self, process: int, contract: type[Any]) -> Fault | None: ...


class _Heard:
    """Billing, of whose answers it is known what they can say."""

    def __init__(
        self, billing: BillingService, asking: Callable[[AccountId], AbstractContextManager[None]]
    ) -> None:
        self._billing = billing
        self._asking = asking

    async def get_entitlement(self, request: GetEntitlement) -> Entitlement:
        with self._asking(request.account_id):
            return await self._billing.get_entitlement(request)


class _Failing:
    """A service as a process reaches it."""

    def __init__(self, service: object, befalls: Callable[[], Fault | None]) -> None:
        self._service = service
        self._befalls = befalls

    def __getattr__(self, name: str) -> Any:
        async def ask(request: object) -> Any:
            fault = self._befalls()
            if fault == "away":
                raise Unavailable("nobody is there")
            answer = await getattr(self._service, name)(request)
            if fault == "late":
                await asyncio.sleep(LATE_S)
            if fault:
                raise Unavailable("the answer does not come")
            return answer

        return ask


@dataclass(frozen=True)
class Install:
    """What both processes share. ``fate`` decides what of their questions fails, and ``asking`` is
    entered while billing is asked of an account."""

    database: TurnedDatabase
    books: MemoryBooks
    version: Version
    rng: random.Random
    fate: Fate
    asking: Callable[[AccountId], AbstractContextManager[None]]


class Process:
    """All rooms that a play needs, by a clock of the process's own."""

    def __init__(self, number: int, install: Install, clock: ManualClock) -> None:
        self.number = number
        self.clock = clock
        self._fate = install.fate
        database, log, ids = install.database, Log(clock), Ids(clock, install.rng)
        shelf = Shelf(install.version)
        self.rights = rights.build(database, log, clock, TERMS).service
        self.billing = BillingService(install.books, None, clock, ids)
        asked = self._failing(Rights, self.rights)
        licences = licensing.build(
            database=database,
            clock=clock,
            rights=asked,
            catalog=cast(Catalog, shelf),
            vault=vault(),
        )
        self.licensing = licences.service
        steers = steering.build(
            database=database,
            log=log,
            clock=clock,
            fill=cast(Fill, _Nothing()),
            appliance_ids=[EDGE],
            token_keys=[TOKEN_KEY],
        )
        self.steering = steers.service
        plays = playback.build(
            database=database,
            log=log,
            clock=clock,
            ids=ids,
            catalog=self._failing(Catalog, cast(Catalog, shelf)),
            encoding=self._failing(Encoding, cast(Encoding, shelf)),
            experiments=cast(Experiments, shelf),
            licensing=self._failing(Licensing, self.licensing),
            rights=asked,
            steering=self._failing(Steering, self.steering),
            viewers=self._failing(Viewers, cast(Viewers, shelf)),
            fingerprint_key=b"f" * 32,
            billing=self._failing(Billing, cast(Billing, _Heard(self.billing, install.asking))),
        )
        self.playback = plays.service
        self.followers: list[Follower] = [
            follower
            for room in (licences, steers, plays)
            for follower in room.followers
            if not follower.name.endswith(("leavers", "versions"))
        ]
        self.keepers = (
            RightsKeeper(database, clock, asked, self.playback),
            LoginsKeeper(database, clock, self.playback),
        )
        self._database, self._log = database, log

    async def end_login(self, account_id: AccountId, login_id: LoginId) -> None:
        """What identity tells where a login ends."""
        ended = LoginEnded(account_id=account_id, login_id=login_id)
        async with self._database.transaction() as transaction:
            await self._log.append(transaction, IDENTITY, account_id, ended)

    def _failing(self, contract: type[T], service: T) -> T:
        return cast(T, _Failing(service, lambda: self._fate(self.number, contract)))


async def stocked(database: Database) -> dict[str, str]:
    """An appliance has the version, and its keys are made: their ids by their labels."""
    clock = ManualClock()
    steers = steering.build(
        database=database,
        log=Log(clock),
        clock=clock,
        fill=cast(Fill, _Nothing()),
        appliance_ids=[EDGE],
        token_keys=[TOKEN_KEY],
    )
    await steers.service.report(
        Report(
            appliance_id=EDGE,
            url="http://edge-a.test:8081",
            healthy=True,
            in_flight=0,
            inventory_revision=1,
            versions=[VERSION],
        )
    )
    licences = licensing.build(
        database=database,
        clock=clock,
        rights=rights.build(database, Log(clock), clock, TERMS).service,
        catalog=cast(Catalog, None),
        vault=vault(),
    )
    labels = ["AUDIO", "SD"]
    asked = ProvisionKeys(version_id=VERSION, labels=labels)
    made = await licences.service.provision_keys(asked)
    return {key.label: key.kid for key in made.keys}


def vault() -> Vault:
    return Vault(lambda: [MasterKey(bytes(32))], lambda number: None, lambda number: None)


def version(kids: dict[str, str]) -> Version:
    """Of a picture and a sound, under keys of these ids by their labels."""
    return Version(
        version_id=VERSION,
        title_id=TitleId("ttl_lab"),
        quality="full",
        duration_s=6000,
        frame_rate="24",
        renditions=[
            Rendition(
                rendition_id="v540",
                codec="h264",
                codec_string="avc1.64001f",
                width=960,
                height=540,
                bitrate_kbps=900,
                peak_bitrate_kbps=1200,
                vmaf_mean=90,
                vmaf_p5=80,
                vmaf_predicted=90,
                kid=kids["SD"],
                label="SD",
            )
        ],
        audio=[
            AudioTrack(
                track_id="a-en",
                codec_string="mp4a.40.2",
                language="en",
                channels=2,
                sample_rate_hz=48000,
                bitrate_kbps=128,
                kid=kids["AUDIO"],
            )
        ],
        captions=[],
        video_timeline=Timeline(timescale=1, start=0, durations=[4, 4]),
        audio_timeline=Timeline(timescale=48000, start=0, durations=[192000, 192000]),
        scheme="cbcs",
        artwork_key="",
        index_blake3="b3",
        published_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
