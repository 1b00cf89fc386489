"""A film of HDR10, from the file to the devices: none gets it that does not show it."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until_playing
from tests.integration.encoding.high_range import FRAMES, high_range

NAME = "Bright as day"


@pytest.fixture(scope="module")
def made(running_cuemark: Installation, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What ``ingest`` says of a short film of HDR10 that is also made in AV1."""
    film = high_range(tmp_path_factory.mktemp("high range") / "film.mp4")
    return running_cuemark.ingest(film, NAME, codecs=["av1"], effort="fast")


@pytest.mark.parametrize("manifest", ["dash", "hls"])
def test_the_reference_player_plays_hdr_where_it_is_asked_for_alone(
    running_cuemark: Installation, made: Any, manifest: str
) -> None:
    for asked, name in (("", r"av1-\d"), ("--dynamic-range=pq", r"av1-pq-\d")):
        report = running_cuemark.json(
            *("play", NAME, "--from=0", f"--format={manifest}"), *([asked] if asked else [])
        )
        assert report["dynamic_range"] == ("pq" if asked else "sdr")
        assert (report["frames"], report["decode_errors"]) == (FRAMES, 0)
        assert all(re.match(name, each["rung_id"]) for each in report["rungs"]), report["rungs"]


def test_every_range_passes_the_gate_and_the_report_tells_them_apart(
    running_cuemark: Installation, made: Any, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    running_cuemark.cli("report", made["version_id"], f"--output={page}")
    text = page.read_text(encoding="utf-8")
    for said in ("AV1: published, as measured", "AV1 HDR10: published, as measured"):
        assert said in text
    kinds = {(each["codec"], each["dynamic_range"]) for each in made["renditions"]}
    assert kinds == {("h264", "sdr"), ("av1", "sdr"), ("av1", "pq")}
    for each in made["renditions"]:
        assert abs(each["vmaf_mean"] - each["vmaf_predicted"]) < 2


def test_a_range_that_the_film_has_not_is_told(running_cuemark: Installation, made: Any) -> None:
    said = running_cuemark.cli("play", NAME, "--dynamic-range=hlg", expect=1).stderr
    assert "the film is not there in the dynamic range 'hlg': it has pq, sdr" in said


def test_the_page_gives_a_screen_of_standard_range_nothing_else(
    running_cuemark: Installation, member: Visitor, made: Any
) -> None:
    assert not member.page.evaluate("matchMedia('(dynamic-range: high)').matches")
    asked: list[str] = []
    member.page.on("request", lambda request: asked.append(request.url))
    member.watch(made["title_id"])
    until_playing(member.page)
    tracks = {url.split("/")[-2] for url in asked if ".m4s" in url}
    assert tracks, asked
    assert not any("pq" in track for track in tracks), tracks
    assert member.complaints == []
