"""A film in two codecs, from the file to the devices: each plays what it can decode best."""

from pathlib import Path
from typing import Any

import pytest

from samples.film import Film
from tests.e2e.installation import Installation, ffmpeg
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until_playing

NAME = "There in two codecs"
SECONDS, FRAME_RATE = 4, 12


@pytest.fixture(scope="module")
def made(
    running_cuemark: Installation, sample_film: Film, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """What ``ingest`` says of a short film that is also made in AV1."""
    film = tmp_path_factory.mktemp("codecs") / "film.mp4"
    excerpt = ["-t", str(SECONDS), "-vf", f"fps={FRAME_RATE},scale=320:180", "-crf", "14"]
    ffmpeg("-ss", "1.2", "-i", str(sample_film.path), excerpt, str(film))
    return running_cuemark.ingest(film, NAME, codecs=["av1"], effort="fast")


@pytest.mark.parametrize("manifest", ["dash", "hls"])
def test_the_reference_player_plays_the_newest_codec_or_what_it_is_asked_for(
    running_cuemark: Installation, made: Any, manifest: str
) -> None:
    for asked, played in (("", "av1"), ("--codec=h264", "h264")):
        report = running_cuemark.json(
            *("play", NAME, "--from=0", f"--format={manifest}"), *([asked] if asked else [])
        )
        assert (report["codec"], report["decode_errors"]) == (played, 0)
        assert report["frames"] == SECONDS * FRAME_RATE
        assert all(
            each["rung_id"].startswith("av1-") == (played == "av1") for each in report["rungs"]
        )


def test_every_rung_measures_what_was_told_and_the_report_has_both_hulls(
    running_cuemark: Installation, made: Any, tmp_path: Path
) -> None:
    renditions = made["renditions"]
    assert {each["codec"] for each in renditions} == {"h264", "av1"}
    for each in renditions:
        assert abs(each["vmaf_mean"] - each["vmaf_predicted"]) < 2
    page = tmp_path / "report.html"
    running_cuemark.cli("report", made["version_id"], f"--output={page}")
    text = page.read_text(encoding="utf-8")
    for said in ("H.264: convex hull", "AV1: convex hull", "AV1: published, as measured"):
        assert said in text


def test_a_codec_that_the_film_has_not_is_told(running_cuemark: Installation, made: Any) -> None:
    said = running_cuemark.cli("play", NAME, "--codec=hevc", expect=1).stderr
    assert "the film is not there in 'hevc': it has av1, h264" in said


def test_the_page_plays_the_codec_that_needs_fewer_bits(
    running_cuemark: Installation, member: Visitor, made: Any
) -> None:
    asked: list[str] = []
    member.page.on("request", lambda request: asked.append(request.url))
    member.watch(made["title_id"])
    until_playing(member.page)
    tracks = {url.split("/")[-2] for url in asked if ".m4s" in url}
    pictures = {track for track in tracks if not track.startswith("a-")}
    assert pictures, asked
    assert all(track.startswith("av1-") for track in pictures), pictures
    assert member.complaints == []
