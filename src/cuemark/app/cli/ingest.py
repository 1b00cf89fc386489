"""``cuemark ingest``: a film file becomes a title."""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import get_args
from urllib.parse import quote

import click
import msgspec
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from cuemark.app.cli.client import Operator
from cuemark.app.cli.failure import Failure
from cuemark.app.cli.launch import parse_launch
from cuemark.app.cli.output import as_is, console, plain, print_json
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.jobs import Effort, Job, Priority
from cuemark.contracts.encoding.versions import CaptionRole, Codec, Version
from cuemark.contracts.protection import LEAST_PERIOD_S, may_be_period

POLL_S = 0.25
PLACED_WITHIN_S = 15.0
PATIENCE_S = 60.0
"""What is restarted serves within seconds; a database that recovers may take longer."""


class TitleMade(msgspec.Struct, frozen=True):
    title_id: str


class TitleQuality(msgspec.Struct, frozen=True):
    quality: str


class RenditionView(msgspec.Struct, frozen=True, kw_only=True):
    codec: str
    dynamic_range: str
    width: int
    height: int
    bitrate_kbps: float
    vmaf_mean: float
    vmaf_p5: float
    vmaf_predicted: float | None


class Ingested(msgspec.Struct, frozen=True, kw_only=True):
    """What ``ingest --wait --json`` ends with."""

    title_id: str
    version_id: str
    watchable_s: float | None
    good_s: float | None
    renditions: list[RenditionView]
    trace_id: str = ""
    effort: Effort = "balanced"


def parse_captions(
    context: click.Context, option: click.Parameter, values: tuple[str, ...]
) -> dict[str, Path]:
    """The files by their kinds: ``en`` or, with a role, ``en:sdh``."""
    found: dict[str, Path] = {}
    for value in values:
        kind, separator, path = value.partition("=")
        language, colon, role = kind.partition(":")
        if not separator or not language:
            raise click.BadParameter(f"{value!r} is not LANGUAGE=FILE, such as en=captions.vtt")
        if colon and role not in get_args(CaptionRole):
            roles = ", ".join(get_args(CaptionRole))
            raise click.BadParameter(f"{role!r} is no role of captions: write one of {roles}")
        if not os.path.isfile(path):
            raise click.BadParameter(f"{path!r} is not a file")
        if kind.lower() in (given.lower() for given in found):
            raise click.BadParameter(f"{kind!r} is given twice: each language has one file a role")
        found[kind] = Path(path)
    return found


def parse_period(_: click.Context, __: click.Parameter, value: int | None) -> int | None:
    """The seconds of a crypto period, where a person may have such."""
    if value is not None and not may_be_period(value):
        raise click.BadParameter(
            f"{value} is too short: write {LEAST_PERIOD_S} or more seconds, or 0 for one key for "
            "the whole film"
        )
    return value


