"""A household before the page: who is watching, a PIN, kids' mode and the way out of it."""

import itertools
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.installation import Installation
from tests.e2e.page.test_using import DOUBLE_IDS, FOCUSED, NAMELESS, SIZES, TOO_WIDE

pytestmark = pytest.mark.slow

PASSWORD, PIN = "correct horse battery", "2580"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation without films: all of this comes before the first of them."""
    folder = tmp_path_factory.mktemp("household") / "data"
    folder.mkdir()
    (folder / "cuemark.toml").write_text("workers = 0\nappliances = 0\n")
    installation = Installation(folder)
    installation.up()
    yield installation
    installation.down()


@pytest.fixture
def email(household: Installation) -> str:
    """The address of an account that no other test has."""
    email = f"ada-{next(NUMBERS)}@films.example"
    subprocess.run(
        household.command("account", "create", email, "--name", "Ada", "--password-stdin"),
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
        capture_output=True,
    )
    return email


@pytest.fixture(params=sorted(SIZES))
def page(
    browser: Browser, household: Installation, email: str, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Somebody who has just logged in to an account of their own."""
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US")
    context.set_default_timeout(20_000)
    page = context.new_page()
    _log_in(page, household.member_url, email)
    page.get_by_role("link", name="Ada: change who is watching").wait_for()
    yield page
    context.close()


def _log_in(page: Page, url: str, email: str) -> None:
    page.goto(url)
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def _sound(page: Page) -> None:
    """What holds for every view: it fits, and each thing to press has a name."""
    assert page.evaluate(TOO_WIDE) <= 0
    assert [page.evaluate(check) for check in (NAMELESS, DOUBLE_IDS)] == [[], []]


def _add(page: Page, name: str, *, kids: bool = False, pin: str = "", language: str = "") -> None:
    page.get_by_role("button", name="Add a profile").click()
    page.get_by_label("Name").fill(name)
    _sound(page)
    if kids:
        page.get_by_label("Kids' mode").check()
        page.get_by_label("Titles for").select_option("6")
    page.get_by_label("PIN (four digits)").fill(pin)
    page.get_by_label("Language of the page and the titles").select_option(language)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name=f"Edit {name}").wait_for()


def _manage(page: Page) -> None:
    page.get_by_role("link", name="change who is watching").click()
    page.get_by_role("link", name="Manage profiles").click()
    page.get_by_role("heading", name="Manage profiles").wait_for()


def test_a_household_is_made_and_each_enters_their_own_way(page: Page) -> None:
    _manage(page)
    _add(page, "Ben", pin=PIN)
    _add(page, "Kim", kids=True)
    _sound(page)
    page.get_by_role("link", name="Done").click()
    page.get_by_role("heading", name="Who is watching?").wait_for()
    _sound(page)
    expect(page.get_by_role("button", name="Ada")).to_be_focused()

    page.keyboard.press("ArrowRight")
    assert page.evaluate(FOCUSED) == "Ben, with a PIN"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="The PIN of Ben").wait_for()
    _sound(page)
    page.keyboard.type("0000")
    page.get_by_text("This is not the PIN.").wait_for()
    for digit in PIN:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("link", name="Ben: change who is watching").wait_for()

    page.reload()
    page.get_by_role("link", name="Ben: change who is watching").wait_for()


def test_a_child_is_in_a_page_of_its_own_and_leaves_it_with_the_password(page: Page) -> None:
    _manage(page)
    _add(page, "Kim", kids=True)
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Kim").click()
    page.get_by_text("There is nothing here for you yet.").wait_for()
    _sound(page)
    assert page.get_by_role("button", name="Log out").count() == 0

    page.get_by_role("link", name="Kim: change who is watching").click()
    page.get_by_role("heading", name="Who is watching?").wait_for()
    assert page.get_by_role("link", name="Your account").count() == 0
    page.get_by_role("button", name="Ada").click()
    page.get_by_role("heading", name="Leave kids' mode").wait_for()
    _sound(page)
    page.get_by_label("Password").fill("a guess of a child")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("alert").filter(has_text="The password is not right").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Ada: change who is watching").wait_for()


def test_the_page_speaks_the_language_of_the_profile(page: Page) -> None:
    _manage(page)
    _add(page, "Grete", language="de")
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Grete").click()
    page.get_by_role("link", name="Grete: wechseln, wer schaut").wait_for()
    assert page.evaluate("document.documentElement.lang") == "de"
    page.get_by_role("link", name="Grete: wechseln, wer schaut").click()
    page.get_by_role("button", name="Ada").click()
    page.get_by_role("link", name="Ada: change who is watching").wait_for()


def test_a_browser_that_logs_in_anew_asks_who_is_watching(
    page: Page, household: Installation, browser: Browser, email: str
) -> None:
    _manage(page)
    _add(page, "Ben")
    fresh = browser.new_context(locale="en-US").new_page()
    _log_in(fresh, household.member_url, email)
    fresh.get_by_role("heading", name="Who is watching?").wait_for()
    assert fresh.get_by_role("link", name="Manage profiles").count() == 0
    fresh.get_by_role("button", name="Ben").click()
    fresh.get_by_role("link", name="Ben: change who is watching").wait_for()
    fresh.context.close()
