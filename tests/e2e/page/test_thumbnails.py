"""What the seek bar shows before anybody seeks."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import FloatRect, Page

from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import Picture, difference, until_playing

GRID = (32, 18)
SAME, OTHER = 6.0, 9.0


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


def test_the_bar_shows_the_frame_that_a_press_would_go_to(
    member: Visitor, title_id: str, frame_of: Callable[[float], Path]
) -> None:
    page = member.page
    member.watch(title_id)
    until_playing(page)
    member.wake()
    frames = [master(frame_of(second)) for second in range(8)]
    for second in (2, 5, 7):
        point_at(page, (second + 0.5) / 8)
        seen = preview(page)
        near = [difference(seen, frame) for frame in frames]
        assert near[second] == min(near)
    page.mouse.move(640, 200)
    page.locator(".preview").wait_for(state="detached")
    assert member.complaints == []
