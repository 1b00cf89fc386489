"""The use cases of playback.

What a play does when a neighbour is away:
    catalog     while it is played by a profile that has a bound: it gets no manifest
    viewers     starts from the beginning
    encoding    a version that was played lately is remembered; any other cannot be played now, and
                no session of it named
    catalog, rights, steering, licensing
                cannot be played now (``CannotPlayNow``): there is no right, no appliance or no key
    rights      while it is played: it goes on as long as its right was told to last
    billing     where plans are sold: what it said last of the account holds for six hours
    licensing   at the end of a play: the licences end by their own time
    identity    that a login has ended is told by the log: until then its plays go on
"""

from datetime import timedelta

import msgspec
import structlog

from cuemark.contexts.playback import store
from cuemark.contexts.playback.model import streams
from cuemark.contexts.playback.model.protection import Offer
from cuemark.contexts.playback.model.session import HEARD_EVERY, SILENT_AFTER, Session
from cuemark.contexts.playback.service.films import Films
from cuemark.contexts.playback.service.levels import Levels
from cuemark.contexts.playback.service.naming import NamingService
from cuemark.contexts.playback.service.parts import Neighbours
from cuemark.contexts.playback.service.plans import Plans
from cuemark.contexts.playback.service.rights import RightToPlay
from cuemark.contexts.playback.service.starting import Starting
from cuemark.contexts.playback.store import devices
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.identity.profiles import MaturitySet, ProfileDeleted
from cuemark.contracts.ids import (
    PLAY_SESSION_KIND,
    AccountId,
    ApplianceId,
    PlaySessionId,
    ProfileId,
)
from cuemark.contracts.licensing import CloseLicences
from cuemark.contracts.playback import (
    TOPIC,
    EndPlay,
    GetManifest,
    GetPlay,
    GetRedirectedManifest,
    ListOwnPlays,
    ListPlays,
    Manifest,
    NameSessions,
    Naming,
    OwnPlayPage,
    Play,
    Playback,
    PlayEnded,
    PlayPage,
    PlayState,
    PlayStopped,
    RunningPlay,
    StartPlay,
    StopPlay,
    UnknownPlay,
)
from cuemark.contracts.playback.devices import DeviceList, ListDevices
from cuemark.contracts.steering import RankedAppliance
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids, is_id
from cuemark.kit.outbox import Entry, Log
from cuemark.kit.pages import checked_limit

REDIRECTED = ApplianceId("redirected")
"""What stands in a manifest for whichever appliance a request is sent to."""


