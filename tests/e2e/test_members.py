"""Somebody joins by mail on a whole installation, and is thrown out from another device."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, wait_until

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


@pytest.fixture(scope="module")
def open_cuemark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that anybody may join, without a film and without what shows films."""
    folder = tmp_path_factory.mktemp("open") / "data"
    folder.mkdir()
    (folder / "cuemark.toml").write_text('sign_up = "open"\nworkers = 0\nappliances = 0\n')
    installation = Installation(folder)
    installation.up()
    yield installation
    installation.down()


def call(
    install: Installation, method: str, path: str, body: object = None, token: str = ""
) -> tuple[int, Any]:
    """Status and JSON of a request as a device makes it."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{install.api_url}{path}", data=data, headers=headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def letters(folder: Path) -> list[str]:
    """The plain texts of the letters that were sent, oldest first."""
    mails = [
        message_from_bytes(path.read_bytes(), policy=default)
        for path in sorted((folder / "mail").glob("*.eml"))
    ]
    bodies = [mail.get_body(("plain",)) for mail in mails if mail["To"] == EMAIL]
    return [body.get_content() for body in bodies if body is not None]


def test_a_member_joins_by_mail_and_ends_a_login_from_elsewhere(
    open_cuemark: Installation,
) -> None:
    assert call(open_cuemark, "GET", "/service")[1]["sign_up"] == "open"
    assert call(open_cuemark, "POST", "/sign-up", {"email": EMAIL}) == (202, {"delayed": False})
    open_cuemark.kill("control")
    wait_until(lambda: len(letters(open_cuemark.folder)) == 1, 30, "the letter is in the folder")
    (letter,) = letters(open_cuemark.folder)
    found = re.search(r"(http\S+)/join#code=(\S+)", letter)
    assert found is not None
    assert f"{found[1]}/" == open_cuemark.member_url
    join = {"code": found[2], "password": PASSWORD, "role": "operator"}
    status, granted = call(open_cuemark, "POST", "/sign-up/complete", join)
    assert (status, granted["account"]["email"]) == (201, EMAIL)
    credentials = {"email": EMAIL, "password": PASSWORD}
    phone = call(open_cuemark, "POST", "/login", credentials)[1]["token"]
    me = call(open_cuemark, "GET", "/me", token=phone)[1]
    assert (me["role"], me["email"]) == ("member", EMAIL)
    assert call(open_cuemark, "DELETE", "/account/logins", token=granted["token"]) == (
        200,
        {"ended": 1},
    )
    assert call(open_cuemark, "GET", "/me", token=phone)[0] == 401
    assert call(open_cuemark, "GET", "/me", token=granted["token"])[0] == 200
    export = call(open_cuemark, "GET", "/account/export", token=granted["token"])[1]
    assert (export["account"]["email"], export["plays"], export["complete"]) == (EMAIL, [], True)
    assert open_cuemark.json("account", "log-out", EMAIL) == {"ended": 1}
