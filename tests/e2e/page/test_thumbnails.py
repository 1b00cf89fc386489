"""What the seek bar shows before anybody seeks."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import requests
from PIL import Image
from playwright.sync_api import FloatRect, Page, Route

from tests.e2e.conftest import SECONDS
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import Picture, diagnostics, difference, until, until_playing

GRID = (32, 18)


def bar(page: Page) -> FloatRect:
    box = page.get_by_role("slider", name="Position").bounding_box()
    assert box is not None
    return box


def point_at(page: Page, share: float) -> None:
    """Move the mouse over the bar, ``share`` of its length from the left."""
    box = bar(page)
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)


def preview(page: Page) -> Picture:
    """The picture over the bar, once it is there."""
    canvas = page.locator(".preview canvas:not(.pending)")
    canvas.wait_for()
    page.wait_for_timeout(300)
    box = canvas.bounding_box()
    assert box is not None
    shot = Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")
    middle = shot.crop((4, 4, shot.width - 4, int(shot.height * 0.75)))
    return np.asarray(middle.resize(GRID, Image.Resampling.BOX), dtype=np.float32)


def master(file: Path) -> Picture:
    with Image.open(file) as image:
        middle = image.convert("RGB").crop((10, 10, image.width - 10, int(image.height * 0.75)))
        return np.asarray(middle.resize(GRID, Image.Resampling.BOX), dtype=np.float32)


def unlike(seen: Picture, frames: list[Picture]) -> list[float]:
    return [difference(seen, frame) for frame in frames]


def test_the_bar_shows_the_frame_that_a_press_would_go_to(
    member: Visitor, title_id: str, frame_of: Callable[[float], Path]
) -> None:
    page = member.page
    member.watch(title_id)
    until_playing(page)
    page.keyboard.press(" ")
    member.wake()
    frames = [master(frame_of(second)) for second in range(SECONDS)]
    for second in (2, 5, 7):
        point_at(page, (second + 0.5) / SECONDS)
        near = unlike(preview(page), frames)
        assert near[second] == min(near)
    page.mouse.move(640, 200)
    page.locator(".preview").wait_for(state="detached")
    assert member.complaints == []


def test_a_finger_that_drags_and_a_key_that_jumps_see_where_they_go(
    member: Visitor, title_id: str, frame_of: Callable[[float], Path]
) -> None:
    page = member.page
    member.watch(title_id)
    until_playing(page)
    page.keyboard.press(" ")
    frames = [master(frame_of(second)) for second in range(SECONDS)]
    box = bar(page)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 4.5 / SECONDS, middle - 150, steps=5)
    near = unlike(preview(page), frames)
    assert near[4] == min(near)
    page.mouse.up()
    page.mouse.move(640, 200)
    page.locator(".preview").wait_for(state="detached")
    until(page, lambda now: abs(now["position_s"] - 4.5) < 0.3, "the place that was let go")
    page.keyboard.press("ArrowLeft")
    near = unlike(preview(page), frames)
    assert near[0] == min(near)
    page.locator(".preview").wait_for(state="detached")
    assert member.complaints == []


def test_sheets_need_a_token_and_wrong_ones_are_not_shown(
    member: Visitor, title_id: str, frame_of: Callable[[float], Path]
) -> None:
    page = member.page
    fetched: list[str] = []

    def spoil(route: Route) -> None:
        fetched.append(route.request.url)
        if len({url.split("/")[2] for url in fetched}) > 1:
            return route.continue_()
        answer = route.fetch()
        body = answer.body()
        return route.fulfill(response=answer, body=body[:-20] + bytes(20))

    page.route("**/thumbnails/*.jpg*", spoil)
    member.watch(title_id)
    until_playing(page)
    page.keyboard.press(" ")
    member.wake()
    point_at(page, 5.5 / SECONDS)
    near = unlike(preview(page), [master(frame_of(second)) for second in range(SECONDS)])
    assert near[5] == min(near)
    hosts = [url.split("/")[2] for url in fetched]
    assert len(set(hosts)) == 2, "the second appliance was asked for what the first one spoiled"
    now = diagnostics(page)
    assert now is not None
    assert [urlsplit(each).netloc for each in now["left"]] == [hosts[0]]
    open_url = urlsplit(fetched[0])
    assert status_of(open_url.geturl()) == 200
    _, _, token, rest = open_url.path.split("/", 3)
    for path in (f"/{rest}", f"/t/{token[:-4]}AAAA/{rest}"):
        assert status_of(open_url._replace(path=path, query="").geturl()) in (401, 404)
    assert status_of(open_url._replace(path=f"/t/{token}/{rest}x", query="").geturl()) == 404


def test_a_film_of_an_older_release_shows_the_time_alone(member: Visitor, title_id: str) -> None:
    page = member.page

    def without_pictures(route: Route) -> None:
        answer = route.fetch()
        found = re.subn(
            '<AdaptationSet[^>]*contentType="image".*?</AdaptationSet>', "", answer.text()
        )
        assert found[1] == 1
        route.fulfill(response=answer, body=found[0])

    page.route("**/manifest.mpd*", without_pictures)
    member.watch(title_id)
    until_playing(page)
    member.wake()
    point_at(page, 0.5)
    page.locator(".preview-time").get_by_text("0:04").wait_for()
    page.wait_for_timeout(500)
    assert page.locator(".preview canvas").count() == 0
    assert member.complaints == []


def status_of(url: str) -> int:
    return requests.get(url, timeout=10).status_code
