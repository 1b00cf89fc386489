"""Playback: one call that answers with all that a device needs to play.

Refusal
|-- CannotPlay       the title is unknown or not published, or no appliance holds it; says why
|   `-- CannotPlayNow  a part that a play cannot do without is away: the same may work in a moment
|-- UnknownPlay      no such playback session of this account, or it is over
`-- PageInvalid      the limit of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.ids import (
    AccountId,
    ApplianceId,
    PlaySessionId,
    ProfileId,
    TitleId,
    VersionId,
)
from cuemark.contracts.protection import System
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "playback"


class CannotPlay(Refusal):
    code = "cannot_play"
    status = 409


class CannotPlayNow(CannotPlay):
    code = "cannot_play_now"
    status = 503


class UnknownPlay(Refusal):
    code = "unknown_play"
    status = 404


class StartPlay(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    profile_id: ProfileId
    title_id: TitleId
    device: str = ""


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """A playback session. Without viewers ``resume_s`` falls back to 0.

    ``systems`` are the DRM systems by which it may have its keys, the preferred first.
    """

    session_id: PlaySessionId
    title_id: TitleId
    version_id: VersionId
    duration_s: float
    resume_s: float
    appliances: list[ApplianceId]
    expires_at: datetime
    systems: list[System] = []


class GetManifest(msgspec.Struct, frozen=True, kw_only=True):
    """``licence_url`` is where this session's licences are, as the client reaches it.

    A playlist of HLS names its keys to the DRM system ``system``, or without one to players that
    take them in the clear. A DASH manifest names them to all.
    """

    session_id: PlaySessionId
    account_id: AccountId
    format: Literal["dash", "hls"]
    licence_url: str
    system: System | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    text: str


class GetPlay(msgspec.Struct, frozen=True, kw_only=True):
    session_id: PlaySessionId
    account_id: AccountId


class PlayState(msgspec.Struct, frozen=True, kw_only=True):
    session_id: PlaySessionId
    title_id: TitleId
    profile_id: ProfileId
    duration_s: float


class ListPlays(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200."""

    after: str = ""
    limit: int = 50


class RunningPlay(msgspec.Struct, frozen=True, kw_only=True):
    """``heard_at`` is when its player last asked for or told something; ``trace_id`` is that of
    its start. Who watches is not told: an operator need not know."""

    session_id: PlaySessionId
    title_id: TitleId
    version_id: VersionId
    device: str
    appliances: list[ApplianceId]
    started_at: datetime
    heard_at: datetime
    trace_id: str


class PlayPage(msgspec.Struct, frozen=True, kw_only=True):
    plays: list[RunningPlay]
    next_cursor: str = ""


class EndPlay(msgspec.Struct, frozen=True, kw_only=True):
    session_id: PlaySessionId
    account_id: AccountId


class PlayEnded(msgspec.Struct, frozen=True, kw_only=True):
    pass


class PlayStarted(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    session_id: PlaySessionId
    account_id: AccountId
    title_id: TitleId
    version_id: VersionId
    started_at: datetime


class Playback(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        CannotPlay,
        CannotPlayNow,
        UnknownPlay,
        PageInvalid,
    )

    async def start(self, request: StartPlay) -> Play: ...

    async def get_manifest(self, request: GetManifest) -> Manifest: ...

    async def get_play(self, request: GetPlay) -> PlayState: ...

    async def end(self, request: EndPlay) -> PlayEnded: ...

    async def list_plays(self, request: ListPlays) -> PlayPage: ...
