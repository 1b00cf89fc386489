"""A film with several sounds, from the file to the device: each is offered, and played."""

import pytest

from tests.e2e.installation import Installation, ffmpeg
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until, until_playing

NAME = "Said in two languages"
SECONDS, FRAME_RATE = 5, 24


@pytest.fixture(scope="module")
def spoken(running_cuemark: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a title in English surround, with a French dub and a description."""
    film = tmp_path_factory.mktemp("spoken") / "film.mkv"
    sources = [
        f"testsrc2=s=192x108:r={FRAME_RATE}:d={SECONDS}",
        f"aevalsrc='0|0|0.2*sin(440*2*PI*t)|0|0|0':c=5.1:s=48000:d={SECONDS}",
        f"sine=880:d={SECONDS}",
        f"sine=1320:d={SECONDS}",
    ]
    ffmpeg(
        [item for source in sources for item in ("-f", "lavfi", "-i", source)],
        [item for n in range(len(sources)) for item in ("-map", str(n))],
        ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "flac"],
        ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"],
        ["-metadata:s:a:2", "language=eng", "-disposition:a:0", "default"],
        ["-disposition:a:1", "dub", "-disposition:a:2", "visual_impaired", str(film)],
    )
    running_cuemark.ingest(film, NAME, effort="fast")
    return running_cuemark.title_id(NAME)


@pytest.mark.parametrize("manifest", ["dash", "hls"])
def test_the_reference_player_plays_the_sound_that_it_is_asked_for(
    running_cuemark: Installation, spoken: str, manifest: str
) -> None:
    asked = {"": "a-en", "fr": "a-fr", "en:description": "a-en.description"}
    if manifest == "dash":
        asked |= {each: each for each in ("a-en.eac3", "a-fr.opus")}
    for audio, track in asked.items():
        report = running_cuemark.json(
            *("play", spoken, "--from=0", "--seconds=0.6"),
            *(f"--format={manifest}", f"--audio={audio}"),
        )
        assert report["audios"] == ["en", "fr", "en:description"]
        assert (report["audio_track"], report["decode_errors"]) == (track, 0)
        assert report["audio_segments"] > 0


def test_a_sound_that_the_film_has_not_is_told(running_cuemark: Installation, spoken: str) -> None:
    said = running_cuemark.cli("play", spoken, "--audio=de", expect=1).stderr
    assert "the film has no sound 'de': it has en, fr, en:description" in said


def test_the_page_offers_each_sound_by_its_name_and_plays_the_chosen_one(
    member: Visitor, spoken: str
) -> None:
    page = member.page
    member.watch(spoken)
    until_playing(page)
    until(page, lambda now: now["sound"] == "en", "the film's own sound")
    member.wake()
    page.get_by_role("button", name="Sound").click()
    offered = page.get_by_role("menuitemradio")
    assert offered.all_inner_texts() == ["English", "Français", "English (audio description)"]
    assert offered.first.get_attribute("aria-checked") == "true"
    page.get_by_role("menuitemradio", name="Français").click()
    until(page, lambda now: now["sound"] == "fr", "the chosen sound")
    member.watch(spoken)
    until_playing(page)
    until(page, lambda now: now["sound"] == "fr", "the sound that was chosen last time")
    assert member.complaints == []
