"""``cuemark logs``: what every process wrote, as one story."""

import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click
import msgspec

from cuemark.app.cli.output import print_json
from cuemark.app.cli.times import UNIT_S, time_of
from cuemark.app.folder import DataFolder
from cuemark.app.log_keeping import sources_of
from cuemark.kit import log_lines
from cuemark.kit.log_lines import LEVELS, LogLine, Tail

POLL_S = 0.3
_AGO = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
_COLORS = {"warning": "yellow", "error": "red", "critical": "red"}
_TRACE = re.compile(r"[0-9a-f]{32}")


def parse_since(
    context: click.Context, option: click.Parameter, value: str | None
) -> datetime | None:
    """``90s``, ``10m``, ``2h``, ``1d`` ago, or a time in ISO 8601 (UTC where it does not say)."""
    if value is None:
        return None
    try:
        if match := _AGO.fullmatch(value):
            return datetime.now(UTC) - timedelta(seconds=float(match[1]) * UNIT_S[match[2]])
        return time_of(value)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"{value!r} is neither 90s, 10m, 2h or 1d nor a time such as 2026-01-31T20:15"
        ) from error


def parse_trace(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _TRACE.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no trace: that is 32 digits of 0-9 and a-f")
    return value


@click.command()
@click.option("--trace", "trace_id", callback=parse_trace, help="Only what one request caused.")
@click.option("--follow", is_flag=True, help="Go on with what is written from now on.")
@click.option("--level", type=click.Choice(LEVELS), default="info", help="This bad or worse.")
@click.option("--since", callback=parse_since, metavar="10m|TIME", help="Not what began before.")
@click.option(
    "--lines",
    type=click.IntRange(min=0),
    help="The last so many; 100 unless --trace or --since is given.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def logs(
    folder: DataFolder,
    trace_id: str | None,
    follow: bool,
    level: str,
    since: datetime | None,
    lines: int | None,
    as_json: bool,
) -> None:
    """Show the logs of all processes, appliances and the origin in one order of time.

    It reads the files of the data folder, so it works when nothing runs, too.
    """
    least = LEVELS.index(level)

    def wanted(line: LogLine) -> bool:
        return (
            LEVELS.index(line.level) >= least
            and (trace_id is None or line.trace_id == trace_id)
            and (since is None or line.began_at >= since)
        )

    sources = sources_of(folder)
    tails = [Tail(source) for source in sources] if follow else []
    found = log_lines.read(sources, wanted, holding=[(trace_id or "").encode()])
    if lines is None and trace_id is None and since is None:
        lines = 100
    for line in found if lines is None else found[max(0, len(found) - lines) :]:
        _show(line, as_json, with_trace=trace_id is None)
    if follow:
        _follow(tails, wanted, as_json, with_trace=trace_id is None)


def _follow(
    tails: list[Tail], wanted: Callable[[LogLine], bool], as_json: bool, *, with_trace: bool
) -> None:
    """Until Ctrl-C. Lines that come within one poll are put in order, others as they come."""
    try:
        while True:
            time.sleep(POLL_S)
            new = [line for tail in tails for line in tail.new_lines() if wanted(line)]
            for line in sorted(new, key=lambda line: line.order):
                _show(line, as_json, with_trace=with_trace)
            sys.stdout.flush()
    except KeyboardInterrupt:
        for tail in tails:
            tail.close()


def _show(line: LogLine, as_json: bool, *, with_trace: bool) -> None:
    if as_json:
        told = {
            "began_at": line.began_at.isoformat(timespec="milliseconds"),
            "process": line.process,
            "level": line.level,
            "event": line.event,
            "trace_id": line.trace_id,
            "duration_s": line.duration_s,
        }
        print_json(told | {"fields": line.fields})
        return
    at = line.began_at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    event = click.style(f"{line.event:<16}", fg=_COLORS.get(line.level), bold=True)
    trace = f" trace={line.trace_id}" if with_trace and line.trace_id else ""
    click.echo(f"{at}  {line.process:<18} {event} {_told(line)}{trace}")


def _told(line: LogLine) -> str:
    """The fields, values in JSON unless they are plain words: a log may hold any text."""
    fields = line.fields.items()
    parts = [f"{name}={_plain(value)}" for name, value in fields if value not in ("", None)]
    return " ".join(parts)


def _plain(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[\w./:{}+-]+", value, re.ASCII):
        return value
    return msgspec.json.encode(value).decode()
