"""What the pages of operations are made of, asked of the contexts."""

import asyncio

from litestar.response import Response

from cuemark.contracts.catalog import GetTitle, UnknownTitle
from cuemark.contracts.encoding import GetReport, VersionReport
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.gateway.operations.html import Html
from cuemark.gateway.operations.report_page import policy, report_page
from cuemark.gateway.parts import GatewayParts
from cuemark.kit.errors import Unavailable
from cuemark.kit.objects import Objects


async def read_report(parts: GatewayParts, version_id: VersionId) -> Html:
    """The report of a version as a page; without the catalog the title goes by its id."""
    report = await parts.encoding.get_report(GetReport(version_id=version_id))
    name = await title_name(parts, report.version.title_id)
    pictures = await asyncio.to_thread(_pictures, parts.objects, report)
    return report_page(report, name, pictures)


def report_answer(page: Html) -> Response[str]:
    headers = {"content-security-policy": policy(), "cache-control": "private, no-cache"}
    return Response(str(page), media_type="text/html; charset=utf-8", headers=headers)


async def title_name(parts: GatewayParts, title_id: TitleId) -> str:
    try:
        return (await parts.catalog.get_title(GetTitle(title_id=title_id))).name
    except (Unavailable, UnknownTitle):
        return title_id


def _pictures(objects: Objects, report: VersionReport) -> dict[str, bytes]:
    keys = [
        key for each in report.renditions for key in (each.picture_key, each.master_picture_key)
    ]
    return {key: objects.read(key) for key in keys if key and objects.exists(key)}
