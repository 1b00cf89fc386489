"""The start of a play: all its parts are asked at once, as far as one does not need another."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
import structlog

from cuemark.contexts.playback import store
from cuemark.contexts.playback.model import entitlement, fingerprint, protection, streams
from cuemark.contexts.playback.model.protection import Offer
from cuemark.contexts.playback.model.rights import Asked
from cuemark.contexts.playback.model.session import (
    MAX_DEVICE_CHARS,
    MAX_DEVICE_ID_CHARS,
    MAX_LOGIN_ID_CHARS,
    Session,
    end_of,
    resume_of,
)
from cuemark.contexts.playback.model.streams import Place
from cuemark.contexts.playback.service.films import Films
from cuemark.contexts.playback.service.lately import Lately
from cuemark.contexts.playback.service.levels import Levels
from cuemark.contexts.playback.service.parts import (
    APPLIANCES,
    CATALOG,
    CELLS,
    LICENCES,
    POSITION,
    Neighbours,
    asked,
    needed,
)
from cuemark.contexts.playback.service.plans import Allowed, Plans
from cuemark.contexts.playback.service.rights import RightToPlay, allowed
from cuemark.contexts.playback.store import devices, plans
from cuemark.contracts.billing.plans import Allowance
from cuemark.contracts.catalog import GetTitle, Title, UnknownTitle
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.experiments import Allocate, Cells
from cuemark.contracts.experiments.settings import defaults
from cuemark.contracts.ids import PLAY_SESSION_KIND, AccountId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.licensing import CloseLicences, OpenLicences
from cuemark.contracts.playback import (
    TOPIC,
    CannotPlay,
    CannotPlayNow,
    Play,
    PlayStarted,
    PlayStopped,
    StartPlay,
)
from cuemark.contracts.playback.devices import Capabilities
from cuemark.contracts.playback.streams import TooManyStreams
from cuemark.contracts.rights import Decisions
from cuemark.contracts.steering import Rank, Ranking
from cuemark.contracts.viewers import GetResumePoint
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.errors import ContractError, Refusal, Unavailable
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.tracing import current_trace_id

SEEN_EVERY = timedelta(hours=1)
"""A device that says nothing new is written down as often."""
MOST_TRIES = 50
"""As many plays of one account can begin at the same moment."""
NO_PLAN = Allowed(Allowance(streams=streams.ANY_NUMBER))
"""Where no plans are sold."""

T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What a play is of, and what speaks for it."""

    title: Title
    version: Version
    seen: Version
    plan: Allowed
    expires_at: datetime


