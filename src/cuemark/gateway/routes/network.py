"""What operators of the network ask: which routes there are, and how a client is steered."""

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.steering import ExplainRanking, Explanation
from cuemark.contracts.steering.routes import ListRoutes, RoutePage
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, Cursor, Limit

Id = Annotated[str, QueryParameter(max_length=64, pattern=r"^[A-Za-z0-9._-]*\Z")]
Address = Annotated[str, QueryParameter(max_length=64)]


@get(f"{API}/routes", opt={"access": "operator", "staff": "network.read"}, tags=["operators"])
async def list_routes(
    parts: Parts, after: Cursor = "", limit: Limit = 50, appliance: Id = ""
) -> RoutePage:
    appliance_id = ApplianceId(appliance) if appliance else None
    return await parts.steering.list_routes(
        ListRoutes(appliance_id=appliance_id, after=after, limit=limit)
    )


@get(
    f"{API}/routes/explain", opt={"access": "operator", "staff": "network.read"}, tags=["operators"]
)
async def explain_route(parts: Parts, address: Address = "", version: Id = "") -> Explanation:
    """How a client with this IP address is steered now, and why; without a version, as if every
    appliance had it."""
    version_id = VersionId(version) if version else None
    return await parts.steering.explain_ranking(
        ExplainRanking(address=address, version_id=version_id)
    )
