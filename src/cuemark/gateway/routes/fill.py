"""What operators ask of fill: what each appliance is to have, and why."""

from litestar import get, post
from litestar.params import FromPath

from cuemark.contracts.fill import (
    ExplainTitle,
    ExplainTrack,
    FillPlan,
    GetPlan,
    MakePlan,
    TitleExplanation,
    TrackExplanation,
)
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API


@get(f"{API}/fill/plan", opt={"access": "operator", "staff": "fill.read"}, tags=["fill"])
async def get_plan(parts: Parts) -> FillPlan:
    """The last plan of each region, with what its appliances hold by now."""
    return await parts.fill.get_plan(GetPlan())


@post(
    f"{API}/fill/plan",
    opt={"access": "operator", "staff": "fill.plan"},
    tags=["fill"],
    status_code=200,
)
async def make_plan(parts: Parts) -> FillPlan:
    """Plan now; the answer is the new plan."""
    return await parts.fill.make_plan(MakePlan())


@get(
    f"{API}/fill/titles/{{title_id:str}}",
    opt={"access": "operator", "staff": "fill.read"},
    tags=["fill"],
)
async def explain_title(title_id: FromPath[str], parts: Parts) -> TitleExplanation:
    """Why each region has the tracks of a title, or has them not."""
    return await parts.fill.explain_title(ExplainTitle(title_id=TitleId(title_id)))


@get(
    f"{API}/fill/versions/{{version_id:str}}/tracks/{{track_id:str}}",
    opt={"access": "operator", "staff": "fill.read"},
    tags=["fill"],
)
async def explain_track(
    version_id: FromPath[str], track_id: FromPath[str], parts: Parts
) -> TrackExplanation:
    """Why each region has one track of a version, or has it not."""
    return await parts.fill.explain_track(
        ExplainTrack(version_id=VersionId(version_id), track_id=track_id)
    )
