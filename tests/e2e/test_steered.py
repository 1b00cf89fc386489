"""Plays that run are led away from an appliance and back, and nobody who watches can tell."""

import json
import threading
from itertools import groupby
from typing import Any

import pytest

from cuemark.app.cli.client import Operator
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.versions import Version
from tests.e2e.conftest import LONG_FILM
from tests.e2e.installation import Installation, wait_until

FIRST, SECOND = "appliance-1", "appliance-2"
SECONDS = 28
AHEAD = 1.15
"""What the line carries beside what the film takes: so little is fetched ahead that a play still
fetches when it is led back."""


class Access:
    """What an appliance's own log says of plays, by their traces."""

    def __init__(self, installation: Installation, appliance_id: str) -> None:
        folder = installation.folder / "appliances" / appliance_id
        (self._log,) = folder.rglob("access.jsonl")
        self._from = self._log.stat().st_size
        self._name = appliance_id

    def lines(self) -> list[dict[str, Any]]:
        with self._log.open("rb") as log:
            log.seek(self._from)
            told = [json.loads(line) for line in log if line.endswith(b"\n")]
        return [{**line, "at": self._name} for line in told if _is_of_player(line)]

    def traces(self) -> set[str]:
        return {str(line["trace_id"]) for line in self.lines()}


def _is_of_player(line: dict[str, Any]) -> bool:
    """Appliances ask one another, too, and do not tell how much a viewer has ahead."""
    return "ot=" in line["cmcd"] and not line["appliance"]


def thin_kbps(installation: Installation, title_id: str) -> float:
    """A line that carries little more than the lowest rung with its sound."""
    with Operator(DataFolder(installation.folder)) as operator:
        version_id = installation.ingested[LONG_FILM]["version_id"]
        version = operator.get(f"/versions/{version_id}", Version)
    lowest_kbps = min(each.bitrate_kbps for each in version.renditions)
    return AHEAD * (lowest_kbps + max(each.bitrate_kbps for each in version.audio))


def test_drained_appliances_are_left_in_mid_play_and_come_back_in_dash_and_in_hls(
    running_cuemark: Installation, long_title_id: str
) -> None:
    line = f"--throttle-kbps={thin_kbps(running_cuemark, long_title_id):.0f}"
    at_first, at_second = (Access(running_cuemark, name) for name in (FIRST, SECOND))
    reports: dict[str, Any] = {}

    def watch(form: str) -> None:
        who = [f"--as=led-{form}@cuemark.example", "--from=0", f"--seconds={SECONDS}"]
        reports[form] = running_cuemark.json("play", LONG_FILM, f"--format={form}", line, *who)

    drain, undrain = ("appliances", "drain"), ("appliances", "undrain")
    running_cuemark.cli(*drain, SECOND)
    watching = [threading.Thread(target=watch, args=(form,)) for form in ("dash", "hls")]
    try:
        for thread in watching:
            thread.start()
        wait_until(lambda: len(at_first.traces()) == 2, 30, "both plays fetch from the first")
        running_cuemark.cli(*undrain, SECOND)
        running_cuemark.cli(*drain, FIRST)
        wait_until(lambda: len(at_second.traces()) == 2, 30, "both plays fetch from the second")
        running_cuemark.cli(*undrain, FIRST)
        for thread in watching:
            thread.join(60)
    finally:
        for name in (FIRST, SECOND):
            running_cuemark.cli(*undrain, name)
    for form in ("dash", "hls"):
        led_there_and_back(reports[form], at_first.lines() + at_second.lines())
        begun_once(running_cuemark, reports[form]["trace_id"])


def led_there_and_back(report: Any, log: list[dict[str, Any]]) -> None:
    """By the player's account and by the appliances' own."""
    assert report["seconds_played"] == pytest.approx(SECONDS, abs=0.5)
    assert (report["decode_errors"], report["appliance_failures"]) == (0, {})
    moves = [(each["left"], each["to"]) for each in report["moves"] if each["why"] == "steered"]
    assert moves == [(FIRST, SECOND), (SECOND, FIRST)], report["moves"]
    assert {each["why"] for each in report["moves"]} <= {"steered", "tried", "back"}
    assert report["steering_answers"] >= 3
    own = sorted(
        (line for line in log if line["trace_id"] == report["trace_id"]),
        key=lambda line: line["at_s"],
    )
    assert {line["status"] for line in own} == {200}
    # On a busy machine a second appliance may be asked, too, while the first one hesitates.
    stray = report["hedged_requests"] + sum(each["why"] == "tried" for each in report["moves"])
    runs = [(name, len(list(lines))) for name, lines in groupby(own, lambda line: line["at"])]
    long_ones = [name for name, _ in groupby(name for name, count in runs if count > stray)]
    assert long_ones == [FIRST, SECOND, FIRST], (runs, stray)


def begun_once(installation: Installation, trace_id: str) -> None:
    """No play was started anew, and no manifest read again."""
    asked = [each for each in installation.log(trace_id) if each.get("event") == "request"]
    plays = [each for each in asked if each["method"] == "POST" and each["route"].endswith("plays")]
    assert len(plays) == 1
    manifests = [each for each in asked if "m3u8" in each["route"] or "mpd" in each["route"]]
    assert [each["status"] for each in manifests] == [200]
    assert [each["status"] for each in asked if "steering" in each["route"]] == [200] * 3
