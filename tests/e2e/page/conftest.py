"""A real Chromium on the member page of a real installation."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from tests.e2e.installation import Installation

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass
class Visitor:
    """A member in a browser of their own, and what their console complained about."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def watch(self, title_id: str) -> None:
        self.page.goto(f"{self.origin}/watch/{title_id}")

    def wake(self) -> None:
        """Move the mouse: the player's controls hide from a still hand."""
        for x in (600, 620):
            self.page.mouse.move(x, 300)

    def seek_to_the_last_third(self) -> None:
        """Past all that the player buffers of the long film."""
        self.wake()
        slider = self.page.get_by_role("slider", name="Position")
        box = slider.bounding_box()
        assert box is not None
        slider.click(position={"x": box["width"] * 0.67, "y": box["height"] / 2})


def launch(playwright: Playwright) -> Browser:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed: `apt install chromium` brings it.")
    return playwright.chromium.launch(executable_path=chromium, args=FLAGS, chromium_sandbox=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Of a module, not of the session: Playwright keeps the thread's loop."""
    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


@pytest.fixture
def guest(browser: Browser, running_cuemark: Installation) -> Iterator[Visitor]:
    """Nobody in particular, in a fresh browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-US")
    context.set_default_timeout(15_000)
    page = context.new_page()
    visitor = Visitor(page, running_cuemark.member_url.rstrip("/"))

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visitor.complaints.append(f"{message.text} {message.location['url']}")

    page.on("console", listen)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    yield visitor
    context.close()


@pytest.fixture
def member(guest: Visitor, running_cuemark: Installation) -> Visitor:
    """A fresh member on the home page, come by a one-time link."""
    guest.page.goto(running_cuemark.login_link())
    guest.page.get_by_role("heading", name="All titles").wait_for()
    return guest


@pytest.fixture(scope="session")
def film_name(running_cuemark: Installation) -> str:
    """The film that the installation came with."""
    return next(iter(running_cuemark.masters))


@pytest.fixture(scope="session")
def title_id(running_cuemark: Installation, film_name: str) -> str:
    return running_cuemark.title_id(film_name)


@pytest.fixture
def frame_of(running_cuemark: Installation, film_name: str) -> Callable[[float], Path]:
    """A PNG of the master's frame at a time in seconds."""
    return lambda seconds: running_cuemark.film_frame(film_name, seconds)
