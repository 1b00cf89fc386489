"""How the view of titles follows from events in any order."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from cuemark.contexts.catalog.model.languages import UNDETERMINED
from cuemark.contexts.catalog.model.texts import Told
from cuemark.contracts.catalog import (
    ArtworkChosen,
    LaunchSet,
    Title,
    TitleCreated,
    TitleInvalid,
)
from cuemark.contracts.catalog.works import TitleDescribed
from cuemark.contracts.encoding.events import VersionPublished
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.steering import VersionPlaced

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)

_RANK = {"none": 0, "quick": 1, "full": 2}


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A title as the view shows it. ``name`` is None until its creation has been read."""

    title_id: TitleId
    name: str | None = None
    synopsis: str | None = None
    created_at: datetime | None = None
    version_id: VersionId | None = None
    quality: Literal["none", "quick", "full"] = "none"
    duration_s: float = 0.0
    artwork_key: str = ""
    published_at: datetime | None = None
    chosen_artwork_key: str = ""
    artwork_chosen_at: datetime | None = None
    chosen_with_name: bool = False
    series: str = ""
    launch_at: datetime | None = None
    launch_set_at: datetime | None = None
    described_at: datetime | None = None


Listed = TitleCreated | TitleDescribed | LaunchSet | VersionPublished | ArtworkChosen


class Half(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a version that cannot be listed yet: it must be published and placed."""

    published: VersionPublished | None = None
    placed: bool = False


def half_of(event: VersionPublished | VersionPlaced) -> Half:
    return Half(placed=True) if isinstance(event, VersionPlaced) else Half(published=event)


def met(known: Half | None, heard: Half) -> Half:
    """Both halves together, in whichever order they were heard."""
    known = known or Half()
    return Half(published=heard.published or known.published, placed=heard.placed or known.placed)


def after_event(listing: Listing, event: Listed) -> Listing:
    """``listing`` once ``event`` is known; the same events in any order give the same listing."""
    if isinstance(event, TitleCreated):
        listing = msgspec.structs.replace(listing, created_at=event.created_at)
        if listing.described_at is None:
            listing = _with_texts(listing, event)
        return _with_launch(listing, event.launch_at, event.created_at)
    if isinstance(event, TitleDescribed):
        texts = (event.described_at, event.name, event.synopsis, event.series)
        at = listing.described_at
        if at is not None and texts <= (
            at,
            listing.name or "",
            listing.synopsis or "",
            listing.series,
        ):
            return listing
        return msgspec.structs.replace(_with_texts(listing, event), described_at=event.described_at)
    if isinstance(event, LaunchSet):
        return _with_launch(listing, event.launch_at, event.set_at)
    if isinstance(event, ArtworkChosen):
        at = listing.artwork_chosen_at
        last = (at, listing.chosen_artwork_key, listing.chosen_with_name)
        if at is not None and (event.chosen_at, event.artwork_key, event.with_name) <= last:
            return listing
        return msgspec.structs.replace(
            listing,
            chosen_artwork_key=event.artwork_key,
            chosen_with_name=event.with_name,
            artwork_chosen_at=event.chosen_at,
        )
    if not _outranks(event, listing):
        return listing
    return msgspec.structs.replace(
        listing,
        version_id=event.version_id,
        quality=event.quality,
        duration_s=event.duration_s,
        artwork_key=event.artwork_key,
        published_at=event.published_at,
    )


def is_launched(launch_at: datetime | None, now: datetime) -> bool:
    """Whether members may see a title, as far as its launch goes."""
    return launch_at is None or launch_at <= now


def title_of(listing: Listing, now: datetime) -> Title | None:
    """The title as the view shows it now; None until its creation has been read."""
    if listing.name is None or listing.synopsis is None or listing.created_at is None:
        return None
    return Title(
        title_id=listing.title_id,
        name=listing.name,
        synopsis=listing.synopsis,
        created_at=listing.created_at,
        version_id=listing.version_id,
        quality=listing.quality,
        duration_s=listing.duration_s,
        artwork_key=listing.chosen_artwork_key or listing.artwork_key,
        artwork_chosen=bool(listing.chosen_artwork_key),
        artwork_with_name=listing.chosen_with_name,
        series=listing.series,
        launch_at=listing.launch_at,
        launched=is_launched(listing.launch_at, now),
    )


def created(title: Title) -> TitleCreated:
    """What the log tells of a title that is new."""
    return TitleCreated(
        title_id=title.title_id,
        name=title.name,
        synopsis=title.synopsis,
        created_at=title.created_at,
        series=title.series,
        launch_at=title.launch_at,
    )


def in_language(title: Title, text: Told) -> Title:
    """``title`` with the texts and the picture that its reader gets."""
    return msgspec.structs.replace(
        title,
        name=text.name,
        synopsis=text.synopsis,
        language="" if text.language == UNDETERMINED else text.language,
        artwork_key=text.artwork_key or title.artwork_key,
        artwork_with_name=title.artwork_with_name and not text.artwork_key,
    )


def chosen_at(now: datetime, last: datetime | None) -> datetime:
    """When a choice was made: after the one before it, also where the clock was set back."""
    return now if last is None else max(now, last + timedelta(milliseconds=1))


def _with_texts(listing: Listing, event: TitleCreated | TitleDescribed) -> Listing:
    return msgspec.structs.replace(
        listing, name=event.name, synopsis=event.synopsis, series=event.series
    )


def _with_launch(listing: Listing, launch_at: datetime | None, set_at: datetime) -> Listing:
    """The launch that was set last; of two at once the later one, so that none is shown early."""
    last = listing.launch_set_at
    if last is not None and (set_at, _moment(launch_at)) < (last, _moment(listing.launch_at)):
        return listing
    return msgspec.structs.replace(listing, launch_at=launch_at, launch_set_at=set_at)


def _moment(launch_at: datetime | None) -> float:
    return 0.0 if launch_at is None else launch_at.timestamp()


def _outranks(event: VersionPublished, listing: Listing) -> bool:
    """A full version replaces a quick one, never the reverse; among equals the later plays."""
    if listing.version_id is None or listing.published_at is None:
        return True
    challenger = (_RANK[event.quality], event.published_at, event.version_id)
    return challenger > (_RANK[listing.quality], listing.published_at, listing.version_id)


def checked_launch(launch_at: datetime | None) -> datetime | None:
    """In UTC; ``TitleInvalid`` where it names no moment."""
    if launch_at is None:
        return None
    if launch_at.tzinfo is None:
        raise TitleInvalid("The launch has no time zone: write it as 2030-01-31T20:00:00+01:00.")
    if not EARLIEST <= launch_at < LATEST:
        years = f"{EARLIEST.year} to {LATEST.year - 1}"
        raise TitleInvalid(f"The launch lies outside of the years {years}.")
    return launch_at.astimezone(UTC)
