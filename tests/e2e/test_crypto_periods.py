"""A title whose keys change every few seconds, which no person may ask for, plays as any other."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from cuemark.app import settings
from cuemark.app.cli.client import Operator
from cuemark.app.cli.ingest import TitleMade
from cuemark.app.folder import DataFolder
from cuemark.app.system import install_on
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.jobs import Ingest, Job
from cuemark.contracts.ids import TitleId, UploadId
from cuemark.kit.channel import Channel
from cuemark.kit.clock import SystemClock
from cuemark.kit.link import connect
from cuemark.kit.passport import Passport, PassportOffice
from tests.e2e.installation import Installation, ffmpeg, wait_until
from tests.e2e.page.conftest import launch
from tests.e2e.page.looking import diagnostics, until, until_playing
from tests.e2e.test_protection import Member

pytestmark = pytest.mark.slow

FILM, SECONDS, RATE, PERIOD_S = "Of many keys", 9, 24, 2.5


@pytest.fixture(scope="module")
def house(running_cuemark: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    film = tmp_path_factory.mktemp("periods") / "film.mp4"
    picture = f"testsrc2=size=256x144:rate={RATE}:duration={SECONDS}"
    tone = f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-c:a", "aac", str(film))
    ingest(running_cuemark, film)
    return running_cuemark


def ingest(cuemark: Installation, film: Path) -> None:
    """As the command line does, but for what it lets nobody ask for: such short periods."""
    with Operator(DataFolder(cuemark.folder), 60) as operator:
        upload_id = operator.upload(film, lambda _: None)
        title = operator.post("/titles", {"name": FILM, "synopsis": ""}, TitleMade)
        job = asyncio.run(asked_inside(cuemark, TitleId(title.title_id), UploadId(upload_id)))

        def done() -> bool:
            now = operator.get(f"/jobs/{job.version_id}", Job)
            assert now.state != "failed", now.error
            return now.state == "done"

        wait_until(done, 300, "the title is encoded")

    def plays_in_full() -> bool:
        titles = cuemark.json("titles")["titles"]
        return any((each["name"], each["quality"]) == (FILM, "full") for each in titles)

    wait_until(plays_in_full, 20, "the title plays its full version")


async def asked_inside(cuemark: Installation, title_id: TitleId, upload_id: UploadId) -> Job:
    folder = DataFolder(cuemark.folder)
    install = install_on(folder, settings.load(cuemark.folder))
    office = PassportOffice(folder.secret("passport_key"), SystemClock())
    passport = Passport(subject="test", role="service")
    channel = Channel(install.internal_url, lambda: office.mint(passport))
    try:
        encoding = connect(Encoding, channel)
        return await encoding.ingest(
            Ingest(
                title_id=title_id,
                upload_id=upload_id,
                crypto_period_s=PERIOD_S,
                effort="fast",
            )
        )
    finally:
        await channel.close()


@pytest.mark.parametrize("form", ["dash", "hls"])
def test_the_reference_player_plays_over_all_boundaries(house: Installation, form: str) -> None:
    report = house.json("play", FILM, "--from=0", f"--format={form}")
    assert report["frames"] == SECONDS * RATE
    assert (report["decode_errors"], report["stalls"]) == (0, 0)


@pytest.mark.parametrize("form", ["dash", "hls"])
def test_a_play_begins_within_a_later_period(house: Installation, form: str) -> None:
    report = house.json("play", FILM, "--from=6.5", "--seconds=1", f"--format={form}")
    assert report["frames"] == pytest.approx(RATE, abs=1)
    assert (report["decode_errors"], report["stalls"]) == (0, 0)


def test_every_period_has_keys_that_no_other_has(house: Installation) -> None:
    member = Member(house)
    play = member.start(house.title_id(FILM))
    mpd = member.ask("GET", play["dash_url"]).decode()
    periods = mpd.split("<Period ")[1:]
    assert len(periods) >= 4
    kids = [set(re.findall(r'default_KID="([^"]+)"', each)) for each in periods]
    assert all(len(each) == 2 for each in kids)
    assert len(set.union(*kids)) == 2 * len(periods)


def test_a_browser_plays_over_four_boundaries_and_seeks_back(house: Installation) -> None:
    title_id = house.title_id(FILM)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.goto(house.login_link())
        page.get_by_role("heading", name="All titles").wait_for()
        page.goto(f"{house.member_url.rstrip('/')}/watch/{title_id}")
        until_playing(page)
        now = until(page, lambda now: now["picture_s"] > 7.6, "the fifth period")
        assert now["stalls"] == 0
        assert now["frames"] > 7 * RATE * 0.8
        assert now["duration_s"] == pytest.approx(SECONDS, abs=0.05)
        assert abs(now["picture_s"] - now["position_s"]) < 0.3
        page.keyboard.press("ArrowLeft")
        back = until(page, lambda now: now["picture_s"] < 2, "the first period again")
        until(page, lambda now: now["frames"] > back["frames"] + 10, "the film goes on there")
        last = diagnostics(page)
        assert last is not None
        assert (last["restarts"], last["left"]) == (0, [])
        browser.close()