@click.command()
@click.argument("film", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", "name", required=True, help="The title's name.")
@click.option("--synopsis", default="", help="A sentence or two for the page.")
@click.option(
    "--series",
    default="",
    help="The series that it is of: what others of it were watched says what to expect of it.",
)
@click.option(
    "--launch",
    "launch_at",
    callback=parse_launch,
    metavar="WHEN",
    help="Members see it from then on, and appliances have it before: ISO 8601, of UTC where it "
    "does not say. Without it: as soon as it can be played. See also `cuemark launch`.",
)
@click.option(
    "--captions",
    multiple=True,
    callback=parse_captions,
    metavar="LANGUAGE[:ROLE]=FILE",
    help="SRT, WebVTT or TTML, once for each language and role: "
    "subtitles (where none is given), sdh or forced.",
)
@click.option(
    "--effort",
    type=click.Choice(get_args(Effort)),
    help="What the full version may cost. fast: less CPU, more bits for the same quality; best: "
    "more CPU, fewer bits; balanced: between them. The gate is the same for all, and so is the "
    "quick version. Without it: the setting `effort`, balanced unless set.",
)
@click.option(
    "--codec",
    "codecs",
    multiple=True,
    type=click.Choice(get_args(Codec)),
    help="What the full version is made in besides H.264; may be given more than once. av1: half "
    "the bits and about twice the CPU. hevc: for devices without AV1; it is under patents. "
    "Without it: the setting `codecs`, none unless set.",
)
@click.option(
    "--priority",
    type=click.Choice(get_args(Priority)),
    default="normal",
    show_default=True,
    help="Whose turn it is: all of a premiere goes before what is normal, and all of that before "
    "the backlog. What is in hand is finished first. See also `cuemark jobs priority`.",
)
@click.option(
    "--crypto-period",
    "crypto_period_s",
    type=int,
    callback=parse_period,
    metavar="SECONDS",
    help="Change keys after so many seconds, 60 or more; 0 for one key for the whole film. "
    "Without it: the setting `protection.crypto_period_s`, 0 unless set.",
)
@click.option(
    "--mark",
    "marked",
    is_flag=True,
    help="Make the pictures in two variants, by which a copy tells whose session it was made of "
    "(`cuemark watermark find`): for more CPU and more space.",
)
@click.option("--wait", is_flag=True, help="Stay until the full version can be played.")
@click.option("--json", "as_json", is_flag=True)
def ingest(
    folder: DataFolder,
    film: Path,
    name: str,
    synopsis: str,
    series: str,
    launch_at: datetime | None,
    captions: dict[str, Path],
    effort: Effort | None,
    codecs: tuple[Codec, ...],
    priority: Priority,
    crypto_period_s: int | None,
    marked: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Upload a film and encode it: a quick version first, then the full ladder."""
    with Operator(folder, PATIENCE_S) as operator, progress_bars() as progress:
        job = ingest_film(
            *(operator, progress, film, name, synopsis, captions, effort, codecs),
            priority,
            crypto_period_s,
            marked,
            series,
            launch_at,
        )
        if wait:
            job = follow(operator, job, progress)
            version = operator.get(f"/versions/{quote(job.version_id)}", Version)
    if not wait:
        if as_json:
            print_json(
                {
                    "title_id": job.title_id,
                    "version_id": job.version_id,
                    "trace_id": job.trace_id,
                    "effort": job.effort,
                }
            )
        else:
            plain.print(f"{as_is(name)} is being encoded: see `cuemark status`.")
    elif as_json:
        print_json(summary(job, version))
    else:
        console.print(ladder_table(version))


def ingest_film(
    operator: Operator,
    progress: Progress,
    film: Path,
    name: str,
    synopsis: str,
    captions: Mapping[str, Path],
    effort: Effort | None = None,
    codecs: Sequence[Codec] = (),
    priority: Priority = "normal",
    crypto_period_s: int | None = None,
    marked: bool = False,
    series: str = "",
    launch_at: datetime | None = None,
) -> Job:
    """Upload a film with its captions, make its title and start its encoding.

    ``captions`` are named by their language or, with a role, as ``en:sdh``. Without an
    ``effort``, ``codecs`` or ``crypto_period_s`` they are the install's.
    """
    upload_id = upload_file(operator, film, progress)
    sources = []
    for kind, path in captions.items():
        language, _, role = kind.partition(":")
        source = {"language": language, "upload_id": upload_file(operator, path, progress)}
        sources.append({**source, "role": role} if role else source)
    made = {"name": name, "synopsis": synopsis, "series": series, "launch_at": launch_at}
    title = operator.post("/titles", made, TitleMade)
    body = {
        "upload_id": upload_id,
        "captions": sources,
        "effort": effort,
        "codecs": list(codecs) or None,
        "priority": priority,
        "crypto_period_s": crypto_period_s,
        "marked": marked,
    }
    return operator.post(f"/titles/{title.title_id}/ingest", body, Job)


def summary(job: Job, version: Version) -> Ingested:
    return Ingested(
        title_id=job.title_id,
        version_id=job.version_id,
        watchable_s=job.watchable_s,
        good_s=job.good_s,
        renditions=[
            msgspec.convert(rendition, RenditionView, from_attributes=True)
            for rendition in version.renditions
        ],
        trace_id=job.trace_id,
        effort=job.effort,
    )


def progress_bars() -> Progress:
    return Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[amount]:<14}"),
        TimeElapsedColumn(),
        console=console,
    )


def upload_file(operator: Operator, path: Path, progress: Progress) -> str:
    """Upload a file under a bar, and return the upload's id."""
    task = progress.add_task("upload", total=path.stat().st_size, amount="")

    def tell(received: int) -> None:
        amount = f"{received / 1e6:.1f} MB" if received > 1e5 else f"{received / 1e3:.1f} kB"
        progress.update(task, completed=received, amount=amount)

    return operator.upload(path, tell)


def follow(operator: Operator, job: Job, progress: Progress) -> Job:
    """Show a bar for each stage until the job is done; raises ``Failure`` when it failed."""
    bars: dict[str, TaskID] = {}
    watchable, waiting = False, ""
    while job.state not in ("done", "failed"):
        _show_stages(job, bars, progress)
        if job.watchable_s is not None and not watchable:
            watchable = True
            progress.console.print(f"Watchable after {job.watchable_s:.1f} s.")
        if job.waiting and job.waiting != waiting:
            progress.console.print(f"{job.waiting[0].upper()}{job.waiting[1:]}.")
        waiting = job.waiting
        time.sleep(POLL_S)
        job = operator.get(f"/jobs/{quote(job.version_id)}", Job)
    _show_stages(job, bars, progress)
    for note in job.notes:
        progress.console.print(f"Note: {as_is(note)}.", soft_wrap=True)
    if job.state == "failed":
        raise Failure(job.error)
    if not _placed(operator, job):
        progress.console.print(
            "No appliance has the full version yet: the title plays it as soon as one has it."
        )
    return job


def _placed(operator: Operator, job: Job) -> bool:
    """Wait for the title to play its full version: what is published is a moment on its way."""
    until_s = time.monotonic() + PLACED_WITHIN_S
    path = f"/titles/{quote(job.title_id)}"
    while operator.get(path, TitleQuality).quality != "full":
        if time.monotonic() > until_s:
            return False
        time.sleep(POLL_S)
    return True


def _show_stages(job: Job, bars: dict[str, TaskID], progress: Progress) -> None:
    for stage in job.stages:
        if stage.stage not in bars:
            bars[stage.stage] = progress.add_task(stage.stage, total=None, amount="")
        progress.update(
            bars[stage.stage],
            total=stage.total,
            completed=stage.done,
            amount=f"{stage.done} of {stage.total}",
        )
        if stage.done >= stage.total:
            progress.stop_task(bars[stage.stage])


def ladder_table(version: Version) -> Table:
    table = Table(box=None, pad_edge=False, title="Ladder", title_justify="left")
    for column in ("Rendition", "Size", "kbit/s", "VMAF", "5th percentile", "Predicted"):
        table.add_column(column, justify="left" if column == "Rendition" else "right")
    for rendition in version.renditions:
        predicted = rendition.vmaf_predicted
        table.add_row(
            rendition.rendition_id,
            f"{rendition.width}x{rendition.height}",
            f"{rendition.bitrate_kbps:.0f}",
            f"{rendition.vmaf_mean:.1f}",
            f"{rendition.vmaf_p5:.1f}",
            "" if predicted is None else f"{predicted:.1f}",
        )
    return table
