"""Where running plays shall fetch from, and what operators say of appliances."""

from litestar import get, put
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Response

from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import SetDraining, Steer, SteeringOver
from cuemark.gateway.errors import answer_refusal
from cuemark.gateway.origins import origin_of
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.views import API, DrainingBody, ErrorView, SteeringView

STEERING = f"{API}/steering"

_OPEN = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
"""Players ask from pages of any origin, without a login: the token in the address is the right."""


def _over(request: AnyRequest, refusal: SteeringOver) -> Response[ErrorView] | Response[str]:
    """410 has a player ask no more (rfc8216bis section 7.2), if its page may read it."""
    answer = answer_refusal(request, refusal)
    answer.headers.update(_OPEN)
    return answer


@get(
    STEERING,
    opt={"access": "anyone"},
    tags=["plays"],
    exception_handlers={SteeringOver: _over},
)
async def steer(
    parts: Parts, request: AnyRequest, play: FromQuery[str] = ""
) -> Response[SteeringView]:
    """The steering manifest of HLS and DASH; what players add to the query changes nothing."""
    steered = await parts.steering.steer(Steer(token=play))
    here = origin_of(request.scope["scheme"], request.headers["host"], parts.base_url())
    view = SteeringView(
        version=1,
        ttl_s=steered.ttl_s,
        reload_uri=f"{here}{STEERING}?play={play}",
        pathway_priority=list(steered.appliance_ids),
    )
    return Response(view, media_type="application/json", headers=_OPEN)


@put(
    f"{API}/appliances/{{appliance_id:str}}/draining",
    opt={"access": "operator", "staff": "appliances.drain"},
    tags=["operators"],
)
async def set_draining(
    appliance_id: FromPath[str], data: JSONBody[DrainingBody], parts: Parts
) -> DrainingBody:
    """Lead plays away from an appliance, or let it have them again."""
    request = SetDraining(appliance_id=ApplianceId(appliance_id), draining=data.draining)
    await parts.steering.set_draining(request)
    return data
