"""The updating of appliances, as operators start it, watch it and take it back."""

from litestar import get, post
from litestar.params import FromPath, JSONBody

from cuemark.contracts.steering.rollouts import ChangeRollout, GetRollout, Rollout, StartRollout
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, RolloutBody, RolloutChangeBody


@post(f"{API}/rollouts", opt={"access": "operator", "staff": "rollouts.steer"}, tags=["operators"])
async def start_rollout(data: JSONBody[RolloutBody], parts: Parts) -> Rollout:
    request = StartRollout(release=data.release, policy=data.policy)
    return await parts.steering.start_rollout(request)


@get(
    f"{API}/rollouts/last", opt={"access": "operator", "staff": "rollouts.read"}, tags=["operators"]
)
async def get_rollout(parts: Parts) -> Rollout:
    return await parts.steering.get_rollout(GetRollout())


@post(
    f"{API}/rollouts/{{rollout_id:str}}",
    opt={"access": "operator", "staff": "rollouts.steer"},
    status_code=200,
    tags=["operators"],
)
async def change_rollout(
    rollout_id: FromPath[str], data: JSONBody[RolloutChangeBody], parts: Parts
) -> Rollout:
    """Undoing it answers with the rollout that takes it back."""
    request = ChangeRollout(rollout_id=rollout_id, change=data.change)
    return await parts.steering.change_rollout(request)
