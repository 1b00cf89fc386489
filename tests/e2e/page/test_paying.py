"""A member pays on the page: by a card of the sandbox that pays, one that does not, and one whose
owner is asked; and changes, cancels and mends."""

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.installation import Installation
from tests.e2e.page.test_using import DOUBLE_IDS, NAMELESS, TOO_WIDE

pytestmark = pytest.mark.slow

SIZES = {"phone": (390, 844), "desk": (1440, 900)}
GOOD, ASKS, POOR = "4242 4242 4242 4242", "4000 0000 0000 3220", "4000 0000 0000 9995"


NETWORKS = itertools.count(1)


@pytest.fixture(scope="module")
def selling_cuemark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that sells two plans, without a film and without what shows films."""
    folder = tmp_path_factory.mktemp("selling") / "data"
    folder.mkdir()
    (folder / "cuemark.toml").write_text(
        'billing = "on"\nworkers = 0\nappliances = 0\ntrusted_proxies = ["127.0.0.0/8"]\n'
    )
    installation = Installation(folder)
    installation.up()
    plan = ("billing", "plan")
    small = ("small", "--name", "Small", "--price", "EUR=5.00", "--max-height", "720")
    installation.cli(*plan, *small)
    installation.cli(*plan, "large", "--name", "Large", "--price", "EUR=15.00", "--streams", "4")
    installation.cli("billing", "coupon", "HALF", "--percent", "50")
    yield installation
    installation.down()


@pytest.fixture(params=SIZES)
def page(
    request: pytest.FixtureRequest, browser: Browser, selling_cuemark: Installation
) -> Iterator[Page]:
    """A fresh member on the page of plans, at an address of their own: many cards from one address
    are asked for proofs."""
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-DE")
    context.set_extra_http_headers({"x-forwarded-for": f"198.18.{next(NETWORKS)}.1"})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(selling_cuemark.login_link())
    page.locator(".home").wait_for()
    page.goto(f"{selling_cuemark.member_url}plan")
    page.get_by_role("heading", name="Plans").wait_for()
    yield page
    context.close()


def order(page: Page, plan: str, number: str, coupon: str = "") -> None:
    """Choose a plan, unless it is chosen already, and pay for it."""
    choice = page.get_by_role("button", name=f"Choose {plan}")
    if choice.count():
        choice.click()
    page.get_by_label("Number of a test card").fill(number)
    page.get_by_label("Coupon").fill(coupon)
    page.get_by_role("button", name="Subscribe and pay").click()


def stands(page: Page, state: str) -> None:
    page.locator(f"[data-state={state}]").wait_for()


def leads_to(page: Page, name: str) -> str:
    link = page.get_by_role("link", name=re.compile(name))
    return str(link.evaluate("link => link.href"))


def faults(page: Page) -> list[object]:
    return [page.evaluate(check) for check in (NAMELESS, DOUBLE_IDS, TOO_WIDE)]


def test_a_member_subscribes_and_reads_the_invoice(page: Page) -> None:
    assert faults(page) == [[], [], 0]
    order(page, "Small", GOOD, "half")
    stands(page, "active")
    assert "€5.00 is charged on" in page.locator("main").inner_text()
    assert faults(page) == [[], [], 0]
    answer = page.request.get(leads_to(page, "Invoice .* as PDF"))
    assert (answer.status, answer.body()[:5]) == (200, b"%PDF-")
    assert "€2.50" in page.request.get(leads_to(page, "Show invoice")).text()


def test_a_card_that_is_declined_is_mended_by_another(page: Page) -> None:
    order(page, "Small", POOR)
    alert = page.get_by_role("alert").filter(has_text="declined")
    expect(alert).to_have_text("That was declined. Try another way to pay.")
    order(page, "Small", GOOD)
    stands(page, "active")
    assert page.get_by_text("void").count() == 1


def test_who_is_declined_late_is_told(page: Page, selling_cuemark: Installation) -> None:
    selling_cuemark.cli("billing", "fault", "timeout_after_success", "--operation", "authorize")
    selling_cuemark.cli("billing", "fault", "unavailable", "--operation", "fetch")
    order(page, "Small", POOR)
    stands(page, "incomplete")
    alert = page.get_by_role("alert").filter(has_text="declined")
    expect(alert).to_have_text("That was declined. Try another way to pay.", timeout=60_000)
    order(page, "Small", GOOD)
    stands(page, "active")


def test_who_was_declined_again_and_again_pays_after_a_proof_of_work(page: Page) -> None:
    alert = page.get_by_role("alert").filter(has_text="declined")
    for _ in range(4):
        order(page, "Small", POOR)
        expect(alert).to_have_text("That was declined. Try another way to pay.")
    order(page, "Small", GOOD)
    stands(page, "active")


def test_an_owner_is_led_to_the_bank_and_back(page: Page, selling_cuemark: Installation) -> None:
    order(page, "Small", ASKS)
    page.get_by_role("heading", name="Is it you?").wait_for()
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(f"{selling_cuemark.member_url}plan")
    stands(page, "active")


def test_an_owner_who_says_no_at_the_bank_has_nothing(page: Page) -> None:
    order(page, "Small", ASKS)
    page.get_by_role("button", name="Refuse").click()
    page.get_by_text("Your last plan has ended.").wait_for()
    page.get_by_role("button", name="Choose Small").wait_for()


def test_a_change_says_first_what_it_costs(page: Page) -> None:
    order(page, "Small", GOOD)
    stands(page, "active")
    page.get_by_role("button", name="Choose Large").click()
    costs = page.get_by_role("group", name="What Large costs now")
    expect(costs).to_contain_text("is charged now")
    expect(costs).to_contain_text("not used")
    assert faults(page) == [[], [], 0]
    page.get_by_role("button", name="Keep what I have").click()
    expect(costs).to_have_count(0)
    page.get_by_role("button", name="Choose Large").click()
    page.get_by_role("button", name="Change the plan").click()
    expect(page.locator(".plan-name")).to_contain_text("Large")
    expect(page.get_by_role("link", name=re.compile("as PDF"))).to_have_count(2)


def test_a_member_cancels_goes_on_and_pauses(page: Page) -> None:
    order(page, "Small", GOOD)
    stands(page, "active")
    page.get_by_role("button", name="Cancel").click()
    stands(page, "canceled")
    page.get_by_text("Nothing more is charged.").wait_for()
    page.get_by_role("button", name="Go on").click()
    stands(page, "active")
    page.get_by_role("button", name="Pause").click()
    stands(page, "pausing")


def test_a_renewal_that_was_declined_is_mended_by_another_card(
    page: Page, selling_cuemark: Installation
) -> None:
    order(page, "Small", GOOD)
    stands(page, "active")
    page.get_by_label("Number of a test card").fill(POOR)
    page.get_by_role("button", name="Use this card from now on").click()
    expect(page.get_by_label("Number of a test card")).to_have_value("")
    selling_cuemark.cli("billing", "clock", "--advance", "32d")
    page.reload()
    stands(page, "past_due")
    page.get_by_text("there was not enough money").wait_for()
    page.get_by_label("Number of a test card").fill(GOOD)
    page.get_by_role("button", name="Use this card from now on").click()
    stands(page, "active")
