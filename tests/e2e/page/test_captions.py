"""Captions of one language in several kinds, from the files to the screen."""

from pathlib import Path

import pytest

from cuemark.app.cli.client import Operator
from cuemark.app.folder import DataFolder
from cuemark.contracts.encoding.jobs import Job
from tests.e2e.installation import Installation, ffmpeg
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until, until_playing

NAME = "Signs and voices"
SECONDS = 6
_TTML = """<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"
  xml:lang="en"><head><layout><region xml:id="high" tts:displayAlign="before"
  tts:origin="10% 5%" tts:extent="80% 30%"/></layout></head><body><div>
  <p region="high" begin="0s" end="5s">(a <span tts:fontStyle="italic">door</span>)</p>
</div></body></tt>
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("captions")
    said = {
        "en": "WEBVTT\n\n00:00.000 --> 00:05.500\nWho is there?\n",
        "en:sdh": _TTML,
        "en:forced": "1\n00:00:00,000 --> 00:00:05,000\nEXIT\n",
        "de:forced": "1\n00:00:00,000 --> 00:00:05,000\nAUSGANG\n\n"
        "2\n00:00:05,100 --> 00:00:05,200\nviel zu kurz\n",
    }
    found = {}
    for kind, text in said.items():
        found[kind] = folder / f"{kind.replace(':', '.')}.txt"
        found[kind].write_text(text, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def captioned(
    running_cuemark: Installation,
    small_film: Path,
    files: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """The id of a title whose sound says that it is German."""
    film = tmp_path_factory.mktemp("captioned") / "film.mp4"
    flags = ["-t", str(SECONDS), "-vf", "scale=320:180", "-c:a", "copy"]
    ffmpeg("-i", str(small_film), flags, "-metadata:s:a:0", "language=deu", str(film))
    running_cuemark.ingest(film, NAME, files, effort="fast")
    return running_cuemark.title_id(NAME)


def test_forced_captions_show_while_captions_are_off_and_each_kind_can_be_chosen(
    member: Visitor, captioned: str
) -> None:
    page = member.page
    shown = page.locator(".captions")
    member.watch(captioned)
    until_playing(page)
    until(page, lambda now: now["forced_caption"] == "de", "the forced captions of the sound")
    shown.get_by_text("AUSGANG").wait_for()
    member.wake()
    page.get_by_role("button", name="Captions").click()
    offered = page.get_by_role("menuitemradio")
    assert offered.all_inner_texts() == ["Off", "English", "English (SDH)"]
    assert offered.first.get_attribute("aria-checked") == "true"
    page.get_by_role("menuitemradio", name="English (SDH)").click()
    until(page, lambda now: now["caption"] == "en:sdh", "the chosen captions")
    page.keyboard.press("ArrowLeft")
    shown.get_by_text("(a door)").wait_for()
    assert "AUSGANG" not in shown.inner_text()
    page.keyboard.press("c")
    until(page, lambda now: now["caption"] == "" and now["forced_caption"] == "de", "captions off")
    assert member.complaints == []


def test_the_reference_player_counts_each_track_and_the_operator_reads_what_is_odd(
    running_cuemark: Installation, captioned: str, tmp_path: Path
) -> None:
    for manifest in ("dash", "hls"):
        report = running_cuemark.json(
            "play", captioned, "--from=0", "--seconds=2", f"--format={manifest}"
        )
        assert report["caption_cues"] == {"en": 1, "en:sdh": 1, "en:forced": 1, "de:forced": 2}
    version_id = running_cuemark.ingested[NAME]["version_id"]
    with Operator(DataFolder(running_cuemark.folder)) as operator:
        job = operator.get(f"/jobs/{version_id}", Job)
    odd = [
        "captions in de (forced): 1 of 2 with more than 20 characters a second to read, "
        "the first at 0:00:05.1",
        "captions in de (forced): 1 of 2 shown for less than 0.83 s, the first at 0:00:05.1",
    ]
    assert job.notes[-2:] == odd
    page = tmp_path / "report.html"
    running_cuemark.cli("report", version_id, f"--output={page}")
    text = page.read_text(encoding="utf-8")
    assert "en, en (SDH), en (forced), de (forced)" in text
    for note in odd:
        assert f"{note[0].upper()}{note[1:]}." in text
