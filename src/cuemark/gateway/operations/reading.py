"""What the pages of operations are made of, asked of the contexts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from litestar.response import Response

from cuemark.contracts.catalog import GetTitle, UnknownTitle
from cuemark.contracts.encoding.farm import Farm, GetFarm
from cuemark.contracts.encoding.jobs import Job, JobPage, ListJobs
from cuemark.contracts.encoding.reports import GetReport, VersionReport
from cuemark.contracts.fraud import Finding, FindingPage, ListFindings
from cuemark.contracts.functions import FunctionList, ListFunctions, ListRuns, RunPage
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.playback import ListPlays, PlayPage, RunningPlay
from cuemark.contracts.steering import ApplianceList, ApplianceState, ListAppliances
from cuemark.gateway.machine import Machine
from cuemark.gateway.operations.html import Html
from cuemark.gateway.operations.report_page import policy, report_page
from cuemark.gateway.parts import GatewayParts
from cuemark.kit.errors import Unavailable
from cuemark.kit.log_errors import LoggedError
from cuemark.kit.log_lines import LogLine
from cuemark.kit.objects import Objects

T = TypeVar("T")

NO_FARM = Farm(workers=[], queues=[], lease_s=0.0)
JOBS, PLAYS, ERRORS, TRACE_LINES, DEAD_RUNS, FINDINGS = 12, 25, 15, 500, 10, 15


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
    keys += [each.picture_key for each in report.artworks]
    return {key: objects.read(key) for key in keys if key and objects.exists(key)}


@dataclass(frozen=True)
class Overview:
    """One look at the install, as a role may have it: ``may`` are the actions that are allowed.

    What could not be asked is named in ``away`` and left empty.
    """

    at: datetime
    machine: Machine
    jobs: list[Job]
    farm: Farm
    appliances: list[ApplianceState]
    plays: list[RunningPlay]
    more_plays: bool
    functions: FunctionList
    dead_runs: RunPage
    findings: list[Finding]
    errors: list[LoggedError]
    titles: dict[TitleId, str]
    away: list[str]
    may: frozenset[str]


async def read_overview(parts: GatewayParts, may: frozenset[str]) -> Overview:
    away: list[str] = []

    async def asked(name: str, action: str, call: Callable[[], Awaitable[T]], instead: T) -> T:
        if action not in may:
            return instead
        try:
            return await call()
        except Unavailable:
            away.append(name)
            return instead

    nothing = FunctionList(folder="", functions=[])
    asking = asyncio.gather(
        asked(
            "encoding",
            "jobs.read",
            lambda: parts.encoding.list_jobs(ListJobs(limit=JOBS)),
            JobPage(jobs=[]),
        ),
        asked("encoding", "jobs.read", lambda: parts.encoding.get_farm(GetFarm()), NO_FARM),
        asked(
            "steering",
            "appliances.read",
            lambda: parts.steering.list_appliances(ListAppliances()),
            ApplianceList(appliances=[]),
        ),
        asked(
            "playback",
            "plays.read",
            lambda: parts.playback.list_plays(ListPlays(limit=PLAYS)),
            PlayPage(plays=[]),
        ),
        asked(
            "functions",
            "functions.read",
            lambda: parts.functions.list_functions(ListFunctions()),
            nothing,
        ),
        asked(
            "functions",
            "functions.read",
            lambda: parts.functions.list_runs(ListRuns(limit=DEAD_RUNS, dead_only=True)),
            RunPage(runs=[]),
        ),
    )
    finding = asked(
        "fraud",
        "fraud.read",
        lambda: parts.fraud.list_findings(ListFindings(limit=FINDINGS)),
        FindingPage(findings=[]),
    )
    (
        (jobs, farm, appliances, plays, functions, dead_runs),
        findings,
        machine,
        errors,
    ) = await asyncio.gather(
        asking,
        finding,
        asyncio.to_thread(parts.machine),
        asyncio.to_thread(parts.last_errors, ERRORS if "errors.read" in may else 0),
    )
    wanted = {job.title_id for job in jobs.jobs} | {play.title_id for play in plays.plays}
    names = await asyncio.gather(*(title_name(parts, title_id) for title_id in wanted))
    return Overview(
        at=parts.clock.now(),
        machine=machine,
        jobs=jobs.jobs,
        farm=farm,
        appliances=appliances.appliances,
        plays=plays.plays,
        more_plays=bool(plays.next_cursor),
        functions=functions,
        dead_runs=dead_runs,
        findings=findings.findings,
        errors=errors,
        titles=dict(zip(wanted, names, strict=True)),
        away=list(dict.fromkeys(away)),
        may=may,
    )


async def read_trace(parts: GatewayParts, trace_id: str) -> list[LogLine]:
    """The last lines of a trace in the logs of this machine, in order of time."""
    lines = await asyncio.to_thread(parts.trace_lines, trace_id)
    return lines[-TRACE_LINES:]
