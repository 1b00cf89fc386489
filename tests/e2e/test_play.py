"""The main job, end to end on real processes: a film in, frames out."""

import contextlib
import gzip
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import FILM, FRAME_RATE, FRAMES, SECONDS
from tests.e2e.installation import Installation, wait_until


def play(installation: Installation, *flags: str) -> Any:
    return installation.json("play", FILM, *flags)


@pytest.mark.parametrize("form", ["dash", "hls"])
def test_every_frame_is_decrypted_and_decoded(running_cuemark: Installation, form: str) -> None:
    report = play(running_cuemark, "--from=0", f"--format={form}", f"--as={form}@cuemark.example")
    assert report["frames"] == FRAMES
    assert (report["decode_errors"], report["stalls"]) == (0, 0)
    assert report["quality"] == "full"
    assert set(report["appliances"]) <= {"appliance-1", "appliance-2"}


def test_a_play_resumes_where_the_member_stopped(running_cuemark: Installation) -> None:
    member = "--as=resumer@cuemark.example"
    play(running_cuemark, member, "--from=0", "--seconds=4")
    report = play(running_cuemark, member, "--seconds=1")
    assert report["resumed_from_s"] == pytest.approx(4, abs=1)


def test_the_ladder_that_was_published_keeps_its_promises(running_cuemark: Installation) -> None:
    ingested = running_cuemark.ingested[FILM]
    rungs = ingested["renditions"]
    assert 0 < ingested["watchable_s"] < ingested["good_s"]
    assert [abs(r["vmaf_mean"] - r["vmaf_predicted"]) > 2 for r in rungs] == [False] * len(rungs)
    assert len(rungs) >= 2
    for lower, upper in pairwise(rungs):
        assert lower["bitrate_kbps"] < upper["bitrate_kbps"]
        assert lower["vmaf_mean"] < upper["vmaf_mean"]


STRANGER = """
import asyncio, concurrent.futures.thread, encodings.idna, os, sys
from cuemark.kit.process import run_and_leave
from cuemark.player.__main__ import main
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    try:
        os.listdir(sys.argv.pop(1))
    except PermissionError:
        pass
    else:
        sys.exit("the data folder can be read")
run_and_leave(main)
"""


def test_the_player_works_as_a_user_who_cannot_read_the_data_folder(
    running_cuemark: Installation,
) -> None:
    argv = [sys.executable, "-c", STRANGER]
    argv += [str(running_cuemark.folder)] if os.getuid() == 0 else []
    argv += ["--api", running_cuemark.api_url, "--code", running_cuemark.login_code()]
    done = subprocess.run(
        [*argv, FILM, "--seconds", "2", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["frames"] == 2 * FRAME_RATE


@pytest.mark.parametrize("flags", [(), ("--redirect",), ("--redirect", "--format=hls")])
def test_the_appliance_in_use_is_killed_and_the_play_goes_on(
    running_cuemark: Installation, flags: tuple[str, ...]
) -> None:
    member = "--as=failover@cuemark.example"
    with playing(running_cuemark, "--from=0", member, *flags) as result:
        used = busiest_appliance(running_cuemark)
        running_cuemark.kill_appliance(used)
    report = result()
    assert report["frames"] == FRAMES
    assert report["decode_errors"] == 0


@contextlib.contextmanager
def playing(installation: Installation, *flags: str) -> Iterator[Any]:
    """A play that runs while the block does; yields a function that waits for its report."""
    reports: list[Any] = []
    thread = threading.Thread(target=lambda: reports.append(play(installation, *flags)))
    thread.start()

    def result() -> Any:
        thread.join(60)
        return reports[0]

    try:
        yield result
    finally:
        thread.join(60)


def busiest_appliance(installation: Installation) -> str:
    """The appliance that answers a media request next."""
    logs = {
        appliance["id"]: installation.folder / "appliances" / appliance["id"]
        for appliance in installation.appliances
    }
    sizes = {name: access_bytes(folder) for name, folder in logs.items()}
    grown: list[str] = []

    def one_grew() -> bool:
        grown[:] = [name for name, folder in logs.items() if access_bytes(folder) > sizes[name]]
        return bool(grown)

    wait_until(one_grew, 20, "an appliance answers")
    return grown[0]


def access_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*access*") if path.is_file())


def test_one_trace_id_runs_through_the_log_and_the_appliances(
    running_cuemark: Installation,
) -> None:
    report = play(running_cuemark, "--from=0", "--seconds=1", "--as=traced@cuemark.example")
    trace_id = report["trace_id"]
    assert "control:all" in {event["process"] for event in running_cuemark.log(trace_id)}
    folders = [running_cuemark.folder / "appliances" / name for name in report["appliances"]]
    access = [p.read_text() for f in folders for p in f.rglob("*access*") if p.is_file()]
    assert any(trace_id in text for text in access)


def test_operators_see_what_was_delivered_to_a_play_and_what_its_player_told(
    running_cuemark: Installation,
) -> None:
    report = play(running_cuemark, "--from=0", "--seconds=2", "--as=counted@cuemark.example")

    def lines() -> list[dict[str, Any]]:
        said = running_cuemark.cli("traffic", "lines", "--json").stdout.splitlines()
        told = [json.loads(line) for line in said]
        return [each for each in told if each["line"].get("trace_id") == report["trace_id"]]

    def segments() -> list[dict[str, Any]]:
        return [each["line"] for each in lines() if each["line"]["cmcd"].get("ot") == "v"]

    wait_until(lambda: bool(segments()), 30, "the lines of the play are at control")
    assert {each["appliance_id"] for each in lines()} <= {"appliance-1", "appliance-2"}
    for line in segments():
        assert {"br", "bl", "d", "tb"} <= line["cmcd"].keys()
        assert line["cmcd"]["sid"] == report["trace_id"]
        assert line["cmcd"]["cid"] == report["title_id"]
    traffic = running_cuemark.json("traffic", "--title", FILM)["appliances"]
    assert "hit" in {share["outcome"] for each in traffic for share in each["shares"]}
    kept = (running_cuemark.folder / "telemetry" / "edge").rglob("*.ndjson.gz")
    assert all(b"2D3" not in gzip.decompress(path.read_bytes()) for path in kept)


def test_no_token_is_in_any_log(running_cuemark: Installation) -> None:
    for flags in ((), ("--redirect",)):
        member = "--as=secretive@cuemark.example"
        play(running_cuemark, "--from=0", "--seconds=1", member, *flags)
    for path in running_cuemark.folder.rglob("*"):
        if path.is_file() and ("log" in path.parts[-1] or "logs" in path.parts):
            text = path.read_text(errors="replace")
            assert "/t/2D3" not in text, f"{path} holds a media token"
            assert "Bearer " not in text, f"{path} holds a bearer token"
            assert not re.search("/media/[^{]", text), f"{path} holds a redirect token"


def test_plays_go_on_while_the_control_plane_is_dead(running_cuemark: Installation) -> None:
    control = psutil.Process(running_cuemark.status()["pids"]["control"])
    with playing(running_cuemark, "--from=0", "--as=stoic@cuemark.example") as result:
        busiest_appliance(running_cuemark)
        control.suspend()
        time.sleep(SECONDS)
        control.resume()
    report = result()
    assert (report["frames"], report["decode_errors"]) == (FRAMES, 0)
