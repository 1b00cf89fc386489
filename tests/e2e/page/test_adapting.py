"""The line of a viewer gets thin and wide again, an appliance's disk rots; the film does not."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession

from tests.e2e.conftest import LONG_FILM
from tests.e2e.installation import Installation
from tests.e2e.neighbours import BadDisk, between_rungs_kbps
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import (
    Diagnostics,
    diagnostics,
    difference,
    halt,
    picture_of,
    picture_on_screen,
    until,
    until_playing,
)

pytestmark = pytest.mark.slow

WIDE_KBPS = 2_000.0
THIN_AFTER_S, WIDE_AFTER_S = 4.0, 20.0
BYTES_PER_S_OF_KBPS = 125


def test_the_rung_follows_the_line_down_and_up_without_a_stall(
    member: Visitor, running_cuemark: Installation, long_title_id: str
) -> None:
    thin_kbps = between_rungs_kbps(running_cuemark, LONG_FILM)
    line = member.page.context.new_cdp_session(member.page)
    _throttle(line, WIDE_KBPS)
    member.watch(long_title_id)
    until(member.page, lambda now: now["frames"] > 0, "the first frame")
    begun_s = time.monotonic()
    seen = _watch_until(member, begun_s + THIN_AFTER_S)
    wide_rung = seen[-1]["bitrate_kbps"]
    _throttle(line, thin_kbps)
    thin = _watch_until(member, begun_s + WIDE_AFTER_S)
    thin_rung = thin[-1]["bitrate_kbps"]
    _throttle(line, WIDE_KBPS)
    seen += thin + _watch_until(member, begun_s + 120)
    assert thin_rung < wide_rung, "the rung that is fetched went down"
    assert seen[-1]["bitrate_kbps"] == wide_rung, "and up again"
    heights = [now["height"] for now in seen if now["height"]]
    turns = [heights[0]] + [b for a, b in pairwise(heights) if a != b]
    assert turns[0] == turns[-1] == max(turns) > min(turns), "as the viewer saw, too"
    assert seen[-1]["position_s"] > seen[-1]["duration_s"] - 1, "the film came to its end"
    after_start = [now["stalls"] for now in seen if now["position_s"] > 5]
    assert set(after_start) == {0}
    assert seen[-1]["restarts"] == 0
    assert member.complaints == []


def test_an_appliance_with_wrong_bytes_on_its_disk_is_found_out_and_left(
    member: Visitor,
    running_cuemark: Installation,
    long_title_id: str,
    frame_at: Callable[[float], Path],
) -> None:
    page = member.page
    member.watch(long_title_id)
    first = until_playing(page)
    assert first["left"] == []
    port = first["appliance"].rpartition(":")[2]
    bad = next(each["id"] for each in running_cuemark.appliances if f":{port}" in each["url"])
    with BadDisk(running_cuemark, bad):
        member.seek_to_the_last_third()
        moved = until(page, lambda now: now["picture_s"] > 33, "film from the other appliance")
        now = halt(page)
        shown = picture_on_screen(page)
    assert moved["left"] == [first["appliance"]]
    assert now["appliance"] not in (first["appliance"], "")
    assert (now["stalls"], now["restarts"]) == (0, 0)
    there = difference(shown, picture_of(frame_at(now["picture_s"])))
    elsewhere = difference(shown, picture_of(frame_at(now["picture_s"] + 4)))
    assert there < elsewhere / 2


@pytest.fixture
def frame_at(running_cuemark: Installation) -> Callable[[float], Path]:
    """A PNG of the long film's frame at a time in seconds."""
    return lambda seconds: running_cuemark.film_frame(LONG_FILM, seconds)


def _throttle(line: CDPSession, kbps: float) -> None:
    line.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 20,
            "downloadThroughput": kbps * BYTES_PER_S_OF_KBPS,
            "uploadThroughput": -1,
        },
    )


def _watch_until(member: Visitor, until_s: float) -> list[Diagnostics]:
    """What the page said every fifth of a second, until then or until the film's end."""
    seen: list[Diagnostics] = []
    while time.monotonic() < until_s:
        now = diagnostics(member.page)
        assert now is not None
        seen.append(now)
        if now["position_s"] > now["duration_s"] - 0.5:
            break
        member.page.wait_for_timeout(200)
    return seen