class PlaybackService(Playback):
    """Playback sessions in PostgreSQL; every session tells the log that it started."""

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        ids: Ids,
        neighbours: Neighbours,
        offer: Offer,
        fingerprint_key: bytes,
        plans: Plans | None = None,
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ask = neighbours
        self._right = RightToPlay(neighbours.rights)
        self._levels = Levels(neighbours.catalog)
        self._films = Films(neighbours.encoding, offer)
        self._naming = NamingService(database, fingerprint_key, self._films.asked)
        self._starting = Starting(
            database, log, clock, ids, neighbours, self._films, offer, fingerprint_key, plans
        )

    async def start(self, request: StartPlay) -> Play:
        return await self._starting.start(request)

    async def get_manifest(self, request: GetManifest) -> Manifest:
        session = await self._entitled(request.session_id, request.account_id)
        await self._levels.check_running(session.title_id, request.maturity, session.territory)
        steering_url = session.steering_address(request.steering_url)
        draft = await self._films.draft(session, request.format, request.system)
        return Manifest(text=draft.fill(session.ranking, request.licence_url, steering_url))

    async def get_redirected_manifest(self, request: GetRedirectedManifest) -> Manifest:
        session = await self._entitled(request.session_id, None)
        everywhere = RankedAppliance(appliance_id=REDIRECTED, media_url=request.media_url)
        draft = await self._films.draft(session, request.format, request.system)
        return Manifest(text=draft.fill([everywhere], request.licence_url))

    async def get_play(self, request: GetPlay) -> PlayState:
        session = await self._running(request.session_id, request.account_id)
        return PlayState(
            session_id=session.session_id,
            title_id=session.title_id,
            profile_id=session.profile_id,
            duration_s=session.duration_s,
        )

    async def list_plays(self, request: ListPlays) -> PlayPage:
        now = self._clock.now()
        limit = checked_limit(request.limit)
        after = request.after.replace("\0", "")
        async with self._database.transaction() as transaction:
            found = await store.latest(transaction, after, now, now - SILENT_AFTER, limit + 1)
        plays = [
            RunningPlay(
                session_id=session.session_id,
                title_id=session.title_id,
                version_id=session.version_id,
                device=session.device,
                appliances=[appliance.appliance_id for appliance in session.ranking],
                started_at=session.started_at,
                heard_at=session.heard_at or session.started_at,
                trace_id=session.trace_id,
            )
            for session in found[:limit]
        ]
        more = len(found) > limit
        return PlayPage(plays=plays, next_cursor=plays[-1].session_id if more else "")

    async def list_own_plays(self, request: ListOwnPlays) -> OwnPlayPage:
        limit = checked_limit(request.limit)
        after = request.after.replace("\0", "")
        async with self._database.transaction() as transaction:
            found = await store.own(transaction, request.account_id, after, limit + 1)
        plays = found[:limit]
        more = len(found) > limit
        return OwnPlayPage(plays=plays, next_cursor=plays[-1].session_id if more else "")

    async def list_devices(self, request: ListDevices) -> DeviceList:
        async with self._database.transaction() as transaction:
            return DeviceList(devices=await devices.of_account(transaction, request.account_id))

    async def follow(self, transaction: Transaction, entry: Entry) -> None:
        """Plays of an account or a profile that is no more end, and are nobody's; those end that
        have come to be above the level of their profile. Idempotent.

        Licensing follows the end of an account, too, so that no licence is left open.
        """
        if entry.kind == AccountDeleted.__name__:
            deleted = msgspec.json.decode(entry.body, type=AccountDeleted)
            await self._erase(transaction, deleted.account_id, None)
        elif entry.kind == ProfileDeleted.__name__:
            gone = msgspec.json.decode(entry.body, type=ProfileDeleted)
            for session_id in await self._erase(transaction, gone.account_id, gone.profile_id):
                await self._close_licences(session_id)
        elif entry.kind == MaturitySet.__name__:
            await self._hold_to(msgspec.json.decode(entry.body, type=MaturitySet))

    async def _hold_to(self, level: MaturitySet) -> None:
        """End the plays of a profile that are not for it any more; raises ``Unavailable``."""
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            running = await store.of_profile(transaction, level.account_id, level.profile_id, now)
        for territory in sorted({each.territory for each in running}):
            there = [each for each in running if each.territory == territory]
            titles = [*{each.title_id for each in there}]
            above = await self._levels.above(titles, level.maturity, territory)
            for each in there:
                if each.title_id in above:
                    await self._end(each.session_id, None)
                    structlog.get_logger().info("play_above_level", session_id=each.session_id)

    async def _erase(
        self, transaction: Transaction, account_id: AccountId, profile_id: ProfileId | None
    ) -> list[PlaySessionId]:
        now = self._clock.now()
        if profile_id is None:
            await devices.forget(transaction, account_id)
            await store.forget_placing(transaction, account_id)
        ran = await store.erase(transaction, account_id, profile_id, now)
        for session_id, expires_at in ran:
            stopped = PlayStopped(session_id=session_id, stopped_at=now, expires_at=expires_at)
            await self._log.append(transaction, TOPIC, session_id, stopped)
        return [session_id for session_id, _ in ran]

    async def end(self, request: EndPlay) -> PlayEnded:
        return await self._end(request.session_id, request.account_id)

    async def stop(self, request: StopPlay) -> PlayEnded:
        return await self._end(request.session_id, None)

    async def name_sessions(self, request: NameSessions) -> Naming:
        return await self._naming.name(request)

    async def _end(self, session_id: PlaySessionId, account_id: AccountId | None) -> PlayEnded:
        """End a play of an account, or anyone's: its tokens and licences too."""
        if not is_id(session_id, PLAY_SESSION_KIND):
            raise _unknown()
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            expires_at = await store.end(transaction, session_id, account_id, now)
            if expires_at is None:
                raise _unknown()
            stopped = PlayStopped(session_id=session_id, stopped_at=now, expires_at=expires_at)
            await self._log.append(transaction, TOPIC, session_id, stopped)
        await self._close_licences(session_id)
        return PlayEnded()

    async def _close_licences(self, session_id: PlaySessionId) -> None:
        try:
            await self._ask.licensing.close_licences(CloseLicences(session_id=session_id))
        except Unavailable:
            structlog.get_logger().warning("licences_left_open", session_id=session_id)

    async def _running(self, session_id: PlaySessionId, account_id: AccountId | None) -> Session:
        """The account's session, or ``UnknownPlay`` in the same words for every other case.

        Without an account it may be anyone's.
        """
        session = None
        if is_id(session_id, PLAY_SESSION_KIND):
            now = self._clock.now()
            session = await store.running(self._database, session_id, account_id, now)
            # A clock that was set back is no reason to say nothing for long.
            if session and not timedelta() <= now - streams.heard_at(session) < HEARD_EVERY:
                going_on = await store.heard(self._database, session_id, now)
                session = session if going_on else None
        if session is None:
            raise _unknown()
        return session

    async def _entitled(self, session_id: PlaySessionId, account_id: AccountId | None) -> Session:
        """The running session, while it has its right; raises ``UnknownPlay`` and ``NoRight``."""
        session = await self._running(session_id, account_id)
        await self._right.check_running(session)
        return session


def _unknown() -> UnknownPlay:
    return UnknownPlay("This account has no such playback session, or it is over.")
