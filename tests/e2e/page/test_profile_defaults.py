"""What a profile says of sound, captions and the next episode, in the player."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.installation import Installation, ffmpeg
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import diagnostics, until, until_playing

pytestmark = pytest.mark.slow

SECONDS, FRAME_RATE = 6, 24
COUNTDOWN_MS = 10_000
"""Longer than the page waits before it begins the next episode."""
CAPTIONS = {"en": "Who is there?", "de": "Wer ist da?"}


@pytest.fixture(scope="module")
def episodes(
    running_cuemark: Installation, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str]:
    """Two episodes that follow each other, in English with a French dub and two captions."""
    folder = tmp_path_factory.mktemp("episodes")
    film = folder / "film.mkv"
    sources = [
        f"testsrc2=s=192x108:r={FRAME_RATE}:d={SECONDS}",
        *(f"sine={tone}:d={SECONDS}" for tone in (440, 880)),
    ]
    ffmpeg(
        [item for source in sources for item in ("-f", "lavfi", "-i", source)],
        [item for n in range(len(sources)) for item in ("-map", str(n))],
        ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "flac"],
        ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra"],
        ["-disposition:a:0", "default", "-disposition:a:1", "dub", str(film)],
    )
    captions: dict[str, Path] = {}
    for language, said in CAPTIONS.items():
        captions[language] = folder / f"{language}.vtt"
        captions[language].write_text(f"WEBVTT\n\n00:00.000 --> 00:05.500\n{said}\n")
    series = running_cuemark.json("works", "create", "series", "Two languages")["work_id"]
    season = running_cuemark.json("works", "create", "season", "One", "--in", series, "--number=1")
    found = []
    for number, name in enumerate(("The first", "The second"), start=1):
        running_cuemark.ingest(film, name, captions, effort="fast")
        found.append(running_cuemark.title_id(name))
        place = ("works", "place", found[-1], "--in", season["work_id"], f"--number={number}")
        running_cuemark.cli(*place)
    return found[0], found[1]


def _edit(page: Page, name: str) -> None:
    page.get_by_role("link", name="change who is watching").click()
    page.get_by_role("link", name="Manage profiles").click()
    page.get_by_role("button", name=name).first.click()


def _save_and_be(page: Page, name: str) -> None:
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name=name).first.click()
    page.get_by_role("heading", name="All titles").wait_for()


def test_a_film_begins_in_the_languages_of_the_profile_until_another_is_chosen(
    member: Visitor, episodes: tuple[str, str]
) -> None:
    page, first = member.page, episodes[0]
    member.watch(first)
    until_playing(page)
    until(page, lambda now: (now["sound"], now["caption"]) == ("en", ""), "as the film has it")
    page.goto(member.origin)
    _edit(page, "Add a profile")
    page.get_by_label("Name").fill("Zoe")
    page.get_by_label("Preferred sound").select_option("fr")
    page.get_by_label("Preferred captions").select_option("de")
    _save_and_be(page, "Zoe")
    member.watch(first)
    until_playing(page)
    until(page, lambda now: (now["sound"], now["caption"]) == ("fr", "de"), "as the profile says")
    page.locator(".captions").get_by_text(CAPTIONS["de"]).wait_for()
    member.wake()
    page.get_by_role("button", name="Sound").click()
    page.get_by_role("menuitemradio", name="English").click()
    until(page, lambda now: now["sound"] == "en", "the sound that was chosen")
    member.watch(first)
    until_playing(page)
    until(page, lambda now: (now["sound"], now["caption"]) == ("en", "de"), "as was chosen here")
    assert member.complaints == []


def test_the_next_episode_begins_by_itself_unless_it_is_told_not_to(
    member: Visitor, episodes: tuple[str, str]
) -> None:
    page, (first, second) = member.page, episodes
    member.watch(first)
    until_playing(page)
    page.get_by_role("link", name="Next: The second").wait_for()
    page.get_by_text("Begins in").wait_for()
    page.get_by_role("button", name="Not now").click()
    page.wait_for_timeout(COUNTDOWN_MS)
    assert page.url.endswith(f"/watch/{first}")
    page.get_by_role("button", name="Watch again").click()
    until_playing(page)
    page.get_by_text("Begins in").wait_for()
    page.wait_for_url(f"**/watch/{second}")
    until_playing(page)
    assert member.complaints == []


def test_a_profile_without_autoplay_stays_at_the_end(
    member: Visitor, episodes: tuple[str, str]
) -> None:
    page, first = member.page, episodes[0]
    _edit(page, "Edit")
    page.get_by_label("The next episode begins by itself").uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Done").wait_for()
    member.watch(first)
    until_playing(page)
    page.get_by_role("link", name="Next: The second").wait_for()
    assert page.get_by_text("Begins in").count() == 0
    page.wait_for_timeout(COUNTDOWN_MS)
    now = diagnostics(page)
    assert now is not None
    assert now["phase"] == "ended"
    assert page.url.endswith(f"/watch/{first}")
    assert member.complaints == []
