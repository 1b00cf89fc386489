"""Rights: where, when and under which licence a title may be shown and played.

A right is a *window* of a title, in the words of EMA Avails (MovieLabs TR-META-AVAIL, and its
spreadsheet 1.9): territories, a licence type, a start and an end. All windows of a title are set
together, and a set that was replaced is kept, so that it can be gone back to.

A title for which nothing was ever set is *unrecorded*: a setting says whether it plays everywhere
or nowhere. A title whose set has no window plays nowhere.

    Refusal
    |-- RightsInvalid     a window, a territory or a question is not acceptable; says which and why
    |-- NoEarlierRights   there is no earlier set of this title to go back to
    `-- PageInvalid       the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.ids import TitleId
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "rights"
WORLDWIDE = "WW"
"""Stands for all territories, where a window names it alone."""
LOCAL = "local"
"""The zone of a moment that comes in each territory by that territory's own clock."""
MOST_ASKED = 200

LicenceType = Literal["SVOD", "VOD", "EST", "AVOD", "FVOD"]
"""Subscription, rental, sale, with advertising, free. ``SVOD``, ``VOD`` and ``EST`` are in the
vocabulary of Avails; ``AVOD`` and ``FVOD`` are what its users write for what that lacks."""

Reason = Literal[
    "held",
    "open",
    "unrecorded",
    "territory",
    "licence_type",
    "not_begun",
    "held_back",
    "suspended",
    "over",
]
"""Why a title may be played (``held``: by a window, ``open``: as an unrecorded one) or may not: no
window names the territory, or has such a licence; none has begun; one waits for another, or gives
way to an exclusive one; all are over."""


class RightsInvalid(Refusal):
    code = "rights_invalid"
    status = 422


class NoEarlierRights(Refusal):
    code = "no_earlier_rights"
    status = 409


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What a clock shows: ``wall`` as ``2030-01-31T00:00:00``, without an offset.

    ``zone`` is whose clock: an IANA name, ``UTC``, an offset as ``+01:00``, or ``local`` for that
    of each territory (of its capital, where it has several). A wall time that a clock shows twice
    is the first of both; one that it skips is as long after the skip as it would have been.
    """

    wall: str
    zone: str = "UTC"


class Holdback(msgspec.Struct, frozen=True, kw_only=True):
    """This window gives no right until ``window_id`` is ``over``, or while it runs (``apart``),
    in territories that both have."""

    window_id: str
    rule: Literal["over", "apart"]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A right from ``start`` until just before ``end``; None leaves that side open.

    ``territories`` are ISO 3166-1 alpha-2 codes, or ``WW`` alone, ``excluding`` some. While an
    ``exclusive`` window runs, windows of other licence types give no right. ``announce`` is when
    the title may be shown: before the start, to say that it will come, or after it, and then
    nothing of the window holds before that.
    """

    window_id: str
    territories: list[str]
    licence_type: LicenceType
    start: Moment | None = None
    end: Moment | None = None
    excluding: list[str] = []
    exclusive: bool = False
    announce: Moment | None = None
    holdbacks: list[Holdback] = []


class TitleWindows(msgspec.Struct, frozen=True, kw_only=True):
    title_id: TitleId
    windows: list[Window]


class SetRights(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the windows of these titles, all of them or none."""

    sets: list[TitleWindows]


class RightsWereSet(msgspec.Struct, frozen=True, kw_only=True):
    """``changed`` are the titles that had other windows before."""

    changed: list[TitleId]


class GetRights(msgspec.Struct, frozen=True, kw_only=True):
    title_id: TitleId


class TitleRights(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` counts a title's sets from 1; 0 says that it is unrecorded. ``earlier`` says that
    there is a set to go back to, or the state before the first one."""

    title_id: TitleId
    number: int
    windows: list[Window]
    set_at: datetime | None = None
    earlier: bool = False


class UndoRights(msgspec.Struct, frozen=True, kw_only=True):
    """Back to the set that the present one replaced."""

    title_id: TitleId


class ListRights(msgspec.Struct, frozen=True, kw_only=True):
    """The titles with rights, by their ids. ``limit`` is 1 to 200."""

    after: str = ""
    limit: int = 50


class RightsPage(msgspec.Struct, frozen=True, kw_only=True):
    rights: list[TitleRights]
    next_cursor: str = ""


class Decide(msgspec.Struct, frozen=True, kw_only=True):
    """May these titles (1 to 200) be played in a territory, by a plan with these licence types?

    An empty ``territory`` is one that is not known: a setting says as which it counts. Without
    ``licence_types`` they are those of the install's plan, and without ``at`` it is asked for now.
    """

    title_ids: list[TitleId]
    territory: str = ""
    licence_types: list[LicenceType] = []
    at: datetime | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """``allowed`` has been so ``since`` then and changes at ``until``, as far as is known now; None
    says that it always was, or stays. ``shown``: the title may be shown, playable or announced.

    A play that began while it was allowed may go on where ``may_go_on``, and ends at ``ends_at``:
    the end of the right and a grace after it, which is a setting; None where no end is known.
    """

    title_id: TitleId
    allowed: bool
    reason: Reason
    shown: bool
    may_go_on: bool
    since: datetime | None = None
    until: datetime | None = None
    ends_at: datetime | None = None


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which they were asked for. ``territory`` is the one that was decided for,
    empty where it is not known."""

    decisions: list[Decision]
    territory: str = ""


class RightsSet(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The windows of a title are others from now on. ``number`` is that of its set, 0 for none."""

    title_id: TitleId
    number: int
    set_at: datetime


class Rights(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (RightsInvalid, NoEarlierRights, PageInvalid)

    async def set_rights(self, request: SetRights) -> RightsWereSet: ...

    async def get_rights(self, request: GetRights) -> TitleRights: ...

    async def undo_rights(self, request: UndoRights) -> TitleRights: ...

    async def list_rights(self, request: ListRights) -> RightsPage: ...

    async def decide(self, request: Decide) -> Decisions: ...
