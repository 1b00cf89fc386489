"""A film in a real browser: decrypted, captioned, resumed, and never shown without a key."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route

from cuemark.edge import cmcd
from samples.film import Film
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import (
    diagnostics,
    difference,
    halt,
    picture_of,
    picture_on_screen,
    until,
    until_playing,
)

pytestmark = pytest.mark.slow

ALIKE = 12.0
"""Mean absolute difference, of 255, that encoding, scaling and one frame of slip may make."""

WATCH_EME = """
    window.asked = [];
    const real = MediaKeySession.prototype.update;
    MediaKeySession.prototype.update = function (answer) {
      window.asked.push(new TextDecoder().decode(answer));
      return real.call(this, answer);
    };
"""


def test_an_encrypted_title_shows_the_films_own_picture(
    member: Visitor, title_id: str, frame_of: Callable[[float], Path]
) -> None:
    page = member.page
    page.add_init_script(WATCH_EME)
    member.watch(title_id)
    until_playing(page)
    until(page, lambda now: now["picture_s"] > 1.5, "a second and a half of film")
    now = halt(page)
    assert page.evaluate("document.querySelector('video').mediaKeys !== null")
    assert '"kty":"oct"' in page.evaluate("window.asked.join()").replace(" ", "")
    seen = picture_on_screen(page)
    assert seen.std() > 5, "the screen shows one flat color"
    there = difference(seen, picture_of(frame_of(now["picture_s"])))
    elsewhere = difference(seen, picture_of(frame_of(now["picture_s"] + 4)))
    assert there < ALIKE
    assert there < elsewhere / 2, "another moment of the film would do as well"
    assert member.complaints == []


@pytest.mark.parametrize("licence", ["refused", "empty"])
def test_without_a_key_there_is_no_picture(member: Visitor, title_id: str, licence: str) -> None:
    page = member.page
    if licence == "refused":
        body = '{"error": {"code": "licence_refused", "message": "Not for you."}}'
        page.route("**/licence*", lambda route: route.fulfill(status=403, body=body))
    else:
        body = '{"keys": [], "type": "temporary"}'
        page.route("**/licence*", lambda route: route.fulfill(status=200, body=body))
    with page.expect_response("**/licence*"):
        member.watch(title_id)
    page.wait_for_timeout(4_000)
    now = diagnostics(page)
    assert now is not None
    assert now["frames"] == 0
    assert page.evaluate("document.querySelector('video').videoWidth") in (0, now["width"])
    if licence == "refused":
        assert "licence" in page.get_by_role("alert").inner_text()


def test_a_reload_goes_on_where_it_was(member: Visitor, title_id: str) -> None:
    page = member.page
    member.watch(title_id)
    until_playing(page)
    before = until(page, lambda now: now["position_s"] > 3.0, "three seconds of film")
    page.reload()
    after = until_playing(page)
    resumed = page.get_by_text("Resumed at")
    resumed.wait_for()
    first_s = after["position_s"] - after["frames"] / 20
    assert before["position_s"] - 2 <= first_s <= before["position_s"] + 2, (before, after)
    page.get_by_role("button", name="Start over").click()
    until(page, lambda now: now["position_s"] < 2.0, "the beginning")
    resumed.wait_for(state="hidden")


def test_what_was_begun_stands_first_on_the_home_page(member: Visitor, title_id: str) -> None:
    page = member.page

    def slowly(route: Route) -> None:
        time.sleep(0.7)
        route.continue_()

    page.route("**/progress", slowly)
    member.watch(title_id)
    until(page, lambda now: now["frames"] > 0 and now["position_s"] > 2.0, "two seconds of film")
    member.wake()
    page.get_by_role("link", name="Back to all titles").click()
    page.get_by_role("heading", name="Continue watching").wait_for(timeout=3_000)
    page.get_by_role("link", name=re.compile(r"Resume at 0:0\d")).click()
    page.get_by_text("Resumed at").wait_for()
    assert member.complaints == []


def test_captions_are_shown_in_the_language_chosen(
    member: Visitor, title_id: str, sample_film: Film
) -> None:
    page = member.page
    language = sorted(sample_film.captions)[0]
    said = re.sub(r"<[^>]*>", "", sample_film.captions[language].read_text("utf-8"))
    member.watch(title_id)
    until_playing(page)
    member.wake()
    page.get_by_role("button", name="Captions").click()
    offered = page.get_by_role("menuitemradio").all_inner_texts()
    assert len(offered) == 1 + len(sample_film.captions)
    assert offered[0] == "Off"
    own_names = {"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français"}
    page.get_by_role("menuitemradio", name=own_names[language]).click()
    until(page, lambda now: now["caption"] == language, "the captions are on")
    shown = _caption_text(page_text=lambda: page.locator(".captions").inner_text(), visitor=member)
    for line in shown.splitlines():
        assert line.strip() in said
    page.keyboard.press("c")
    until(page, lambda now: now["caption"] == "", "the captions are off")
    page.wait_for_timeout(300)
    assert page.locator(".captions").inner_text().strip() == ""
    assert member.complaints == []


def _caption_text(page_text: Callable[[], str], visitor: Visitor) -> str:
    """The first caption that appears while the film plays from its start."""
    page = visitor.page
    page.keyboard.press("ArrowLeft")
    for _ in range(150):
        if page_text().strip():
            return page_text().strip()
        page.wait_for_timeout(50)
    raise AssertionError("no caption was shown")


def test_a_rung_can_be_pinned_and_is_said(member: Visitor, title_id: str) -> None:
    page = member.page
    member.watch(title_id)
    until_playing(page)
    member.wake()
    page.get_by_role("button", name="Quality").click()
    rungs = page.get_by_role("menuitemradio")
    assert rungs.first.inner_text().startswith("Auto")
    lowest = rungs.last.inner_text()
    rungs.last.click()
    height = int(lowest.partition("p")[0])
    until(page, lambda now: now["height"] == height, "the lowest rung on screen")
    page.get_by_role("button", name="Quality").filter(has_text=lowest).wait_for()


def test_each_request_tells_its_appliance_how_the_player_fares(
    member: Visitor, title_id: str
) -> None:
    asked: list[str] = []
    member.page.on("request", lambda request: asked.append(request.url))
    member.watch(title_id)
    until_playing(member.page)
    media = [address.partition("?") for address in asked if "/t/" in address]
    queries = [query for path, _, query in media if path.endswith((".m4s", ".mp4"))]
    assert {query.count("CMCD=") for query in queries} == {1}
    told = [cmcd.parse_query(query.partition("CMCD=")[2]) for query in queries]
    keys = [each for each in told if each is not None]
    assert len(keys) == len(queries)
    assert len({each.sid for each in keys}) == 1
    pictures = [each for each in keys if each.ot == "v"]
    assert pictures
    for each in pictures:
        assert each.cid == title_id
        assert each.br
        assert each.d
        assert each.sf == "d"
