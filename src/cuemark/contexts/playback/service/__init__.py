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
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from cuemark.contexts.playback import store
from cuemark.contexts.playback.model import dash, fingerprint, hls, protection
from cuemark.contexts.playback.model.plan import STREAM_LEASE, within_height
from cuemark.contexts.playback.model.protection import Offer
from cuemark.contexts.playback.model.session import (
    HEARD_EVERY,
    MAX_DEVICE_CHARS,
    SILENT_AFTER,
    Session,
    end_of,
    resume_of,
)
from cuemark.contexts.playback.service.levels import Levels
from cuemark.contexts.playback.service.naming import NamingService
from cuemark.contexts.playback.service.plans import Plans
from cuemark.contexts.playback.service.rights import RightToPlay, not_now
from cuemark.contracts.catalog import Catalog, GetTitle, Title, UnknownTitle
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.versions import GetVersion, UnknownVersion, Version
from cuemark.contracts.identity.changing import AccountDeleted
from cuemark.contracts.identity.profiles import MaturitySet, ProfileDeleted
from cuemark.contracts.ids import (
    PLAY_SESSION_KIND,
    AccountId,
    ApplianceId,
    PlaySessionId,
    ProfileId,
    TitleId,
    VersionId,
)
from cuemark.contracts.licensing import CloseLicences, Licensing, OpenLicences
from cuemark.contracts.playback import (
    TOPIC,
    CannotPlay,
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
    PlayStarted,
    PlayState,
    PlayStopped,
    RunningPlay,
    StartPlay,
    StopPlay,
    TooManyStreams,
    UnknownPlay,
)
from cuemark.contracts.protection import Robustness
from cuemark.contracts.rights import Rights
from cuemark.contracts.steering import Rank, RankedAppliance, Ranking, Steering
from cuemark.contracts.viewers import GetResumePoint, Viewers
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import Unavailable
from cuemark.kit.ids import Ids, is_id
from cuemark.kit.outbox import Entry, Log
from cuemark.kit.pages import checked_limit
from cuemark.kit.tracing import current_trace_id

RESUME_POINT_S = 0.3
CACHED_VERSIONS = 256
REDIRECTED = ApplianceId("redirected")
"""What stands in a manifest for whichever appliance a request is sent to."""


