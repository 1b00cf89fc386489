"""Ingest: what each stage costs, and when a film can be watched and when it is good."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import msgspec

from benches.children import run
from benches.figures import Anchor, Figure, figure
from benches.spread import covered_s
from benches.stand import Install, Made, Stand
from cuemark.contracts.encoding.versions import Version
from cuemark.kit.cost import Cost, Meter

ABOUT = """
A film is uploaded to a fresh install with two workers, and the cost of each stage is read from
the structured log: wall is the time in which at least one worker was at that stage, CPU the
kernel's account of the worker's thread and of the tools that it waited for. Seconds are per
minute of film; a short film pays the same start of each tool. *VMAF in all of it* is part of the
quick version, the probes and the gate. *The whole install* is the CPU of all of its processes
from the upload to the full version.

The anchor is one run of FFmpeg over the same film: one pass of x264, preset medium, with the
rungs that Cuemark published (their sizes and bitrates) and AAC at 128 kbit/s, on all cores; it
searches no ladder, measures no quality, encrypts nothing. Shaka Streamer, which runs FFmpeg on a
fixed ladder and packages, does that work too and is not measured apart. The CPU of a frame stands
beside what the same step of FFmpeg took on another machine of this kind.
"""

_STAGES = {
    "inspection": [("inspect", "inspect"), ("shots", "shots")],
    "sound and captions": [("sound", "audio"), ("captions", "captions")],
    "quick version": [("encode", "quick"), ("join", "quick"), ("score", "quick")],
    "probes": [("probe", "probes"), ("ceiling", "probes"), ("score", "probes")],
    "ladder encodes": [("encode", "encode")],
    "gate": [("join", "verify"), ("score", "verify")],
    "packaging": [("package", "package")],
    "validation": [("validate", "publish")],
}
HD_LINES = 720
_SCORED = {"chunk_scored", "rung_scored"}


class Work(msgspec.Struct, frozen=True):
    """One event that tells of work: what it was, when it ended, what it cost."""

    event: str
    ended_at: datetime = msgspec.field(name="timestamp")
    wall_s: float
    cpu_s: float
    kind: str = ""
    stage: str = ""
    version_id: str = ""
    trace_id: str = ""
    frames: int = 0
    height: int = 0
    preset: str = ""

    @property
    def span(self) -> tuple[float, float]:
        end_s = self.ended_at.timestamp()
        return end_s - self.wall_s, end_s


def measure(stand: Stand) -> list[Figure]:
    films = {"trailer": stand.trailer()}
    if not stand.quick:
        films["demo film"] = stand.sample()
    figures: list[Figure] = []
    for name, film in films.items():
        made = stand.made(film)
        stand.tell(f"encoding {film.stem} with plain FFmpeg")
        plain = plain_ladder(made.film, made.version, stand.scratch("plain"))
        figures += of_film(name, made, work_of(stand.install(), made), plain)
    return figures


def work_of(install: Install, made: Made) -> list[Work]:
    """The work that went into a film's versions, from the log."""
    told = [_work(event) for event in install.events() if "cpu_s" in event]
    versions = {made.job.version_id, made.job.quick_version_id}
    traces = {each.trace_id for each in told if each.version_id in versions}
    return [each for each in told if each.trace_id in traces]


def _work(event: dict[str, Any]) -> Work:
    return msgspec.convert(event, Work)


