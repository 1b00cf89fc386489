"""What a caller may be shown where they are.

Without rights nothing is shown: ``Unavailable`` goes through to the caller.
"""

from collections.abc import Sequence

from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import Decide, Decision
from cuemark.contracts.steering import Locate
from cuemark.gateway.parts import AnyRequest, GatewayParts


async def territory_of(parts: GatewayParts, request: AnyRequest) -> str:
    """Where a request comes from, as ISO 3166-1 alpha-2; empty where no database knows it."""
    located = await parts.steering.locate(Locate(client_address=parts.client_of(request)))
    return located.place.country


async def rights_of(
    parts: GatewayParts, request: AnyRequest, title_ids: Sequence[TitleId]
) -> dict[TitleId, Decision]:
    """What a member has of each of these titles."""
    if not title_ids:
        return {}
    territory = await territory_of(parts, request)
    found = await parts.rights.decide(Decide(title_ids=list(title_ids), territory=territory))
    return {each.title_id: each for each in found.decisions}
