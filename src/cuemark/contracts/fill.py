"""Fill: what each appliance is to have before anybody asks for it, and why.

A *track* of a version is one rendition, one sound, one language of captions or the thumbnails: all
files in the folder of its id, and those beside it whose names without the ending are its id. What a
region will ask of each track is forecast from what its appliances served of it, hour by hour; once
an hour a plan is made for each region, which says what its appliances are to keep, and what to
fetch within their windows. Appliances of the storage tier have plans of their own, by the demand of
all regions: what they serve to other appliances is no demand and is not counted.

    Refusal
    |-- UnknownAppliance   no such appliance is enrolled
    |-- FillInvalid        a field of what an appliance tells is not acceptable; says which
    `-- UnknownTrack       no published version has such a track, or no title such a version
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.contracts.steering import UnknownAppliance
from cuemark.kit.errors import Refusal

MOST_TRACKS = 5000
"""Of one call that tells of tracks."""
MOST_FETCHED, MOST_KEPT = 5000, 50_000
"""Of one manifest. What comes after is in one of the next, or goes by its use alone."""
MOST_HELD_VERSIONS = 50_000
MOST_STOCKS = 2
"""Appliances in one answer about what is held, and versions of each."""
KEPT_DAYS = 42
"""For as long what was served in an hour counts, and may still be told."""
Tier = Literal["edge", "storage"]
HOME = "home"
"""The region of appliances whose settings name none."""


class FillInvalid(Refusal):
    code = "fill_invalid"
    status = 422


class UnknownTrack(Refusal):
    code = "unknown_track"
    status = 404


class TrackBytes(msgspec.Struct, frozen=True):
    """So many bytes of a track: served to clients, or held."""

    version_id: VersionId
    track_id: str
    of_bytes: int


class TellServed(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance has served to clients within an hour so far. It tells of itself alone.

    ``hour`` is when that hour of UTC began. Totals, not what was added: told again, the greater of
    each track counts, so that nothing is lost and nothing counted twice. In parts of up to
    ``MOST_TRACKS``.
    """

    appliance_id: ApplianceId
    region: str
    hour: datetime
    served: list[TrackBytes]


class ServedTold(msgspec.Struct, frozen=True, kw_only=True):
    pass


