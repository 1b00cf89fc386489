"""Passkeys and an authenticator app on the member page, by Chromium's virtual authenticator."""

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, Route

from cuemark.gateway.routes.devices import GRANT
from tests.e2e.installation import Installation
from tests.e2e.test_members import call

pytestmark = pytest.mark.slow

STEP_S = 30
OPTIONS = "**/login/passkey/options"
DOUBLE_IDS = """
    [...document.querySelectorAll('[id]')].map((element) => element.id)
      .filter((id, place, all) => all.indexOf(id) !== place)
"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def kino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation at an address to which browsers bind passkeys, without films."""
    folder = tmp_path_factory.mktemp("kino") / "data"
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "cuemark.toml").write_text(
        f'workers = 0\nappliances = 0\nport = {port}\npublic_url = "http://localhost:{port}"\n'
    )
    installation = Installation(folder)
    installation.up()
    yield installation
    installation.down()


@dataclass
class Person:
    """Somebody with an account, in a browser whose device makes and keeps passkeys.

    The device waits for a finger (``touch``): a login page asks for passkeys by itself.
    """

    page: Page
    origin: str
    email: str
    password: str
    device: CDPSession
    authenticator: str
    pictures: Path

    def touch(self, touching: bool = True) -> None:
        self.device.send(
            "WebAuthn.setAutomaticPresenceSimulation",
            {"authenticatorId": self.authenticator, "enabled": touching},
        )

    def use_passkey(self) -> None:
        """By the button. The device asks for the finger once, so it is there before the question is
        asked, and after the button is pressed: the page's own question is not to be answered."""
        held: list[Route] = []
        self.page.route(OPTIONS, lambda route: held.append(route))
        self.page.get_by_role("button", name="Use a passkey").click()
        while not held:
            self.page.wait_for_timeout(20)
        self.touch()
        for route in held:
            route.continue_()
        self.page.unroute(OPTIONS)

    def log_in(self) -> None:
        self.page.goto(f"{self.origin}/login")
        self.page.get_by_label("Mail address").fill(self.email)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        self.page.goto(f"{self.origin}/account")
        self.page.get_by_role("button", name="Log out", exact=True).first.click()
        self.page.get_by_role("heading", name="Log in").wait_for()

    def protection(self) -> Locator:
        self.page.goto(f"{self.origin}/account")
        part = self.page.get_by_role("region", name="Protect your login")
        part.get_by_role("heading", name="Authenticator app").wait_for()
        return part

    def is_in(self) -> None:
        self.page.get_by_role("heading", name="Log in").wait_for(state="detached")
        self.page.wait_for_url(f"{self.origin}/")

    def look(self, name: str) -> None:
        """Keeps a picture, and holds the page to what every page of ours is held to."""
        self.page.screenshot(path=self.pictures / f"{name}.png", full_page=True)
        assert self.page.evaluate(DOUBLE_IDS) == []
        assert self.page.evaluate(TOO_WIDE) <= 0


@pytest.fixture
def person(browser: Browser, kino: Installation, tmp_path: Path) -> Iterator[Person]:
    email = f"ada-{time.monotonic_ns()}@example.org"
    password = kino.json("account", "create", email)["password"]
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.set_default_timeout(15_000)
    page = context.new_page()
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable", {"enableUI": False})
    made = device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "ctap2Version": "ctap2_1",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": False,
            }
        },
    )
    origin, authenticator = kino.member_url.rstrip("/"), str(made["authenticatorId"])
    yield Person(page, origin, email, password, device, authenticator, tmp_path)
    context.close()


def test_a_passkey_is_made_and_then_enters_without_a_password(person: Person) -> None:
    page = person.page
    person.log_in()
    person.is_in()
    part = person.protection()
    part.get_by_label("What you call it").fill("My laptop")
    person.touch()
    part.get_by_role("button", name="Add a passkey").click()
    sheet = page.get_by_role("region", name="Your recovery codes")
    sheet.wait_for()
    assert sheet.get_by_role("listitem").count() == 10
    person.look("recovery-codes")
    sheet.get_by_role("button", name="I have kept them").click()
    sheet.wait_for(state="detached")
    part.get_by_text("My laptop").wait_for()
    part.get_by_text("10 are left").wait_for()
    person.look("protected")
    person.touch(False)
    person.log_out()
    person.look("login")
    person.use_passkey()
    person.is_in()
    part = person.protection()
    part.get_by_text(re.compile("Last used")).wait_for()
    person.touch(False)
    person.log_out()
    person.log_in()
    page.get_by_role("heading", name="One more step").wait_for()
    person.look("second-step")
    person.touch()
    page.get_by_role("button", name="Use a passkey").click()
    person.is_in()
    part = person.protection()
    part.get_by_role("button", name="Remove My laptop").click()
    part.get_by_text("My laptop").wait_for(state="detached")
    person.touch(False)
    person.log_out()
    person.log_in()
    person.is_in()


