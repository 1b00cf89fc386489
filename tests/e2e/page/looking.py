"""What a person sees of the page: its diagnostics, its captions, the picture itself."""

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

Picture = NDArray[np.float32]

GRID = (64, 36)

_BARE = """
    for (const over of document.querySelectorAll(".stage > :not(video)")) {
      over.style.visibility = "hidden";
    }
"""


class Diagnostics(TypedDict):
    """``window.cuemark``, which the page shows to whoever measures it."""

    phase: str
    position_s: float
    duration_s: float
    frames: int
    picture_s: float
    dropped_frames: int
    appliance: str
    left: list[str]
    width: int
    height: int
    bitrate_kbps: int
    bandwidth_kbps: int
    buffer_s: float
    buffering_goal_s: float
    stalls: int
    restarts: int
    sound: str
    caption: str
    forced_caption: str


def diagnostics(page: Page) -> Diagnostics | None:
    """None while no player is on the page."""
    return cast(Diagnostics | None, page.evaluate("window.cuemark ?? null"))


def until(
    page: Page, true: Callable[[Diagnostics], bool], what: str, limit_s: float = 20.0
) -> Diagnostics:
    """Poll the player: the page's own policy forbids what Playwright would evaluate in it."""
    deadline_s = time.monotonic() + limit_s
    while True:
        now = diagnostics(page)
        if now is not None and true(now):
            return now
        if time.monotonic() > deadline_s:
            said = page.locator("body").inner_text()
            raise AssertionError(f"{what}: not within {limit_s} s; {now}; the page says {said!r}")
        page.wait_for_timeout(50)


def until_playing(page: Page) -> Diagnostics:
    """Frames really reach the screen: the clock alone moves without a key, too."""
    return until(page, lambda now: now["frames"] >= 10, "ten frames on screen")


def halt(page: Page) -> Diagnostics:
    """Pause with the keyboard and wait until the last frame is on screen."""
    page.keyboard.press(" ")
    page.wait_for_timeout(400)
    now = diagnostics(page)
    assert now is not None
    return now


def picture_on_screen(page: Page) -> Picture:
    """A screenshot of the film without its black bars, controls hidden, on a small grid."""
    box = page.locator("video").bounding_box()
    now = diagnostics(page)
    assert box is not None
    assert now is not None
    scale = min(box["width"] / now["width"], box["height"] / now["height"])
    width, height = now["width"] * scale, now["height"] * scale
    left = box["x"] + (box["width"] - width) / 2
    top = box["y"] + (box["height"] - height) / 2
    page.evaluate(_BARE)
    shot = page.screenshot(clip={"x": left, "y": top, "width": width, "height": height})
    return _on_grid(Image.open(io.BytesIO(shot)))


def picture_of(file: Path) -> Picture:
    with Image.open(file) as image:
        return _on_grid(image)


def difference(one: Picture, other: Picture) -> float:
    """Mean absolute difference of two pictures, 0 to 255."""
    return float(np.abs(one - other).mean())


def _on_grid(image: Image.Image) -> Picture:
    small = image.convert("RGB").resize(GRID, Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)
