"""What the log says of a film's stages becomes the figures of ingest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benches.ingest import Work, of_film, plain_argv
from benches.stand import Made
from cuemark.contracts.encoding.jobs import Job
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.kit.cost import Cost
from tests.unit.playback.versions import version

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
VERSION = version()
MINUTES = VERSION.duration_s / 60


def made() -> Made:
    job = Job(
        version_id=VersionId("ver_1"),
        title_id=TitleId("ttl_1"),
        state="done",
        quick_version_id=VersionId("ver_2"),
        stages=[],
        created_at=BEGUN,
        watchable_s=6.0,
        good_s=60.0,
    )
    return Made(Path("film.mp4"), job, VERSION, {"worker-1": 1.0}, {"worker-1": 31.0})


def work(event: str, kind: str, stage: str, ended_s: float, cpu_s: float) -> Work:
    return Work(
        event, BEGUN + timedelta(seconds=ended_s), 2.0, cpu_s, kind=kind, stage=stage, frames=10
    )


def test_two_workers_at_one_stage_cost_their_cpu_but_not_their_wall_time_twice() -> None:
    told = [
        work("task_finished", "encode", "encode", 10.0, 2.0),
        work("task_finished", "encode", "encode", 11.0, 2.0),
        work("task_finished", "encode", "quick", 5.0, 1.0),
        work("rung_scored", "", "", 12.0, 1.5),
    ]
    rows = {each.what: each for each in of_film("clip", made(), told, Cost(20.0, 10.0))}
    assert rows["clip, ladder encodes: wall"].value == pytest.approx(3.0 / MINUTES, rel=0.01)
    assert rows["clip, ladder encodes: CPU"].value == pytest.approx(4.0 / MINUTES, rel=0.01)
    assert rows["clip, quick version: CPU"].value == pytest.approx(1.0 / MINUTES, rel=0.01)
    assert rows["clip, VMAF in all of it: CPU"].value == pytest.approx(1.5 / MINUTES, rel=0.01)
    assert rows["clip, VMAF of every fifth: CPU of a frame of 720 lines"].value == 150
    assert rows["clip, all stages: CPU against plain"].ratio == pytest.approx(0.5)
    assert rows["clip, the whole install: CPU against plain"].ratio == pytest.approx(3.0)
    assert rows["clip, to good"].ratio == pytest.approx(3.0)


def test_plain_ffmpeg_makes_every_rung_at_its_size_and_bitrate() -> None:
    argv = plain_argv("ffmpeg", Path("film.mp4"), VERSION, Path("out"))
    graph = argv[argv.index("-filter_complex") + 1]
    for rung in VERSION.renditions:
        assert f"scale={rung.width}:{rung.height}" in graph
        assert f"{rung.bitrate_kbps:.0f}k" in argv
    assert argv.count("libx264") == len(VERSION.renditions)
