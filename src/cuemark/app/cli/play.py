"""``cuemark play``: the headless reference player, which does what a device does."""

import asyncio
from typing import Literal

import click
from rich.status import Status
from rich.table import Table

from cuemark.app.cli.accounts import LinkView
from cuemark.app.cli.client import Operator, traced
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.output import as_is, console, duration, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.kit.tracing import trace
from cuemark.player.api import Credential, LoginCode, Password
from cuemark.player.errors import ApiAway, MediaAway, PlayerError
from cuemark.player.line import Line
from cuemark.player.profile import LineProfile
from cuemark.player.ranges import DynamicRange
from cuemark.player.report import Report
from cuemark.player.session import Moment, Options
from cuemark.player.session import play as play_title

MEMBER = "player@cuemark.example"


@click.command()
@click.argument("title")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop after this much film.")
@click.option("--from", "from_s", type=click.FloatRange(min=0), help="Start here, in seconds.")
@click.option(
    "--format", "form", type=click.Choice(["dash", "hls"]), default="dash", show_default=True
)
@click.option(
    "--throttle-kbps",
    "line",
    type=LineProfile(),
    metavar="PROFILE",
    help="Cap this device's line: 600, or 8000,600@5s,8000@15s, or the file of a trace.",
)
@click.option(
    "--audio",
    default="",
    metavar="LANG[:ROLE]",
    help="The sound to play, such as fr or en:commentary; else the film's own.",
)
@click.option(
    "--codec",
    type=click.Choice(["h264", "hevc", "av1"]),
    default=None,
    help="What to play it in; else the newest that the film has.",
)
@click.option(
    "--dynamic-range",
    type=click.Choice(["sdr", "hlg", "pq"]),
    default="sdr",
    show_default=True,
    help="What this screen shows: HDR is played by those alone who ask for it.",
)
@click.option(
    "--redirect",
    "redirected",
    is_flag=True,
    help="Play as a device that knows one address and no Content Steering.",
)
@click.option(
    "--as",
    "email",
    default=MEMBER,
    show_default=True,
    help="The member who plays; made where there is none.",
)
@click.option("--api", "api_url", help="The API of any install; then give --code or a password.")
@click.option("--code", help="The code of a one-time login link, instead of --as.")
@click.option("--password", envvar="CUEMARK_PASSWORD", help="Log in with this password.")
@click.option("--json", "as_json", is_flag=True)
def play(
    folder: DataFolder,
    title: str,
    seconds: float | None,
    from_s: float | None,
    form: Literal["dash", "hls"],
    line: Line | None,
    audio: str,
    codec: str | None,
    dynamic_range: DynamicRange,
    redirected: bool,
    email: str,
    api_url: str | None,
    code: str | None,
    password: str | None,
    as_json: bool,
) -> None:
    """Play TITLE (a name or an id) in real time: log in, licence, decrypt, decode, adapt.

    Without --from it resumes where the member stopped.
    """
    trace_id = ""
    if api_url is None or not (code or password):
        with Operator(folder) as operator:
            trace_id = operator.trace_id
            api_url = api_url or operator.running.api_url
            if not (code or password):
                body = {"email": email, "create": True}
                code = operator.post("/login-links", body, LinkView).code
    credential: Credential = LoginCode(code) if code else Password(email, password or "")
    options = Options(
        api_url=api_url.removesuffix("/api/v1"),
        credential=credential,
        title=title,
        seconds=seconds,
        format=form,
        from_s=from_s,
        line=line,
        audio=audio,
        codec=codec or "",
        dynamic_range=dynamic_range,
        redirected=redirected,
    )
    failure: PlayerError | None = None
    with console.status("Starting the play") as screen, trace(trace_id) as trace_id:
        try:
            report = asyncio.run(play_title(options, watch=lambda now: _show(screen, now)))
        except PlayerError as error:
            if error.report is None:
                raise Failure(_told(error, trace_id)) from error
            failure, report = error, error.report
    if as_json:
        print_json(report)
    else:
        plain.print(_table(report))
    if failure is not None:
        raise Failure(_told(failure, trace_id)) from failure


def _told(error: PlayerError, trace_id: str) -> str:
    """The sentence; with the trace where it is the service that failed, not the viewer."""
    if isinstance(error, ApiAway | MediaAway):
        return traced(str(error), 503, trace_id)
    return str(error)


def _show(screen: Status, now: Moment) -> None:
    stalled = "  [red]waits for media[/]" if now.stalled else ""
    screen.update(
        f"{as_is(now.title)}  {duration(now.position_s)} of {duration(now.end_s)}  "
        f"buffer {now.buffer_s:.0f} s  {now.rung}  from {now.appliance_id}  "
        f"{now.frames} frames{stalled}"
    )


def _table(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Start", f"{report.startup_ms} ms")
    table.add_row("Stalls", f"{report.stalls} ({report.stall_ms} ms)")
    table.add_row("Bitrate", f"{report.mean_bitrate_kbps:.0f} kbit/s, {report.switches} switches")
    table.add_row("Frames", f"{report.frames}, {report.decode_errors} decode errors")
    if report.audio:
        table.add_row("Sound", f"{report.audio} of {', '.join(report.audios)}")
    table.add_row("Appliances", ", ".join(report.appliances))
    if report.resumed_from_s:
        table.add_row("Resumed from", duration(report.resumed_from_s))
    table.add_row("Trace", report.trace_id)
    return table