def test_a_login_page_takes_a_passkey_before_anything_was_typed(person: Person) -> None:
    person.log_in()
    person.is_in()
    part = person.protection()
    person.touch()
    part.get_by_role("button", name="Add a passkey").click()
    person.page.get_by_role("region", name="Your recovery codes").wait_for()
    part.get_by_role("button", name="Remove This device").wait_for()
    person.page.get_by_role("button", name="Log out", exact=True).first.click()
    person.page.wait_for_url(f"{person.origin}/login")
    person.is_in()


def test_an_app_is_set_up_and_asked_for(person: Person) -> None:
    page = person.page
    person.log_in()
    person.is_in()
    part = person.protection()
    part.get_by_role("button", name="Set up an app").click()
    picture = part.get_by_role("img", name="QR code for your authenticator app")
    picture.wait_for()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    app = pyotp.TOTP(part.locator(".secret").inner_text().replace(" ", ""))
    person.look("app")
    part.get_by_role("textbox", name="Code").fill(app.at(time.time() - STEP_S))
    part.get_by_role("button", name="Switch it on").click()
    sheet = page.get_by_role("region", name="Your recovery codes")
    sheet.wait_for()
    codes = sheet.get_by_role("listitem").all_inner_texts()
    person.log_out()
    person.log_in()
    page.get_by_role("heading", name="One more step").wait_for()
    page.get_by_label("Code").fill(app.at(time.time() - 10 * STEP_S))
    page.get_by_role("button", name="Go on").click()
    alert = page.get_by_role("alert").filter(has_text=re.compile("."))
    alert.wait_for()
    assert "is not right" in alert.inner_text()
    person.look("wrong-code")
    page.get_by_label("Code").fill(app.now())
    page.get_by_role("button", name="Go on").click()
    person.is_in()
    person.log_out()
    person.log_in()
    page.get_by_label("Code").fill(codes[0].lower())
    page.get_by_role("button", name="Go on").click()
    person.is_in()
    part = person.protection()
    part.get_by_text("9 are left").wait_for()
    part.get_by_role("button", name="Remove the app").click()
    part.get_by_label("Password").fill(person.password)
    part.get_by_role("textbox", name="Code").fill(codes[1])
    person.look("removing")
    part.get_by_role("button", name="Remove the app").click()
    part.get_by_text("asks for no code").wait_for()


def test_a_login_that_proved_nothing_is_asked_who_it_is(person: Person, kino: Installation) -> None:
    page = person.page
    login = {"email": person.email, "password": person.password}
    token = call(kino, "POST", "/login", login)[1]["token"]
    device = call(kino, "POST", "/device_authorization", {"device_name": "A television"})[1]
    answer = {"user_code": device["user_code"], "allow": True}
    assert call(kino, "POST", "/device-sign-in", answer, token)[0] == 204
    poll = {"grant_type": GRANT, "device_code": device["device_code"]}
    unproved = call(kino, "POST", "/token", poll)[1]["access_token"]
    page.context.add_cookies([{"name": "cuemark_login", "value": unproved, "url": person.origin}])
    part = person.protection()
    part.get_by_role("button", name="Set up an app").click()
    dialog = page.get_by_role("dialog", name="Is it you?")
    dialog.wait_for()
    person.look("proof")
    dialog.get_by_label("Password").fill("certainly not this one")
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_text("The password is not right").wait_for()
    dialog.get_by_label("Password").fill(person.password)
    dialog.get_by_role("button", name="Go on").click()
    part.get_by_role("img", name="QR code for your authenticator app").wait_for()
    dialog.wait_for(state="detached")


def test_where_everything_is_lost_the_operator_lets_in(person: Person, kino: Installation) -> None:
    person.log_in()
    person.is_in()
    part = person.protection()
    person.touch()
    part.get_by_role("button", name="Add a passkey").click()
    person.page.get_by_role("region", name="Your recovery codes").wait_for()
    person.touch(False)
    done = kino.json("account", "reset-factors", person.email)
    assert done == {"ended": 1}
    person.log_in()
    person.is_in()
