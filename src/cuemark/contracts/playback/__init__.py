"""Playback: one call that answers with all that a device needs to play.

Refusal
|-- CannotPlay       the title is unknown or not published, or no appliance holds it; says why
|   |-- NotForProfile  the title is above the maturity of the profile that asks by now
|   |-- NoRight        there is no right to play it there, then, or under this plan; says why
|   `-- CannotPlayNow  a part that a play cannot do without is away: the same may work in a moment
|-- NotEntitled      the account has no plan that runs; only where the install sells plans
|-- TooManyStreams   as many plays of the account run as its plan allows; tells which
|-- NetworkInvalid   what the play shall be bound to is no prefix of addresses
|-- UnknownPlay      no such playback session of this account, or it is over
|-- CannotName       there is no such version, or its pictures are not marked; says why
|   `-- CannotNameNow  what a version is cannot be read now: the same may work in a moment
|-- EvidenceInvalid  what is said of a copy cannot be; says why
`-- PageInvalid      the limit of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.experiments.settings import Value, defaults
from cuemark.contracts.ids import (
    AccountId,
    ApplianceId,
    PlaySessionId,
    ProfileId,
    TitleId,
    VersionId,
)
from cuemark.contracts.playback.devices import Capabilities, DeviceList, ListDevices
from cuemark.contracts.playback.streams import TooManyStreams
from cuemark.contracts.protection import Robustness, System
from cuemark.kit.errors import Refusal
from cuemark.kit.networks import NetworkInvalid
from cuemark.kit.pages import PageInvalid

TOPIC = "playback"


class CannotPlay(Refusal):
    code = "cannot_play"
    status = 409


class NotForProfile(CannotPlay):
    code = "not_for_profile"
    status = 403


class NoRight(CannotPlay):
    code = "no_right"
    status = 403


class CannotPlayNow(CannotPlay):
    code = "cannot_play_now"
    status = 503


class NotEntitled(Refusal):
    code = "not_entitled"
    status = 402


class UnknownPlay(Refusal):
    code = "unknown_play"
    status = 404


class CannotName(Refusal):
    code = "cannot_name"
    status = 409


class CannotNameNow(CannotName):
    code = "cannot_name_now"
    status = 503


class EvidenceInvalid(Refusal):
    code = "evidence_invalid"
    status = 422


class StartPlay(msgspec.Struct, frozen=True, kw_only=True):
    """A play on a device, which holds a stream of its account's plan while it runs.

    ``device`` is for people to read, and ``device_id`` what the device calls itself by, the same
    each time: where the plan counts streams, what plays on it ends. So does ``instead_of``, a play
    of the account, and either ends only where this one begins.

    ``capabilities`` is what the device says that it can play. One that says nothing gets H.264 up
    to 1080 lines, and ``robustness`` is then what it says of how it protects keys.
    ``networks`` are prefixes of addresses to which the play's media is bound: see ``Rank``.
    ``client_address`` is the device's IP address, for steering alone; it is kept nowhere.
    ``territory`` is where the device is (ISO 3166-1 alpha-2), empty where that is not known: there
    the title must have its right, now and as long as the play goes on. ``maturity`` is the age up
    to which titles are for the profile, None for any: one above it is one that there is not.
    ``login_id`` is the login by which it begins: its licences are for no other, and when it is
    ended, so is the play. Empty is for any.
    """

    account_id: AccountId
    profile_id: ProfileId
    title_id: TitleId
    device: str = ""
    robustness: Robustness = "software"
    networks: list[str] = []
    client_address: str = ""
    territory: str = ""
    maturity: int | None = None
    device_id: str = ""
    instead_of: PlaySessionId | None = None
    capabilities: Capabilities | None = None
    login_id: str = ""


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """A playback session, until ``expires_at``: the end of its right, and a grace, at the latest.

    Without viewers ``resume_s`` falls back to 0.

    ``systems`` are the DRM systems by which it may have its keys, the preferred first.
    ``redirect_token`` opens its media and manifests to whoever shows it: it belongs in no log.
    ``ads``: the account's plan has advertising. ``cells`` are those of the account, by their
    experiments, and ``settings`` all that there are, as they are in these cells; without
    experiments it is in none, and they are the defaults. ``beside`` are the logins of the account's
    other plays that hold a stream, where its plan bounds how many may.
    """

    session_id: PlaySessionId
    title_id: TitleId
    version_id: VersionId
    duration_s: float
    resume_s: float
    appliances: list[ApplianceId]
    expires_at: datetime
    systems: list[System] = []
    redirect_token: str = ""
    ads: bool = False
    cells: dict[str, str] = {}
    settings: dict[str, Value] = msgspec.field(default_factory=defaults)
    beside: list[str] = []


class GetManifest(msgspec.Struct, frozen=True, kw_only=True):
    """``licence_url`` is where this session's licences are, as the client reaches it, and
    ``steering_url`` where plays are steered; without it the manifest names no such place.

    A playlist of HLS names its keys to the DRM system ``system``, or without one to players that
    take them in the clear. A DASH manifest names them to all. ``maturity`` is as in ``StartPlay``,
    of the profile that asks.
    """

    session_id: PlaySessionId
    account_id: AccountId
    format: Literal["dash", "hls"]
    licence_url: str
    system: System | None = None
    steering_url: str = ""
    maturity: int | None = None


class GetRedirectedManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest with one address for all media, ``media_url``, which ends in ``/``: whoever is
    there knows where to send a client on.

    Whoever asks has shown steering the play's ``redirect_token``, so no account is looked at. The
    other fields are as in ``GetManifest``.
    """

    session_id: PlaySessionId
    format: Literal["dash", "hls"]
    media_url: str
    licence_url: str
    system: System | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    text: str


