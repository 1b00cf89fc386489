"""What operators ask about the traffic: what it adds up to, and the lines of requests."""

from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from cuemark.contracts.catalog import GetTitle
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.contracts.telemetry import GetTraffic, LinePage, ListLines, Traffic, TrafficInvalid
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, Cursor, Limit

Id = Annotated[str, QueryParameter(max_length=64, pattern=r"^[A-Za-z0-9._-]*\Z")]
Seconds = Annotated[int, QueryParameter(ge=1, le=10 * 366 * 86_400)]


@get(f"{API}/traffic", opt={"access": "operator", "staff": "traffic.read"}, tags=["traffic"])
async def get_traffic(
    parts: Parts, last_s: Seconds = 900, appliance: Id = "", title: Id = ""
) -> Traffic:
    """Of the last so many seconds, from the minute in which they begin; of a title, its version
    that plays now."""
    version_ids: list[VersionId] = []
    if title:
        found = await parts.catalog.get_title(GetTitle(title_id=TitleId(title)))
        if found.version_id is None:
            raise TrafficInvalid(f"{found.name} has no version yet that anybody could play.")
        version_ids = [found.version_id]
    return await parts.telemetry.get_traffic(
        GetTraffic(
            since=parts.clock.now() - timedelta(seconds=last_s),
            appliance_id=ApplianceId(appliance) if appliance else None,
            version_ids=version_ids,
        )
    )


@get(f"{API}/traffic/lines", opt={"access": "operator", "staff": "traffic.read"}, tags=["traffic"])
async def list_lines(
    parts: Parts, after: Cursor = "", limit: Limit = 50, appliance: Id = ""
) -> LinePage:
    """The lines that came in after a cursor, the oldest first; the last ones without it."""
    return await parts.telemetry.list_lines(
        ListLines(
            after=after,
            limit=limit,
            appliance_id=ApplianceId(appliance) if appliance else None,
        )
    )
