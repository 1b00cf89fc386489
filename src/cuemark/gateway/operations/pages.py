"""The pages of operations as HTML. A section has an id: the script renews those that changed."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from cuemark.contracts.encoding.jobs import Job
from cuemark.contracts.identity.staff import ActPage
from cuemark.gateway.operations.farm import farm_tables
from cuemark.gateway.operations.html import Html, el, join, table
from cuemark.gateway.operations.reading import Overview
from cuemark.kit.log_errors import LoggedError
from cuemark.kit.log_lines import LogLine

_GB = 1e9
_LOW_DISK_SHARE = 0.1


def overview(service: str, now: Overview) -> Html:
    """The one page that shows how the install is."""
    away = [
        el("p", f"{name} does not answer: what it knows is missing here.", class_="bad")
        for name in now.away
    ]
    return _document(
        f"{service}: operations",
        [
            el("header", el("h1", f"{service}: operations"), _contact(now.at)),
            el(
                "main",
                el("section", *away, _tiles(now), id="now", aria_label="Now"),
                *_sections(now),
            ),
        ],
        live=True,
    )


def _sections(now: Overview) -> list[Html]:
    """Those of which the role may read something."""
    table: list[tuple[str, str, str, Callable[[Overview], Html]]] = [
        ("jobs.read", "jobs", "Jobs", _jobs),
        ("jobs.read", "farm", "Encode farm", lambda now: farm_tables(now.farm)),
        ("errors.read", "errors", "Last errors", lambda now: _errors(now.errors)),
        ("functions.read", "functions", "Functions", _functions),
        ("plays.read", "plays", "Plays", _plays),
        ("appliances.read", "appliances", "Appliances", _appliances),
        ("fraud.read", "fraud", "Fraud", _fraud),
        ("operations.read", "processes", "Processes", _processes),
        ("audit.read", "staff", "Staff", lambda now: _acts_link()),
    ]
    return [
        _section(name, heading, content(now))
        for action, name, heading, content in table
        if action in now.may
    ]


def trace(service: str, trace_id: str, lines: Sequence[LogLine]) -> Html:
    """What one request caused, in every process."""
    rows = [
        [
            f"{line.began_at:%H:%M:%S.%f}"[:-3],
            line.process,
            _toned(line.event, line.level in ("error", "critical")),
            "" if line.duration_s is None else f"{line.duration_s * 1000:.0f}",
            el("code", msgspec.json.encode(line.fields).decode()),
        ]
        for line in lines
    ]
    heads = ["Time (UTC)", "Process", "Event", "ms", "What"]
    found = (
        table(f"{len(rows)} lines of the logs on this machine", heads, rows)
        if rows
        else el("p", "The logs of this machine hold no line of this trace.", class_="empty")
    )
    return _document(
        f"Trace {trace_id}",
        [
            el("header", el("h1", "Trace"), el("p", el("code", trace_id)), _back()),
            el("main", el("section", found)),
        ],
    )


def acts(found: ActPage) -> Html:
    """What staff did, the latest first."""
    rows = [
        [
            str(act.number),
            f"{act.at:%Y-%m-%d %H:%M:%S}",
            act.who,
            act.role,
            act.action,
            el("code", act.subject),
            _toned(
                f"{act.result}, {act.status}" if act.status else act.result,
                act.result in ("refused", "failed"),
            ),
            act.client_address,
            _trace_link(act.trace_id),
        ]
        for act in found.acts
    ]
    heads = ["Number", "Time (UTC)", "Who", "Role", "Action", "Of what", "Result", "Address", ""]
    listed = table("As it is kept", heads, rows) if rows else el("p", "Nothing yet.")
    before = f"/operations/acts?before={found.next_before}"
    older = el("p", el("a", "Older", href=before)) if found.next_before else join([])
    return _document(
        "What staff did",
        [
            el("header", el("h1", "What staff did"), _back()),
            el("main", el("section", listed, older)),
        ],
    )


def login(service: str) -> Html:
    return _told(
        f"{service}: operations",
        "Opening your link …",
        "This page needs a one-time link and JavaScript: `cuemark operations` makes a link.",
    )


def refused(status: int, message: str) -> Html:
    """What a browser shows that may not see a page of operations, or asked for one in vain."""
    advice = (
        "Run `cuemark operations` on the machine of the install: it prints a link that opens "
        "this page once."
        if status in (401, 403)
        else ""
    )
    return _told("Operations", message, advice)


def _told(heading: str, message: str, advice: str) -> Html:
    parts = [el("p", message, id="told", role="status"), el("p", advice, class_="note")]
    return _document(heading, [el("header", el("h1", heading)), el("main", el("section", *parts))])


def _document(title: str, body: Sequence[Html], *, live: bool = False) -> Html:
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="stylesheet", href="/operations/operations.css"),
        el("script", src="/operations/operations.js", type="module"),
    )
    return Html(
        f"<!doctype html>{el('html', head, el('body', *body, data_live=live), lang='en')}\n"
    )


def _section(name: str, heading: str, content: Html) -> Html:
    return el("section", el("h2", heading), content, id=name)


def _contact(at: datetime) -> Html:
    return el("p", f"as of {at:%H:%M:%S} UTC", id="contact", role="status")


def _back() -> Html:
    return el("p", el("a", "Operations", href="/operations"))


def _acts_link() -> Html:
    return el("p", el("a", "What staff did", href="/operations/acts"))


def _tiles(now: Overview) -> Html:
    machine = now.machine
    running = [job for job in now.jobs if job.state in ("waiting", "running")]
    well = [each for each in now.appliances if each.alive and each.healthy]
    down = [each for each in machine.processes if not each.alive]
    low = machine.disk_free_bytes < _LOW_DISK_SHARE * machine.disk_total_bytes
    plays = f"{len(now.plays)}{'+' if now.more_plays else ''}"
    since = machine.started_at
    uptime = _ago((now.at - since).total_seconds()) if since else "unknown"
    ill = len(well) < len(now.appliances)
    how_many = f"{len(well)} of {len(now.appliances)}"
    asked = [
        ("jobs.read", _tile(str(len(running)), "jobs under way")),
        ("plays.read", _tile(plays, "plays")),
        (
            "appliances.read",
            _tile(how_many, "appliances well", bad=ill),
        ),
    ]
    return el(
        "div",
        _tile(uptime, f"up, {machine.doing}"),
        *(tile for action, tile in asked if action in now.may),
        _tile(str(len(down)), "processes down", bad=bool(down)),
        _tile(
            f"{machine.disk_free_bytes / _GB:.0f} GB",
            f"free of {machine.disk_total_bytes / _GB:.0f} GB",
            bad=low,
        ),
        class_="tiles",
    )


def _tile(value: str, what: str, *, bad: bool = False) -> Html:
    return el("div", el("b", value, class_="bad" if bad else None), el("span", what), class_="tile")


def _jobs(now: Overview) -> Html:
    if not now.jobs:
        return el("p", "No film was ingested yet.", class_="empty")
    rows = [
        [
            join([now.titles.get(job.title_id, job.title_id), _job_links(job)]),
            _toned("canceled" if job.canceled_by else job.state, job.state == "failed"),
            job.priority,
            job.effort,
            _stages(job),
            _seconds(job.watchable_s),
            _seconds(job.good_s),
        ]
        for job in now.jobs
    ]
    heads = ["Title", "State", "Priority", "Effort", "Progress", "Watchable", "Good"]
    return table("The newest first", heads, rows)


def _stages(job: Job) -> Html:
    if job.error or job.waiting:
        return el("span", job.error or job.waiting)
    if job.state == "done":
        return el("span", f"all {len(job.stages)} stages", class_="note")
    bars = [
        el(
            "div",
            el("span", each.stage, id=f"{job.version_id}-{each.stage}"),
            el(
                "progress",
                value=each.done,
                max=each.total,
                aria_labelledby=f"{job.version_id}-{each.stage}",
            ),
            el("span", f"{each.done} of {each.total}"),
            class_="stage",
        )
        for each in job.stages
        if each.done < each.total
    ]
    return el("div", *bars) if bars else el("span", "waiting", class_="note")


def _job_links(job: Job) -> Html:
    version_id = job.version_id if job.good_s is not None else job.quick_version_id
    links = []
    if version_id:
        links.append(el("a", "Report", href=f"/operations/versions/{version_id}"))
    if job.trace_id:
        links.append(_trace_link(job.trace_id))
    return el("div", Html(" ".join(links)), class_="links")


def _fraud(now: Overview) -> Html:
    if not now.findings:
        return el("p", "Nothing speaks against any login, card or household.", class_="empty")
    rows = [
        [
            f"{each.found_at:%d %B, %H:%M}",
            each.kind,
            each.step,
            el("code", each.account_id or each.subject),
            el("span", "; ".join(f"{reason.text} (+{reason.points})" for reason in each.reasons)),
            str(each.score),
        ]
        for each in now.findings
    ]
    caption = "What was found lately; `cuemark fraud forgive ACCOUNT` takes it back"
    heads = ["Found (UTC)", "Kind", "Asked for", "Of", "Why", "Score"]
    return table(caption, heads, rows, numbers=1)


def _functions(now: Overview) -> Html:
    if not now.functions.functions:
        return el("p", "Nothing is run on events.", class_="empty")
    rows = [
        [
            each.name,
            _toned(each.state, each.state == "broken"),
            el("span", each.complaint or ", ".join(each.on)),
            str(each.waiting),
            str(each.running),
            str(each.done),
            str(each.dead),
        ]
        for each in now.functions.functions
    ]
    heads = ["Function", "State", "On", "Waiting", "Running", "Done", "Dead"]
    found = [table("What is run on events", heads, rows, numbers=4)]
    if now.dead_runs.runs:
        dead = [
            [
                el("code", run.run_id),
                run.function,
                run.event,
                el("span", run.reason),
                _trace_link(run.trace_id) if run.trace_id else "",
            ]
            for run in now.dead_runs.runs
        ]
        caption = "Runs that failed for good; `cuemark functions retry RUN` tries one again"
        found.append(table(caption, ["Run", "Function", "On", "Why", ""], dead))
    return join(found)


def _plays(now: Overview) -> Html:
    if not now.plays:
        return el("p", "Nobody watches just now.", class_="empty")
    rows = [
        [
            now.titles.get(play.title_id, play.title_id),
            play.device or "unknown",
            ", ".join(play.appliances),
            f"{_ago((now.at - play.started_at).total_seconds())} ago",
            f"{_ago((now.at - play.heard_at).total_seconds())} ago",
            _trace_link(play.trace_id) if play.trace_id else "",
        ]
        for play in now.plays
    ]
    heads = ["Title", "Device", "Appliances", "Began", "Last heard", ""]
    caption = "Plays that were heard of within ten minutes, the newest first"
    return table(caption, heads, rows)


def _errors(errors: Sequence[LoggedError]) -> Html:
    if not errors:
        return el("p", "The log's end holds no error.", class_="empty")
    rows = [
        [
            f"{datetime.fromisoformat(each.at):%Y-%m-%d %H:%M:%S}",
            each.process,
            el("span", each.message),
            _trace_link(each.trace_id) if each.trace_id else "",
        ]
        for each in errors
    ]
    return table("The latest first, from this machine's log", ["At (UTC)", "In", "What", ""], rows)


def _appliances(now: Overview) -> Html:
    if not now.appliances:
        return el("p", "No appliance has reported yet.", class_="empty")
    rows = []
    for each in now.appliances:
        state = "silent" if not each.alive else "healthy" if each.healthy else "not healthy"
        told = f"{state}, draining" if each.draining else state
        rows.append(
            [
                each.appliance_id,
                _toned(told, state != "healthy"),
                each.url,
                each.software.release if each.software else "",
                str(each.versions),
                str(each.in_flight),
                f"{each.served_kbps / 1000:.0f}",
                str(each.routes),
            ]
        )
    heads = ["Appliance", "State", "Address", "Release"]
    heads += ["Versions", "In flight", "Mbit/s", "Routes"]
    return join([table("As they reported last", heads, rows, numbers=4), _routers(now)])


def _routers(now: Overview) -> Html:
    """The routers that tell appliances routes; nothing where none does."""
    rows = [
        [
            each.appliance_id,
            peer.address,
            f"AS{peer.asn}",
            _toned(peer.state, peer.state != "up"),
            el("span", peer.complaint),
            str(peer.routes),
            str(peer.refused),
        ]
        for each in now.appliances
        for peer in each.peers
    ]
    heads = ["Appliance", "Router", "Network", "State", "Last complaint", "Routes", "Refused"]
    return table("Who tells them routes", heads, rows, numbers=2) if rows else join([])


def _processes(now: Overview) -> Html:
    rows = [
        [
            each.name,
            _toned("running" if each.alive else "down", not each.alive),
            str(each.pid),
            str(each.restarts),
            f"{each.memory_bytes / 1e6:.0f}",
        ]
        for each in now.machine.processes
    ]
    heads = ["Process", "State", "Pid", "Restarts", "Memory MB"]
    return table("On the machine of this gateway", heads, rows, numbers=3)


def _trace_link(trace_id: str) -> Html:
    return el("a", "Trace", href=f"/operations/traces/{trace_id}", title=trace_id)


def _toned(word: str, bad: bool) -> Html:
    return el("span", word, class_="bad" if bad else None)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"


def _ago(seconds: float) -> str:
    if seconds < 60:
        return f"{max(0, seconds):.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * 86400 else f"{seconds / 86400:.0f} days"
