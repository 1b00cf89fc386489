"""A whole installation under attack: the page and the player do the work that is asked for."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Response, expect, sync_playwright

from cuemark.player.api import Api, Password
from cuemark.player.errors import ApiRefused
from tests.e2e.installation import Installation
from tests.e2e.page.conftest import launch
from tests.e2e.test_members import call

EMAIL, PASSWORD = "anna@example.org", "correct horse battery"


@pytest.fixture(scope="module")
def attacked_cuemark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with one member, where twenty passwords for others were wrong just now."""
    folder = tmp_path_factory.mktemp("attacked") / "data"
    folder.mkdir()
    (folder / "cuemark.toml").write_text("workers = 0\nappliances = 0\n")
    installation = Installation(folder)
    installation.up()
    operator = installation.folder / "secrets" / "operator_token"
    body = {"email": EMAIL, "password": PASSWORD}
    assert call(installation, "POST", "/accounts", body, operator.read_text())[0] == 201
    for number in range(20):
        wrong = {"email": f"x{number}@example.org", "password": "stolen elsewhere"}
        call(installation, "POST", "/login", wrong)
    yield installation
    installation.down()


@pytest.fixture
def page(attacked_cuemark: Installation) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(base_url=attacked_cuemark.member_url, locale="en-US")
        yield page
        browser.close()


def log_in(page: Page) -> list[int]:
    """The statuses of the logins that it took until the member was in."""
    statuses: list[int] = []

    def hear(response: Response) -> None:
        if response.url.endswith("/api/v1/login"):
            statuses.append(response.status)

    page.on("response", hear)
    page.goto("/login")
    page.get_by_label("Mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible(timeout=30_000)
    page.remove_listener("response", hear)
    return statuses


def test_the_page_does_the_work_and_is_known_from_then_on(
    attacked_cuemark: Installation, page: Page
) -> None:
    asked = call(attacked_cuemark, "POST", "/login", {"email": EMAIL, "password": PASSWORD})
    assert (asked[0], asked[1]["error"]["code"]) == (403, "proof_needed")
    assert log_in(page) == [403, 200]
    page.get_by_role("button", name="Log out").click()
    assert log_in(page) == [200]


def test_the_reference_player_does_the_work_too(attacked_cuemark: Installation) -> None:
    async def enter(password: str) -> None:
        async with Api(attacked_cuemark.member_url) as api:
            await api.log_in(Password(EMAIL, password))

    asyncio.run(enter(PASSWORD))
    with pytest.raises(ApiRefused) as refused:
        asyncio.run(enter("another one"))
    assert refused.value.code == "wrong_credentials"


def test_the_operator_sees_why_and_takes_it_back(attacked_cuemark: Installation) -> None:
    found = attacked_cuemark.json("fraud", "list")["findings"]
    assert {each["kind"] for each in found} == {"stuffing"}
    assert all(each["reasons"] for each in found)
    operator = (attacked_cuemark.folder / "secrets" / "operator_token").read_text()
    granted = call(attacked_cuemark, "POST", "/login-links", {"email": EMAIL}, operator)[1]
    login = call(attacked_cuemark, "POST", "/login/link", {"code": granted["code"]})[1]
    account_id = login["account"]["account_id"]
    explained = attacked_cuemark.json("fraud", "explain", account_id)
    assert explained["account_id"] == account_id
    assert attacked_cuemark.json("fraud", "forgive", account_id) == {"forgiven": 0}