class GetPlay(msgspec.Struct, frozen=True, kw_only=True):
    """Asked for whatever the player tells or wants: it says that the play goes on, as does a
    manifest, and keeps its stream."""

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


class ListOwnPlays(msgspec.Struct, frozen=True, kw_only=True):
    """All plays of an account, whether they run or not; pages as in ``ListPlays``."""

    account_id: AccountId
    after: str = ""
    limit: int = 50


class OwnPlay(msgspec.Struct, frozen=True, kw_only=True):
    """``ended_at`` is None where nobody ended it: then it is over at ``expires_at``."""

    session_id: PlaySessionId
    profile_id: ProfileId
    title_id: TitleId
    device: str
    started_at: datetime
    ended_at: datetime | None
    expires_at: datetime


class OwnPlayPage(msgspec.Struct, frozen=True, kw_only=True):
    plays: list[OwnPlay]
    next_cursor: str = ""


class NameSessions(msgspec.Struct, frozen=True, kw_only=True):
    """Whose copy is it? ``values`` say for each segment of a copy, from ``first_segment`` (0 on) of
    the version on, how much it is like variant a (above 0) or b (below); 0 where none was seen.

    Raises ``CannotName`` and ``EvidenceInvalid``.
    """

    version_id: VersionId
    first_segment: int
    values: list[float]


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was compared with a copy.

    ``agreement`` is the part of the evidence that speaks for it, from 0 to 1, of which one that has
    no part in the copy has about a half. ``chance`` is how likely any of all that were compared
    fits as well by chance alone. Whose it is, is told of those alone that are ``named``.
    """

    session_id: PlaySessionId
    version_id: VersionId
    named: bool
    agreement: float
    chance: float
    started_at: datetime
    device: str
    account_id: AccountId | None = None
    profile_id: ProfileId | None = None


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions that fit a copy best, of all that were ``compared``, the best first; ``verdict``
    is what is to be said of them, in one sentence.

    Those of all versions of the title are compared that have the same segments.
    """

    title_id: TitleId
    compared: int
    suspects: list[Suspect]
    verdict: str


class EndPlay(msgspec.Struct, frozen=True, kw_only=True):
    session_id: PlaySessionId
    account_id: AccountId


class StopPlay(msgspec.Struct, frozen=True, kw_only=True):
    """The service's operator ends a play, whosever it is."""

    session_id: PlaySessionId


class PlayEnded(msgspec.Struct, frozen=True, kw_only=True):
    pass


class PlayStarted(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """``led_past``: an appliance that is nearer to the viewer was not fit to serve it.

    ``cells`` are those of the account, by their experiments: it is exposed to what they set from
    ``started_at`` on. A play that was told none is in none, and is nobody's control.
    """

    session_id: PlaySessionId
    account_id: AccountId
    title_id: TitleId
    version_id: VersionId
    started_at: datetime
    led_past: bool = False
    cells: dict[str, str] = {}


class PlayStopped(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A play was ended before its time: its tokens, which end at ``expires_at``, shall not work."""

    session_id: PlaySessionId
    stopped_at: datetime
    expires_at: datetime


class Playback(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        CannotPlay,
        NotForProfile,
        NoRight,
        CannotPlayNow,
        NotEntitled,
        TooManyStreams,
        NetworkInvalid,
        UnknownPlay,
        CannotName,
        CannotNameNow,
        EvidenceInvalid,
        PageInvalid,
    )

    async def start(self, request: StartPlay) -> Play: ...

    async def get_manifest(self, request: GetManifest) -> Manifest: ...

    async def get_redirected_manifest(self, request: GetRedirectedManifest) -> Manifest: ...

    async def get_play(self, request: GetPlay) -> PlayState: ...

    async def end(self, request: EndPlay) -> PlayEnded: ...

    async def stop(self, request: StopPlay) -> PlayEnded: ...

    async def list_plays(self, request: ListPlays) -> PlayPage: ...

    async def name_sessions(self, request: NameSessions) -> Naming: ...

    async def list_own_plays(self, request: ListOwnPlays) -> OwnPlayPage: ...

    async def list_devices(self, request: ListDevices) -> DeviceList: ...
