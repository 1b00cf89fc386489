"""``python -m cuemark.player``: play a title from a terminal and print the report as JSON.

The calm line is on stderr; stdout ends with one JSON object. Exit code 1 tells of a play that
did not come to its end.
"""

import asyncio
import sys
from typing import Literal

import click
import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from cuemark.kit.process import run_and_leave
from cuemark.player.api import BearerToken, Credential, LoginCode, Password
from cuemark.player.errors import PlayerError
from cuemark.player.line import Line
from cuemark.player.profile import LineProfile
from cuemark.player.ranges import DynamicRange
from cuemark.player.report import Report
from cuemark.player.session import Moment, Options, play

_REFRESHES_PER_S = 4


@click.command()
@click.argument("title")
@click.option("--api", "api_url", required=True, help="The service, such as http://host:8080.")
@click.option("--code", help="The code of a one-time login link.")
@click.option("--email", help="An account's address; the password comes from CUEMARK_PASSWORD.")
@click.option("--password", envvar="CUEMARK_PASSWORD", hidden=True)
@click.option("--token", envvar="CUEMARK_TOKEN", hidden=True)
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop after this much film.")
@click.option("--from", "from_s", type=click.FloatRange(min=0), help="Start here, in seconds.")
@click.option("--format", "form", type=click.Choice(["dash", "hls"]), default="dash")
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
    help="What this device's screen shows: HDR is played by those alone who ask for it.",
)
@click.option(
    "--redirect",
    "redirected",
    is_flag=True,
    help="Play as a device that knows one address and no Content Steering.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def main(
    title: str,
    api_url: str,
    code: str | None,
    email: str | None,
    password: str | None,
    token: str | None,
    seconds: float | None,
    from_s: float | None,
    form: Literal["dash", "hls"],
    line: Line | None,
    audio: str,
    codec: str | None,
    dynamic_range: DynamicRange,
    redirected: bool,
    as_json: bool,
) -> None:
    """Play TITLE, an id or a name, in real time. Without --from it resumes."""
    options = Options(
        api_url=api_url,
        credential=_credential(code, email, password, token),
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
    screen = Console(stderr=True)
    failure: PlayerError | None = None
    with Live(
        Text("Starting the play"),
        console=screen,
        refresh_per_second=_REFRESHES_PER_S,
        transient=True,
    ) as live:
        try:
            report = asyncio.run(play(options, watch=lambda now: live.update(_line(now))))
        except PlayerError as error:
            failure, partial = error, error.report
            if partial is None:
                raise click.ClickException(str(error)) from error
            report = partial
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        click.echo(_summary(report))
    if failure is not None:
        screen.print(f"Error: {failure}", markup=False, highlight=False)
        sys.exit(1)


def _credential(
    code: str | None, email: str | None, password: str | None, token: str | None
) -> Credential:
    if code:
        return LoginCode(code)
    if email and password:
        return Password(email, password)
    if token and not email:
        return BearerToken(token)
    raise click.UsageError("Give --code, or --email with the password in CUEMARK_PASSWORD.")


def _line(now: Moment) -> Text:
    state = "  waits for media" if now.stalled else ""
    return Text(
        f"{now.title}  {now.position_s:.0f} of {now.end_s:.0f} s  buffer {now.buffer_s:.0f} s  "
        f"{now.rung}  from {now.appliance_id}  {now.frames} frames{state}"
    )


def _summary(report: Report) -> str:
    return (
        f"{report.frames} frames in {report.seconds_played:.1f} s from "
        f"{', '.join(report.appliances) or 'nowhere'}: start {report.startup_ms} ms, "
        f"{report.stalls} stalls ({report.stall_ms} ms), {report.switches} switches, "
        f"{report.decode_errors} decode errors"
    )


if __name__ == "__main__":
    run_and_leave(main)
