"""What a profile keeps for later, and what it thinks of what there is: by work, a series too."""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.ids import ProfileId, WorkId
from cuemark.kit.errors import Refusal

MOST_LISTED = 500
"""How many works a profile's list may have."""
MOST_STANDINGS = 200

Rating = Literal["down", "up", "love"]
"""Not for me, I like this, I love this."""


class ViewingInvalid(Refusal):
    code = "viewing_invalid"
    status = 422


class ListFull(Refusal):
    code = "list_full"
    status = 409


class AddToMyList(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the list already stays where it is. Regions that add at once may bring a list over
    ``MOST_LISTED``; then nothing is added before something was removed."""

    profile_id: ProfileId
    work_id: WorkId


class RemoveFromMyList(msgspec.Struct, frozen=True, kw_only=True):
    profile_id: ProfileId
    work_id: WorkId


class MyListChanged(msgspec.Struct, frozen=True, kw_only=True):
    """``changed`` is false where the list was so before."""

    changed: bool


class ListMyList(msgspec.Struct, frozen=True, kw_only=True):
    """What was added last comes first. ``after`` is the ``next_cursor`` of the page before;
    ``limit`` 1 to 200."""

    profile_id: ProfileId
    after: str = ""
    limit: int = 50


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    work_id: WorkId
    added_at: datetime


class MyListPage(msgspec.Struct, frozen=True, kw_only=True):
    works: list[Listed]
    next_cursor: str = ""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    profile_id: ProfileId
    work_id: WorkId
    rating: Rating


class RemoveRating(msgspec.Struct, frozen=True, kw_only=True):
    profile_id: ProfileId
    work_id: WorkId


class RatingSet(msgspec.Struct, frozen=True, kw_only=True):
    """``changed`` is false where it was rated so before."""

    changed: bool


class ListRatings(msgspec.Struct, frozen=True, kw_only=True):
    """What was rated last comes first; pages as in ``ListMyList``."""

    profile_id: ProfileId
    after: str = ""
    limit: int = 50


class Rated(msgspec.Struct, frozen=True, kw_only=True):
    work_id: WorkId
    rating: Rating
    rated_at: datetime


class RatingPage(msgspec.Struct, frozen=True, kw_only=True):
    works: list[Rated]
    next_cursor: str = ""


class DescribeStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Of 1 to ``MOST_STANDINGS`` works."""

    profile_id: ProfileId
    work_ids: list[WorkId]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a profile stands to a work. ``rating`` is empty where it has given none."""

    work_id: WorkId
    listed: bool = False
    rating: Literal["", "down", "up", "love"] = ""


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which they were asked for."""

    standings: list[Standing]
