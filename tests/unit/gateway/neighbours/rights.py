"""Rights in memory."""

from dataclasses import dataclass, field
from typing import ClassVar

from cuemark.contracts import rights
from cuemark.contracts.ids import TitleId
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import checked_limit
from tests.unit.gateway.neighbours.neighbour import FILM, Neighbour


@dataclass
class Notary(Neighbour):
    """Every title plays everywhere but for what is ``said`` of it; ``asked`` are the questions."""

    refusals: ClassVar[tuple[type[Refusal], ...]] = rights.Rights.refusals
    said: dict[TitleId, rights.Decision] = field(default_factory=dict)
    asked: list[rights.Decide] = field(default_factory=list)
    sets: list[rights.TitleWindows] = field(default_factory=list)

    async def set_rights(self, request: rights.SetRights) -> rights.RightsWereSet:
        self.check()
        if not request.sets:
            raise rights.RightsInvalid("Set the rights of 1 to 2000 titles at once.")
        self.sets += request.sets
        return rights.RightsWereSet(changed=[each.title_id for each in request.sets])

    async def get_rights(self, request: rights.GetRights) -> rights.TitleRights:
        self.check()
        windows = [each.windows for each in self.sets if each.title_id == request.title_id]
        return rights.TitleRights(
            title_id=request.title_id,
            number=len(windows),
            windows=windows[-1] if windows else [],
            earlier=bool(windows),
        )

    async def undo_rights(self, request: rights.UndoRights) -> rights.TitleRights:
        if not (await self.get_rights(rights.GetRights(title_id=request.title_id))).earlier:
            raise rights.NoEarlierRights("This title has no earlier rights to go back to.")
        self.sets.pop()
        return await self.get_rights(rights.GetRights(title_id=request.title_id))

    async def list_rights(self, request: rights.ListRights) -> rights.RightsPage:
        checked_limit(request.limit)
        return rights.RightsPage(
            rights=[await self.get_rights(rights.GetRights(title_id=FILM))],
            next_cursor=request.after,
        )

    async def decide(self, request: rights.Decide) -> rights.Decisions:
        self.check()
        self.asked.append(request)
        return rights.Decisions(
            decisions=[self.said.get(each, granted(each)) for each in request.title_ids],
            territory=request.territory,
        )


def granted(title_id: TitleId) -> rights.Decision:
    return rights.Decision(
        title_id=title_id, allowed=True, reason="open", shown=True, may_go_on=True
    )


def denied(
    title_id: TitleId, reason: rights.Reason = "territory", *, shown: bool = False
) -> rights.Decision:
    return rights.Decision(
        title_id=title_id, allowed=False, reason=reason, shown=shown, may_go_on=False
    )
