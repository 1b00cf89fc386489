"""A title plays in its window alone, and a play ends when its right is taken away."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.e2e.conftest import FILM
from tests.e2e.installation import Installation, wait_until

pytestmark = pytest.mark.slow

MEMBER = "--as=rights@cuemark.example"


@pytest.fixture
def member(running_cuemark: Installation) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        code = {"code": running_cuemark.login_code()}
        answer = session.post(f"{running_cuemark.api_url}/login/link", json=code, timeout=20)
        session.headers["authorization"] = f"Bearer {answer.json()['token']}"
        yield session


@pytest.fixture
def unrecorded(running_cuemark: Installation) -> Iterator[None]:
    """The film has no rights recorded, before and after."""
    yield
    while running_cuemark.json("rights", "show", FILM)["number"]:
        running_cuemark.cli("rights", "undo", FILM)


@pytest.mark.usefixtures("unrecorded")
def test_a_title_is_shown_and_played_in_its_window_alone_and_a_play_ends_with_it(
    running_cuemark: Installation, member: requests.Session
) -> None:
    api, title_id = running_cuemark.api_url, running_cuemark.title_id(FILM)

    def get(path: str) -> requests.Response:
        return member.get(f"{api}{path}", timeout=20)

    def shown() -> list[str]:
        return [title["name"] for title in get("/titles").json()["titles"]]

    running_cuemark.cli("rights", "set", FILM, "--territory=WW")
    assert FILM in shown()
    play: dict[str, Any] = member.post(
        f"{api}/plays", json={"title_id": title_id}, timeout=20
    ).json()
    manifest = get(play["dash_url"].removeprefix("/api/v1"))
    media = re.findall(r"<BaseURL[^>]*>([^<]+)</BaseURL>", manifest.text)[0]
    assert manifest.status_code == 200
    assert requests.get(f"{media}index.json", timeout=20).status_code in (200, 404)

    running_cuemark.cli("rights", "set", FILM, "--territory=KI", "--territory=NU")
    assert FILM not in shown()
    assert get(f"/titles/{title_id}").status_code == 404
    assert get(f"/titles/{title_id}/artwork").status_code == 404
    refused = running_cuemark.cli("play", title_id, MEMBER, expect=1)
    assert "Traceback" not in refused.stderr
    again = member.post(f"{api}/plays", json={"title_id": title_id}, timeout=20)
    assert (again.status_code, again.json()["error"]["code"]) == (403, "no_right")
    assert f"{FILM} may not be played" in again.json()["error"]["message"]
    wait_until(
        lambda: requests.get(f"{media}index.json", timeout=20).status_code in (401, 403, 410),
        15,
        "the play's tokens open nothing more",
    )
    assert get(play["dash_url"].removeprefix("/api/v1")).status_code in (403, 404)

    running_cuemark.cli("rights", "undo", FILM)
    assert FILM in shown()
    report = running_cuemark.json("play", FILM, MEMBER, "--seconds=1")
    assert report["decode_errors"] == 0