class TellHeld(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance is, and what it holds, from which the next plan is made.

    ``timezone`` is its place's in the IANA database, ``storage_bytes`` what its store may hold, and
    ``capacity_kbps`` what its line carries, 0 where nobody said. ``held`` comes in ``parts`` of up
    to ``MOST_TRACKS``, of which ``part`` counts from 1; part 1 begins anew. What was told before
    stands until the last part came.
    """

    appliance_id: ApplianceId
    region: str
    timezone: str
    storage_bytes: int
    capacity_kbps: int = 0
    held: list[TrackBytes]
    part: int = 1
    parts: int = 1


class HeldTold(msgspec.Struct, frozen=True, kw_only=True):
    pass


class GetManifest(msgspec.Struct, frozen=True, kw_only=True):
    """``known`` is the ``manifest_id`` that the appliance has; empty for none."""

    appliance_id: ApplianceId
    known: str = ""


class PlannedTrack(msgspec.Struct, frozen=True):
    """``expected_plays`` are those of the day ahead in the appliance's region, the evening's
    counted more; of captions, thumbnails and the like it is that of the version."""

    version_id: VersionId
    track_id: str
    size_bytes: int
    expected_plays: float


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an appliance is to have, the most wanted first.

    ``fetch`` is worth bringing ahead, in this order. ``keep`` is worth more room than what is not
    named: it goes last where room is wanted. ``unchanged`` says that the manifest is the one that
    is ``known``, and nothing else is told. Before a first plan was made ``manifest_id`` is empty.
    """

    manifest_id: str
    made_at: datetime | None = None
    unchanged: bool = False
    fetch: list[PlannedTrack] = []
    keep: list[PlannedTrack] = []


class GetHeld(msgspec.Struct, frozen=True, kw_only=True):
    """What do appliances hold, as they told last? ``known`` is the ``revision`` of each that is
    known already."""

    known: dict[ApplianceId, int] = {}


class ApplianceHeld(msgspec.Struct, frozen=True, kw_only=True):
    """``percent`` is how much an appliance holds of what plays of a version take: of the bytes of
    its tracks, each counted as it is expected to be played, where a plan expects any. Rounded
    down: 100 is all of it. Versions of which it is less than one are left out, and what is past
    ``MOST_HELD_VERSIONS``. ``storage_bytes`` is what its store may hold."""

    appliance_id: ApplianceId
    revision: int
    storage_bytes: int
    percent: dict[VersionId, int]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Of up to ``MOST_STOCKS`` appliances what is not ``known``; with ``more`` there are others, so
    ask again. ``gone`` are known ones of which nothing counts any more."""

    news: list[ApplianceHeld] = []
    gone: list[ApplianceId] = []
    more: bool = False


class MakePlan(msgspec.Struct, frozen=True, kw_only=True):
    """Plan now, and not only when the hour is over."""


class GetPlan(msgspec.Struct, frozen=True, kw_only=True):
    pass


class AppliancePlan(msgspec.Struct, frozen=True, kw_only=True):
    """``wanted_bytes`` is what it is to have, of which ``fetch_bytes`` are to come."""

    appliance_id: ApplianceId
    storage_bytes: int
    held_bytes: int
    wanted_bytes: int
    fetch_bytes: int
    fetches: int
    told_at: datetime


class RegionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The last plan of a region's appliances of one tier. ``cutoff_plays`` is what the least wanted
    track is expected to have, 0 where all that is worth bringing has room. ``hours`` of demand were
    learned from, those of all regions for the storage tier. ``expected_plays`` are of titles."""

    region: str
    tier: Tier = "edge"
    made_at: datetime
    local_time: str
    hours: int
    tracks: int
    expected_plays: float
    cutoff_plays: float
    appliances: list[AppliancePlan]


class FillPlan(msgspec.Struct, frozen=True, kw_only=True):
    """``trouble`` says in a sentence why the plans that stand are not newer or not whole; empty
    where nothing is wrong. ``unread`` counts published versions that no plan knows of yet."""

    regions: list[RegionPlan]
    unread: int = 0
    trouble: str = ""


class ExplainTrack(msgspec.Struct, frozen=True, kw_only=True):
    """Why has each region a track, or why has it not? Raises ``UnknownTrack``."""

    version_id: VersionId
    track_id: str


class ExplainTitle(msgspec.Struct, frozen=True, kw_only=True):
    """The same for all tracks of the version that is planned of a title.

    Raises ``UnknownTrack``.
    """

    title_id: TitleId


class TrackReason(msgspec.Struct, frozen=True, kw_only=True):
    """The figures by which a region's plan decided about a track, and one sentence.

    ``rank`` counts from 1, the most expected first, ``of`` so many. ``expected_plays`` is the
    product of what is told one by one: ``title_plays`` of its title in the region, and the
    ``share`` of them that this track has. ``on`` are the appliances that are to have it, and
    ``held_on`` those that have all of it now, of which there is one where it is ``held``.
    """

    region: str
    tier: Tier = "edge"
    wanted: bool
    held: bool
    expected_plays: float
    rank: int
    of: int
    cutoff_plays: float
    title_plays: float
    share: float
    told: str
    on: list[ApplianceId]
    held_on: list[ApplianceId]


class TrackExplanation(msgspec.Struct, frozen=True, kw_only=True):
    version_id: VersionId
    title_id: TitleId
    track_id: str
    size_bytes: int
    regions: list[TrackReason]


class TitleExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """``series`` and ``launch_at`` are what the title's expectation was learned from."""

    title_id: TitleId
    version_id: VersionId
    tracks: list[TrackExplanation]
    series: str = ""
    launch_at: datetime | None = None


class Fill(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (UnknownAppliance, FillInvalid, UnknownTrack)
    for_appliances: ClassVar[frozenset[str]] = frozenset(
        {"tell_served", "tell_held", "get_manifest"}
    )

    async def tell_served(self, request: TellServed) -> ServedTold: ...

    async def tell_held(self, request: TellHeld) -> HeldTold: ...

    async def get_manifest(self, request: GetManifest) -> Manifest: ...

    async def get_held(self, request: GetHeld) -> Held: ...

    async def make_plan(self, request: MakePlan) -> FillPlan: ...

    async def get_plan(self, request: GetPlan) -> FillPlan: ...

    async def explain_track(self, request: ExplainTrack) -> TrackExplanation: ...

    async def explain_title(self, request: ExplainTitle) -> TitleExplanation: ...