def of_film(name: str, made: Made, work: Sequence[Work], plain: Cost) -> list[Figure]:
    """The figures of one film."""
    minutes = made.version.duration_s / 60
    rows: list[Figure] = []

    def add(what: str, some: Sequence[Work]) -> None:
        wall_s = covered_s(each.span for each in some) / minutes
        cpu_s = sum(each.cpu_s for each in some) / minutes
        rows.append(figure(f"ingest: {name}, {what}: wall", wall_s, "s/min of film"))
        rows.append(figure(f"ingest: {name}, {what}: CPU", cpu_s, "s/min of film"))

    tasks = [each for each in work if each.event == "task_finished"]
    for what, kinds in _STAGES.items():
        add(what, [each for each in tasks if (each.kind, each.stage) in kinds])
    published = [each for each in work if each.event == "version_published"]
    add("publishing", published)
    add("VMAF in all of it", [each for each in work if each.event in _SCORED])
    rows += _of_frames(name, made, work)

    anchor = Anchor("FFmpeg, one pass, same rungs", plain.cpu_s / minutes)
    ladder_s = sum(each.cpu_s for each in tasks if (each.kind, each.stage) == ("encode", "encode"))
    all_s = sum(each.cpu_s for each in [*tasks, *published])
    install_s = sum(made.after.values()) - sum(made.before.values())
    for what, cpu_s in (
        ("ladder encodes alone", ladder_s),
        ("all stages", all_s),
        ("the whole install", install_s),
    ):
        named = f"ingest: {name}, {what}: CPU against plain"
        rows.append(figure(named, cpu_s / minutes, "s/min of film", anchor))
    good = Anchor(anchor.name, plain.wall_s)
    rows.append(figure(f"ingest: {name}, to watchable", made.job.watchable_s or 0, "s", good))
    rows.append(figure(f"ingest: {name}, to good", made.job.good_s or 0, "s", good))
    rows.append(figure(f"ingest: {name}, length", made.version.duration_s, "s"))
    return rows


def _of_frames(name: str, made: Made, work: Sequence[Work]) -> list[Figure]:
    """CPU of a frame at 720 lines, beside what FFmpeg took elsewhere for the same step."""
    if max(each.height for each in made.version.renditions) != HD_LINES:
        return []
    encodes = [each for each in work if each.event == "chunk_encoded" and each.height == HD_LINES]
    steps = {
        "x264 medium": ([each for each in encodes if each.preset == "medium"], 52),
        "x264 veryfast": ([each for each in encodes if each.preset == "veryfast"], 20),
        "VMAF of every fifth": ([each for each in work if each.event in _SCORED], 14),
    }
    return [
        figure(
            f"ingest: {name}, {what}: CPU of a frame of 720 lines",
            1000 * sum(each.cpu_s for each in some) / sum(each.frames for each in some),
            "ms",
            Anchor("FFmpeg, elsewhere", anchor_ms),
        )
        for what, (some, anchor_ms) in steps.items()
        if some
    ]


def plain_ladder(film: Path, version: Version, folder: Path) -> Cost:
    """What FFmpeg takes for the rungs of a version, in one run."""
    argv = plain_argv(imageio_ffmpeg.get_ffmpeg_exe(), film, version, folder)
    meter = Meter()
    run(argv, limit_s=3600)
    return meter.cost


def plain_argv(ffmpeg: str, film: Path, version: Version, folder: Path) -> list[str]:
    """One decoding, a scaler and one x264 for each rendition, and the sound once."""
    rungs = version.renditions
    labels = "".join(f"[s{number}]" for number in range(len(rungs)))
    graph = [f"[0:v]split={len(rungs)}{labels}"]
    outputs: list[str] = []
    for number, rung in enumerate(rungs):
        graph.append(f"[s{number}]scale={rung.width}:{rung.height}:flags=bicubic[v{number}]")
        kbps = rung.bitrate_kbps
        outputs += ["-map", f"[v{number}]", "-c:v", "libx264", "-preset", "medium"]
        outputs += ["-b:v", f"{kbps:.0f}k", "-maxrate", f"{1.5 * kbps:.0f}k"]
        outputs += ["-bufsize", f"{2 * kbps:.0f}k", "-force_key_frames", "expr:gte(t,n_forced*2)"]
        outputs += [str(folder / f"{rung.rendition_id}.mp4")]
    if version.audio:
        outputs += ["-map", "0:a:0", "-c:a", "aac", "-b:a", "128k", str(folder / "sound.mp4")]
    read = [ffmpeg, "-nostdin", "-v", "error", "-y", "-i", str(film)]
    return [*read, "-filter_complex", ";".join(graph), *outputs]
