"""A device is logged out from another one while it plays: its play ends, and no other."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from tests.e2e.conftest import FILM
from tests.e2e.installation import Installation, wait_until

pytestmark = pytest.mark.slow

WITHIN_S = 10
"""A reader of the log, a look at the plays, and what appliances are told: seconds, on a machine
that has other things to do."""


class Device:
    """A device on which a member is logged in."""

    def __init__(self, installation: Installation, email: str, session: requests.Session) -> None:
        self._api = installation.api_url
        self._session = session
        session.trust_env = False
        link = installation.json("account", "login-link", email, "--create")
        code = {"code": str(link["url"]).partition("code=")[2]}
        granted = session.post(f"{self._api}/login/link", json=code, timeout=20).json()
        session.headers["authorization"] = f"Bearer {granted['token']}"

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        return self._session.request(method, f"{self._api}{path}", json=body, timeout=20)

    def begin(self, title_id: str) -> dict[str, Any]:
        play: dict[str, Any] = self.ask("POST", "/plays", {"title_id": title_id}).json()
        return play

    def media(self, play: dict[str, Any]) -> str:
        manifest = self.ask("GET", play["dash_url"].removeprefix("/api/v1"))
        return str(re.findall(r"<BaseURL[^>]*>([^<]+)</BaseURL>", manifest.text)[0])

    def report(self, play: dict[str, Any], number: int) -> tuple[int, str]:
        body = {"sequence": number, "position_s": number}
        answer = self.ask("PUT", f"/plays/{play['session_id']}/progress", body)
        return answer.status_code, "" if answer.ok else answer.json()["error"]["code"]

    def login_id(self) -> str:
        found = self.ask("GET", "/account/logins").json()["logins"]
        return next(str(each["login_id"]) for each in found if each["is_this"])


@pytest.fixture
def devices(running_cuemark: Installation) -> Iterator[tuple[Device, Device]]:
    """Two of one account."""
    email = f"logged-out-{time.monotonic_ns()}@cuemark.example"
    with ExitStack() as stack:
        tv, phone = (
            Device(running_cuemark, email, stack.enter_context(requests.Session()))
            for _ in range(2)
        )
        yield tv, phone


def opens(media: str) -> bool:
    return requests.get(f"{media}index.json", timeout=20).status_code in (200, 404)


def test_a_device_that_is_logged_out_from_another_one_plays_no_longer(
    running_cuemark: Installation, devices: tuple[Device, Device]
) -> None:
    tv, phone = devices
    title_id = running_cuemark.title_id(FILM)
    there, here = tv.begin(title_id), phone.begin(title_id)
    media_there, media_here = tv.media(there), phone.media(here)
    assert opens(media_there)
    assert opens(media_here)
    assert tv.report(there, 1) == phone.report(here, 1) == (204, "")

    ended = phone.ask("DELETE", f"/account/logins/{tv.login_id()}")
    assert ended.json() == {"ended": 1}
    wait_until(
        lambda: tv.report(there, 2) == (401, "not_logged_in"), WITHIN_S, "its reports are refused"
    )
    wait_until(
        lambda: phone.report(there, 3) == (404, "unknown_play"), WITHIN_S, "its play has ended"
    )
    wait_until(lambda: not opens(media_there), WITHIN_S, "its tokens open nothing more")

    assert phone.report(here, 2) == (204, "")
    assert opens(media_here)