@dataclass(frozen=True)
class Neighbours:
    """The contexts that a play asks."""

    catalog: Catalog
    encoding: Encoding
    licensing: Licensing
    rights: Rights
    steering: Steering
    viewers: Viewers


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
        self._ids = ids
        self._ask = neighbours
        self._offer = offer
        self._fingerprint_key = fingerprint_key
        self._right = RightToPlay(neighbours.rights)
        self._levels = Levels(neighbours.catalog)
        self._plans = plans
        self._naming = NamingService(database, fingerprint_key, self._described)
        self._versions: OrderedDict[VersionId, Version] = OrderedDict()

    async def start(self, request: StartPlay) -> Play:
        title, version_id = await self._published(request.title_id)
        await self._levels.check_start(title.title_id, request.maturity, request.territory)
        allowance = None
        if self._plans is not None:
            found = await self._plans.entitlement(request.account_id)
            allowance = found.allowance
        session_id = PlaySessionId(self._ids.new(PLAY_SESSION_KIND))
        now = self._clock.now()
        right = await self._right.check_start(title, request.territory)
        expires_at = end_of(now, title.duration_s)
        if right.ends_at is not None:
            expires_at = min(expires_at, right.ends_at)
        rank = Rank(
            session_id=session_id,
            version_id=version_id,
            expires_at=expires_at,
            networks=request.networks,
            client_address=request.client_address,
        )
        try:
            async with asyncio.TaskGroup() as group:
                version_asked = group.create_task(self._version(version_id))
                ranking_asked = group.create_task(self._rank(title, rank, version_asked))
                position_asked = group.create_task(self._position_s(request, session_id))
                group.create_task(self._open_licences(session_id, request, version_id, expires_at))
        except ExceptionGroup as refusals:
            raise refusals.exceptions[0] from None
        version, ranked = version_asked.result(), ranking_asked.result()
        level = protection.level_of(version, self._offer, request.robustness)
        self._check_level(title, version, level)
        session = Session(
            session_id=session_id,
            account_id=request.account_id,
            profile_id=request.profile_id,
            title_id=title.title_id,
            version_id=version_id,
            duration_s=version.duration_s,
            device=request.device.replace("\0", "")[:MAX_DEVICE_CHARS],
            ranking=ranked.appliances,
            started_at=now,
            expires_at=expires_at,
            trace_id=current_trace_id(),
            robustness=level,
            steering_token=ranked.steering_token,
            territory=request.territory,
            max_height=allowance.max_height if allowance else 0,
        )
        await self._record(session, ranked.led_past, allowance.streams if allowance else 0)
        return Play(
            session_id=session_id,
            title_id=title.title_id,
            version_id=version_id,
            duration_s=version.duration_s,
            resume_s=resume_of(position_asked.result(), version.duration_s),
            appliances=[appliance.appliance_id for appliance in ranked.appliances],
            expires_at=expires_at,
            systems=protection.offered(version, self._offer),
            redirect_token=ranked.redirect_token,
        )

    async def get_manifest(self, request: GetManifest) -> Manifest:
        session = await self._entitled(request.session_id, request.account_id)
        await self._levels.check_running(session.title_id, request.maturity, session.territory)
        steering = session.steering_address(request.steering_url)
        return await self._described_to(session, session.ranking, request, steering)

    async def get_redirected_manifest(self, request: GetRedirectedManifest) -> Manifest:
        session = await self._entitled(request.session_id, None)
        everywhere = RankedAppliance(appliance_id=REDIRECTED, media_url=request.media_url)
        return await self._described_to(session, [everywhere], request, "")

    async def _described_to(
        self,
        session: Session,
        ranking: Sequence[RankedAppliance],
        request: GetManifest | GetRedirectedManifest,
        steering_url: str,
    ) -> Manifest:
        version = await self._version(session.version_id)
        # Keys of an HLS playlist that names none to a system are in the clear.
        in_clear = request.format == "hls" and request.system is None
        level = "software" if in_clear else session.robustness
        version = within_height(protection.within(version, level, self._offer), session.max_height)
        if request.format == "dash":
            text = dash.manifest(version, ranking, request.licence_url, self._offer, steering_url)
            return Manifest(text=text)
        if request.system is None and not self._offer.clearkey:
            raise CannotPlay("This service gives no keys in the clear: ask for a DRM system's.")
        if request.system and request.system not in protection.of_hls(version, self._offer):
            raise CannotPlay(f"This title has no playlists for {request.system}.")
        text = hls.manifest(version, ranking, request.licence_url, request.system, steering_url)
        return Manifest(text=text)

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

    def _check_level(self, title: Title, version: Version, level: Robustness) -> None:
        """Raises ``CannotPlay`` where a device of this level may have no picture, or no sound."""
        left = protection.within(version, level, self._offer)
        if not left.renditions or (version.audio and not left.audio):
            raise CannotPlay(
                f"{title.name} plays only on devices that protect its keys by hardware."
            )

    async def _running(self, session_id: PlaySessionId, account_id: AccountId | None) -> Session:
        """The account's session, or ``UnknownPlay`` in the same words for every other case.

        Without an account it may be anyone's.
        """
        session = None
        if is_id(session_id, PLAY_SESSION_KIND):
            now = self._clock.now()
            async with self._database.transaction() as transaction:
                session = await store.running(transaction, session_id, account_id, now)
                if session is not None:
                    await store.heard(transaction, session_id, now, HEARD_EVERY)
        if session is None:
            raise _unknown()
        return session

    async def _entitled(self, session_id: PlaySessionId, account_id: AccountId | None) -> Session:
        """The running session, while it has its right; raises ``UnknownPlay`` and ``NoRight``."""
        session = await self._running(session_id, account_id)
        await self._right.check_running(session)
        return session

    async def _record(self, session: Session, led_past: bool, streams: int) -> None:
        """``streams`` is how many plays of the account may run at once, 0 for any number."""
        started = PlayStarted(
            session_id=session.session_id,
            account_id=session.account_id,
            title_id=session.title_id,
            version_id=session.version_id,
            started_at=session.started_at,
            led_past=led_past,
        )
        async with self._database.transaction() as transaction:
            if streams:
                heard_since = session.started_at - STREAM_LEASE
                run = await store.streams_of(transaction, session.account_id, heard_since)
                if run >= streams:
                    raise TooManyStreams(f"Your plan allows {streams} at once: end another play.")
            await store.add(transaction, session)
            await self._log.append(transaction, TOPIC, session.session_id, started)

    async def _published(self, title_id: TitleId) -> tuple[Title, VersionId]:
        try:
            title = await self._ask.catalog.get_title(GetTitle(title_id=title_id))
        except UnknownTitle:
            raise CannotPlay("There is no such title.") from None
        except Unavailable as away:
            raise not_now("The catalog does not answer", away) from away
        if not title.launched:
            raise CannotPlay("There is no such title.")
        if title.version_id is None:
            raise CannotPlay(f"{title.name} is not ready to be played yet.")
        return title, title.version_id

    async def _version(self, version_id: VersionId) -> Version:
        try:
            return await self._described(version_id)
        except UnknownVersion:
            raise CannotPlay("The published version of this title is gone.") from None
        except Unavailable as away:
            raise not_now("The version's description cannot be read", away) from away

    async def _described(self, version_id: VersionId) -> Version:
        """The version; an immutable one is asked for once while it is in use.

        Raises ``UnknownVersion`` and ``Unavailable``.
        """
        if version_id in self._versions:
            self._versions.move_to_end(version_id)
            return self._versions[version_id]
        version = await self._ask.encoding.get_version(GetVersion(version_id=version_id))
        self._versions[version_id] = version
        if len(self._versions) > CACHED_VERSIONS:
            self._versions.popitem(last=False)
        return version

    async def _rank(
        self, title: Title, request: Rank, version_asked: asyncio.Task[Version]
    ) -> Ranking:
        """The appliances; the tokens of a marked version know the session's variants."""
        if (await version_asked).marked:
            coins = fingerprint.row(self._fingerprint_key, request.session_id)
            request = msgspec.structs.replace(request, variants=coins)
        try:
            ranking = await self._ask.steering.rank(request)
        except Unavailable as away:
            raise not_now("No appliance can be chosen", away) from away
        if not ranking.appliances:
            raise CannotPlay(f"No appliance has {title.name} at hand yet: try again in a minute.")
        return ranking

    async def _open_licences(
        self,
        session_id: PlaySessionId,
        request: StartPlay,
        version_id: VersionId,
        expires_at: datetime,
    ) -> None:
        try:
            await self._ask.licensing.open_licences(
                OpenLicences(
                    session_id=session_id,
                    account_id=request.account_id,
                    version_id=version_id,
                    expires_at=expires_at,
                    robustness=request.robustness,
                    title_id=request.title_id,
                    territory=request.territory,
                )
            )
        except Unavailable as away:
            raise not_now("Licences cannot be issued", away) from away

    async def _position_s(self, request: StartPlay, session_id: PlaySessionId) -> float:
        """Where the profile stopped; the beginning, where viewers does not say so in time."""
        wanted = GetResumePoint(profile_id=request.profile_id, title_id=request.title_id)
        try:
            with deadline(RESUME_POINT_S):
                async with asyncio.timeout(RESUME_POINT_S):
                    return (await self._ask.viewers.get_resume_point(wanted)).position_s
        except (Unavailable, TimeoutError):
            structlog.get_logger().warning("resume_point_unknown", session_id=session_id)
            return 0.0


def _unknown() -> UnknownPlay:
    return UnknownPlay("This account has no such playback session, or it is over.")
