"""Fast forward and rewind by the film's single frames, which come alone and are encrypted."""

import re

import pytest

from tests.e2e.conftest import LONG_FILM, LONG_S
from tests.e2e.installation import Installation
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import (
    diagnostics,
    difference,
    picture_of,
    picture_on_screen,
    until,
    until_playing,
)

pytestmark = pytest.mark.slow


def test_a_film_is_wound_both_ways_by_its_frames_and_plays_on(
    member: Visitor, running_cuemark: Installation, long_title_id: str
) -> None:
    page = member.page
    fetched: list[int] = []

    def note(address: str) -> None:
        if found := re.search(r"\.iframes/(\d+)\.m4s", address):
            fetched.append(int(found[1]))

    page.on("request", lambda request: note(request.url))
    member.watch(long_title_id)
    until_playing(page)
    member.wake()
    page.get_by_role("button", name="Fast forward").click()
    page.get_by_role("button", name="Fast forward, 4×").click()
    assert page.get_by_role("button", name="Fast forward, 8×").is_visible()
    # Past all that was buffered of the film itself.
    far = until(page, lambda now: now["picture_s"] > LONG_S * 0.75, "wound forward", 12)
    assert fetched == sorted(set(fetched)), "each is fetched once"
    assert len(fetched) > 3
    page.keyboard.press("<")
    fetched.clear()
    until(page, lambda now: now["picture_s"] < far["picture_s"] - 4, "wound back", 12)
    page.keyboard.press("<")
    until(page, lambda now: now["picture_s"] < LONG_S / 3, "wound back faster", 12)
    member.wake()
    page.get_by_role("button", name="Play", exact=True).click()
    here = diagnostics(page)
    assert here is not None
    until(page, lambda now: now["picture_s"] > here["position_s"] + 1, "the film plays on")
    page.keyboard.press(" ")
    page.wait_for_timeout(400)
    now = diagnostics(page)
    assert now is not None
    frame = running_cuemark.film_frame(LONG_FILM, now["picture_s"])
    assert difference(picture_on_screen(page), picture_of(frame)) < 12
    assert (now["restarts"], now["left"], member.complaints) == (0, [], [])
