"""The page under the hands of people: mouse, keyboard, remote, screen reader."""

import re

import pytest

from tests.e2e.installation import Installation
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import diagnostics, until, until_playing

pytestmark = pytest.mark.slow

SIZES = {"phone": (390, 844), "desk": (1440, 900), "tv": (1920, 1080)}

NAMELESS = """
    [...document.querySelectorAll('button, a[href], input, [role=slider]')].filter((element) => {
      const labels = element.labels ? [...element.labels].map((label) => label.innerText) : [];
      const name = [element.getAttribute('aria-label'), element.innerText, ...labels];
      return !name.some((part) => part && part.trim());
    }).map((element) => element.outerHTML)
"""
WITHOUT_ALT = "[...document.querySelectorAll('img:not([alt])')].map((image) => image.src)"
DOUBLE_IDS = """
    [...document.querySelectorAll('[id]')].map((element) => element.id)
      .filter((id, place, all) => all.indexOf(id) !== place)
"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"


def _faults(member: Visitor) -> list[object]:
    return [member.page.evaluate(check) for check in (NAMELESS, WITHOUT_ALT, DOUBLE_IDS)]


def test_a_wrong_password_gets_a_sentence(guest: Visitor) -> None:
    page = guest.page
    page.goto(guest.origin)
    page.get_by_label("Mail address").fill("nobody@cuemark.example")
    page.get_by_label("Password").fill("certainly not this one")
    page.get_by_role("button", name="Log in").click()
    alert = page.get_by_role("alert").filter(has_text=re.compile("."))
    alert.wait_for()
    assert alert.inner_text() == (
        "The mail address and the password do not match. Check both and try again."
    )
    assert _faults(guest) == [[], [], []]


def test_a_login_link_opens_the_page_once(guest: Visitor, running_cuemark: Installation) -> None:
    page = guest.page
    link = running_cuemark.login_link()
    page.goto(link)
    page.get_by_role("heading", name="All titles").wait_for()
    assert page.url == f"{guest.origin}/"
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("heading", name="Log in").wait_for()
    page.goto(link)
    alert = page.get_by_role("alert").filter(has_text=re.compile("."))
    alert.wait_for()
    assert "used before" in alert.inner_text()
    assert "code=" not in page.url


def test_who_asked_for_a_film_gets_it_after_the_login(
    guest: Visitor, running_cuemark: Installation, title_id: str
) -> None:
    page = guest.page
    guest.watch(title_id)
    page.get_by_role("heading", name="Log in").wait_for()
    code = running_cuemark.login_link().partition("#")[2]
    page.evaluate("code => { location.hash = code }", code)
    until_playing(page)
    assert page.url.endswith(f"/watch/{title_id}")


def test_the_page_speaks_the_readers_language(
    guest: Visitor, running_cuemark: Installation
) -> None:
    page = guest.page
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(locale="de-AT")
    german = context.new_page()
    german.goto(running_cuemark.login_link())
    german.get_by_role("heading", name="Alle Titel").wait_for()
    assert german.evaluate("document.documentElement.lang") == "de"
    context.close()


@pytest.mark.parametrize("size", SIZES)
def test_every_screen_size_is_served(member: Visitor, title_id: str, size: str) -> None:
    page = member.page
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.locator(".card .artwork.shown").first.wait_for()
    assert page.evaluate(TOO_WIDE) <= 0
    assert _faults(member) == [[], [], []]
    member.watch(title_id)
    until_playing(page)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(TOO_WIDE) <= 0
    assert _faults(member) == [[], [], []]
    for name in ("Pause", "Back 10 seconds", "Forward 10 seconds", "Captions", "Full screen"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None, name
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name
        assert min(box["width"], box["height"]) >= 40, name
    assert member.complaints == []


def test_the_keyboard_does_everything(member: Visitor, title_id: str) -> None:
    page = member.page
    member.watch(title_id)
    until_playing(page)
    page.keyboard.press(" ")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    page.keyboard.press("k")
    page.get_by_role("button", name="Pause").wait_for()
    page.keyboard.press("m")
    page.get_by_role("button", name="Unmute").wait_for()
    page.keyboard.press("m")
    page.get_by_role("button", name="Mute", exact=True).wait_for()
    page.keyboard.press("f")
    page.get_by_role("button", name="Leave full screen").wait_for()
    page.keyboard.press("f")
    page.get_by_role("button", name="Full screen", exact=True).wait_for()
    page.keyboard.press("d")
    page.get_by_label("Statistics").get_by_text("Frames shown").wait_for()
    page.keyboard.press("d")
    page.keyboard.press("k")
    page.wait_for_timeout(200)
    before = diagnostics(page)
    assert before is not None
    page.keyboard.press("ArrowLeft")
    until(page, lambda now: now["position_s"] == max(0, before["position_s"] - 10), "ten back")
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="All titles").wait_for()
    assert member.complaints == []


def test_a_remotes_arrows_reach_every_control(member: Visitor, title_id: str) -> None:
    page = member.page
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.tagName") == "A"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    member.watch(title_id)
    until_playing(page)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) in ("Pause", "Play")
    reached = []
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        reached.append(page.evaluate(FOCUSED))
    assert reached == [
        "Back 10 seconds",
        "Forward 10 seconds",
        "Rewind",
        "Fast forward",
        "Mute",
        "Volume",
        "Captions",
        "Quality",
        "Speed",
    ]
    page.keyboard.press("Enter")
    page.get_by_role("menuitemradio", name="1×", exact=True).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Speed").filter(has_text="1.25×").wait_for()
    page.keyboard.press("ArrowUp")
    assert page.evaluate(FOCUSED) == "Position"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.className").startswith("stage")


def test_controls_hide_from_a_still_hand_and_come_back(member: Visitor, title_id: str) -> None:
    page = member.page
    member.watch(title_id)
    until_playing(page)
    page.locator(".stage.idle").wait_for(timeout=6_000)
    member.wake()
    page.locator(".stage:not(.idle)").wait_for(timeout=1_000)


def test_an_unknown_title_and_a_lost_address_get_a_sentence(member: Visitor) -> None:
    page = member.page
    member.watch("nothing-of-the-kind")
    page.get_by_role("alert").wait_for()
    assert page.get_by_role("alert").inner_text().endswith(".")
    page.goto(f"{member.origin}/no/such/page")
    assert "no page at this address" in page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="All titles").click()
    page.get_by_role("heading", name="All titles").wait_for()


def test_a_device_that_is_logged_out_from_elsewhere_stops_and_says_so(
    member: Visitor, title_id: str, running_cuemark: Installation
) -> None:
    page = member.page
    email = str(page.request.get(f"{member.origin}/api/v1/me").json()["email"])
    member.watch(title_id)
    until_playing(page)
    running_cuemark.cli("account", "log-out", email)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "This device was signed out." in alert.inner_text()


def test_a_service_that_is_away_gets_a_sentence_and_another_try(member: Visitor) -> None:
    page = member.page
    page.route("**/api/v1/titles*", lambda route: route.abort("connectionrefused"))
    page.reload()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "cannot be reached" in alert.inner_text()
    page.unroute("**/api/v1/titles*")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="All titles").wait_for()