class Starting:
    """Starts playback sessions in PostgreSQL; every one tells the log that it started."""

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        ids: Ids,
        ask: Neighbours,
        films: Films,
        offer: Offer,
        fingerprint_key: bytes,
        sold: Plans | None,
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids
        self._ask = ask
        self._films = films
        self._offer = offer
        self._fingerprint_key = fingerprint_key
        self._plans = sold
        self._right = RightToPlay(ask.rights)
        self._levels = Levels(ask.catalog)
        self._seen: Lately[tuple[AccountId, str], tuple[str, Capabilities | None]]
        self._seen = Lately(SEEN_EVERY)

    async def start(self, request: StartPlay) -> Play:
        session_id = PlaySessionId(self._ids.new(PLAY_SESSION_KIND))
        now = self._clock.now()
        said = request.capabilities or Capabilities(robustness=request.robustness)
        said = entitlement.kept(said)
        try:
            async with asyncio.TaskGroup() as group:
                position_asked = group.create_task(self._position_s(request, session_id))
                cells_asked = group.create_task(self._cells(request.account_id, session_id))
                found = await self._find(group, request, said, now)
                ranking_asked = group.create_task(self._rank(found, session_id, request))
                group.create_task(self._open_licences(found, session_id, request, said))
        except ExceptionGroup as refusals:
            raise refusals.exceptions[0] from None
        title, version, ranked = found.title, found.version, ranking_asked.result()
        allocated = cells_asked.result()
        session = Session(
            session_id=session_id,
            account_id=request.account_id,
            profile_id=request.profile_id,
            title_id=title.title_id,
            version_id=version.version_id,
            duration_s=version.duration_s,
            device=request.device.replace("\0", "")[:MAX_DEVICE_CHARS],
            ranking=ranked.appliances,
            started_at=now,
            expires_at=found.expires_at,
            trace_id=current_trace_id(),
            robustness=protection.level_of(version, self._offer, said),
            steering_token=ranked.steering_token,
            territory=request.territory,
            licence_types=found.plan.allowance.licence_types,
            max_height=found.plan.allowance.max_height,
            title=title.name,
            device_id=request.device_id.replace("\0", "")[:MAX_DEVICE_ID_CHARS],
            capabilities=said,
            login_id=request.login_id.replace("\0", "")[:MAX_LOGIN_ID_CHARS],
        )
        started = PlayStarted(
            session_id=session_id,
            account_id=request.account_id,
            title_id=title.title_id,
            version_id=version.version_id,
            started_at=now,
            led_past=ranked.led_past,
            cells=allocated.cells,
        )
        beside = await self._record(session, started, found.plan, request.instead_of)
        return Play(
            session_id=session_id,
            title_id=title.title_id,
            version_id=version.version_id,
            duration_s=version.duration_s,
            resume_s=resume_of(position_asked.result(), version.duration_s),
            appliances=[appliance.appliance_id for appliance in ranked.appliances],
            expires_at=found.expires_at,
            systems=protection.offered(version, self._offer),
            redirect_token=ranked.redirect_token,
            ads=found.plan.allowance.ads,
            beside=beside,
            cells=allocated.cells,
            settings=defaults() | allocated.settings,
        )

    async def _find(
        self, group: asyncio.TaskGroup, request: StartPlay, said: Capabilities, now: datetime
    ) -> Found:
        """Raises what refuses the play: its title, its profile's level, its plan, its right, its
        device, in this order, whoever answers first."""
        allowed_asked = group.create_task(_kept(lambda: self._allowed(request)))
        level_asked = group.create_task(
            _kept(
                lambda: self._levels.check_start(
                    request.title_id, request.maturity, request.territory
                )
            )
        )
        title, version_id = await self._published(request.title_id)
        _told(await level_asked)
        version = await self._films.version(version_id)
        plan, rights = _told(await allowed_asked)
        right = allowed(title, rights)
        max_height = plan.allowance.max_height
        seen = entitlement.entitle(version, said, max_height, self._offer, title.name)
        expires_at = end_of(now, title.duration_s)
        if right.ends_at is not None:
            expires_at = min(expires_at, right.ends_at)
        return Found(title, version, seen, plan, expires_at)

    async def _allowed(self, request: StartPlay) -> tuple[Allowed, Decisions]:
        """What the plan of the account allows, and the right to the title under that plan."""
        plan = NO_PLAN if self._plans is None else await self._plans.ask(request.account_id)
        types = plan.allowance.licence_types
        return plan, await self._right.ask(Asked(request.title_id, request.territory, types))

    async def _published(self, title_id: TitleId) -> tuple[Title, VersionId]:
        try:
            title = await needed(CATALOG, self._ask.catalog.get_title(GetTitle(title_id=title_id)))
        except UnknownTitle:
            raise CannotPlay("There is no such title.") from None
        if not title.launched:
            raise CannotPlay("There is no such title.")
        if title.version_id is None:
            raise CannotPlay(f"{title.name} is not ready to be played yet.")
        return title, title.version_id

    async def _rank(self, found: Found, session_id: PlaySessionId, request: StartPlay) -> Ranking:
        """The appliances; the tokens of a marked version know the session's variants."""
        rank = Rank(
            session_id=session_id,
            version_id=found.version.version_id,
            expires_at=found.expires_at,
            networks=request.networks,
            client_address=request.client_address,
        )
        if found.version.marked:
            coins = fingerprint.row(self._fingerprint_key, session_id)
            rank = msgspec.structs.replace(rank, variants=coins)
        ranking = await needed(APPLIANCES, self._ask.steering.rank(rank))
        if not ranking.appliances:
            name = found.title.name
            raise CannotPlay(f"No appliance has {name} at hand yet: try again in a minute.")
        return ranking

    async def _open_licences(
        self, found: Found, session_id: PlaySessionId, request: StartPlay, said: Capabilities
    ) -> None:
        opened = OpenLicences(
            session_id=session_id,
            account_id=request.account_id,
            version_id=found.version.version_id,
            expires_at=found.expires_at,
            robustness=said.robustness,
            title_id=request.title_id,
            territory=request.territory,
            licence_types=[*found.plan.allowance.licence_types],
            labels=entitlement.labels(found.seen),
            login_id=request.login_id,
        )
        await needed(LICENCES, self._ask.licensing.open_licences(opened))

    async def _position_s(self, request: StartPlay, session_id: PlaySessionId) -> float:
        """Where the profile stopped; the beginning, where viewers does not say so in time."""
        wanted = GetResumePoint(profile_id=request.profile_id, title_id=request.title_id)
        try:
            return (await asked(POSITION, self._ask.viewers.get_resume_point(wanted))).position_s
        except Unavailable:
            structlog.get_logger().warning("resume_point_unknown", session_id=session_id)
            return 0.0

    async def _cells(self, account_id: AccountId, session_id: PlaySessionId) -> Cells:
        """The cells of the account; none, where experiments does not say so in time."""
        try:
            return await asked(CELLS, self._ask.experiments.allocate(Allocate(unit=account_id)))
        except ContractError as away:
            structlog.get_logger().warning("cells_unknown", session_id=session_id, reason=str(away))
            return Cells()

    async def _record(
        self,
        session: Session,
        started: PlayStarted,
        plan: Allowed,
        instead_of: PlaySessionId | None,
    ) -> list[str]:
        """Write the session down where it has its place, and end what makes way for it. The logins
        of the plays beside it, where its place was looked for."""
        place = Place(plan.allowance.streams, session.device_id, instead_of)
        ended: list[Session] = []
        beside: list[str] = []
        try:
            if place.streams or instead_of:
                ended, beside = await self._place(session, place, started)
            else:
                told = self._log.told(TOPIC, [(session.session_id, started)])
                await store.begin(self._database, session, told)
        except (TooManyStreams, CannotPlayNow):
            await self._close_licences([session.session_id])
            raise
        await self._keep(session, plan)
        await self._close_licences([each.session_id for each in ended])
        return beside

    async def _place(
        self, session: Session, place: Place, started: PlayStarted
    ) -> tuple[list[Session], list[str]]:
        """Write a session down in its place; those that end for it, and the logins of those that
        go on beside it.

        It is decided by what was read, and written where no other play of the account has begun
        since: else it is decided again.
        """
        for _ in range(MOST_TRIES):
            now = self._clock.now()
            standing = await store.standing_of(self._database, session.account_id, now)
            ended = streams.given_up(standing.running, place, now)
            if ended is None:
                raise TooManyStreams(
                    f"Your plan allows {place.streams} at once: end another play.",
                    streams.held(standing.running, now),
                )
            events: list[tuple[str, msgspec.Struct]] = [
                (each.session_id, _stopped(each, now)) for each in ended
            ]
            told = self._log.told(TOPIC, [*events, (session.session_id, started)])
            ids = [each.session_id for each in ended]
            if await store.begin_placed(self._database, session, told, standing.begun, ids, now):
                staying = [each for each in standing.running if each not in ended]
                return ended, streams.beside(staying, now)
        raise CannotPlayNow("Too many plays of your account begin just now: try again in a moment.")

    async def _keep(self, session: Session, plan: Allowed) -> None:
        """Keep what is new of the account's plan and of its device."""
        sold, said = self._plans, plan.said
        if sold is not None and said is not None and sold.is_news(said):
            await plans.know(self._database, said, plan.asked_at)
            sold.note(said)
        if session.device_id and self._seen.is_news(*_device(session), session.started_at):
            await devices.see(self._database, session)
            self._seen.note(*_device(session), session.started_at)

    async def _close_licences(self, session_ids: list[PlaySessionId]) -> None:
        for session_id in session_ids:
            try:
                await self._ask.licensing.close_licences(CloseLicences(session_id=session_id))
            except Unavailable:
                structlog.get_logger().warning("licences_left_open", session_id=session_id)


def _stopped(session: Session, now: datetime) -> PlayStopped:
    return PlayStopped(session_id=session.session_id, stopped_at=now, expires_at=session.expires_at)


def _device(
    session: Session,
) -> tuple[tuple[AccountId, str], tuple[str, Capabilities | None]]:
    """A session's device, and what it says of itself."""
    key = session.account_id, session.device_id
    return key, (session.device, session.capabilities)


async def _kept(answer: Callable[[], Awaitable[T]]) -> T | Refusal:
    """The answer or the refusal: a task that raised would end all others at once."""
    try:
        return await answer()
    except Refusal as refusal:
        return refusal


def _told(answer: T | Refusal) -> T:
    if isinstance(answer, Refusal):
        raise answer
    return answer
