"""The pages of operations: who sees them, and that nothing on them can run."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from cuemark.kit.log_errors import LoggedError
from cuemark.kit.log_lines import LogLine
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.neighbours import ANNA, OPERATOR, OPERATOR_CODE, TRACE, Town

PAGE = {"accept": "text/html,application/xhtml+xml"}
COOKIE = {"cookie": f"cuemark_operator={OPERATOR}"}


class Seen(HTMLParser):
    """The elements of a page, with what could load or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.dangers: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_script = tag == "script"
        for name, value in attrs:
            if name in ("src", "href"):
                self.addresses.append(value or "")
            if name == "style" or name.startswith("on"):
                self.dangers.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.dangers.append(data)


def seen(answer: Answer) -> Seen:
    assert answer.status == 200
    assert answer.header("content-type").startswith("text/html")
    return Seen(answer.body.decode())


def fill(town: Town) -> None:
    hostile = '<script>alert("x")</script>'
    town.errors.append(
        LoggedError(
            at="2026-01-01T00:00:00.000+00:00",
            process="control",
            event="request_failed",
            message=hostile,
            trace_id=TRACE,
        )
    )
    town.lines.append(
        LogLine(
            began_at=datetime(2026, 1, 1, tzinfo=UTC),
            process=hostile,
            level="error",
            event=hostile,
            trace_id=TRACE,
            duration_s=0.5,
            fields={"reason": hostile},
        )
    )


@pytest.mark.parametrize("path", ["/operations", f"/operations/traces/{TRACE}"])
async def test_a_page_loads_from_here_only_and_runs_nothing_inline(
    ask: Asker, town: Town, path: str
) -> None:
    fill(town)
    answer = await ask("GET", path, headers=PAGE | COOKIE)
    page = seen(answer)
    assert page.dangers == []
    assert page.tags.count("script") == 1
    assert all(address.startswith("/operations") for address in page.addresses)
    policies = [value for name, value in answer.headers if name == "content-security-policy"]
    assert len(policies) == 1
    assert "default-src 'none'" in policies[0]
    assert "unsafe" not in policies[0]


async def test_the_page_shows_what_is_wrong(ask: Asker, town: Town) -> None:
    fill(town)
    text = (await ask("GET", "/operations", headers=PAGE | COOKIE)).body.decode()
    assert "worker-1" in text
    assert f"/operations/traces/{TRACE}" in text
    assert "&lt;b&gt;tv&lt;/b&gt;" in text
    assert "its header is not TOML" in text
    assert "run_1" in text
    assert "0.2.0+abc" in text
    town.theatre.away = True
    text = (await ask("GET", "/operations", headers=PAGE | COOKIE)).body.decode()
    assert "playback does not answer" in text


async def test_the_operators_cookie_opens_the_pages_and_nothing_else(ask: Asker) -> None:
    assert (await ask("GET", "/operations", headers=COOKIE)).status == 200
    for path in ("/api/v1/jobs", "/api/v1/me", "/api/v1/accounts"):
        answer = await ask("GET", path, headers=COOKIE)
        assert answer.status in (401, 405), path
    as_login = {"cookie": f"cuemark_login={OPERATOR}"}
    assert (await ask("GET", "/operations", headers=as_login)).status == 401


async def test_a_browser_without_the_cookie_is_told_what_to_do(ask: Asker) -> None:
    member = PAGE | {"cookie": f"cuemark_operator={ANNA}"}
    for headers, status in ((PAGE, 401), (member, 403)):
        answer = await ask("GET", "/operations", headers=headers)
        assert answer.status == status
        assert "cuemark operations" in answer.body.decode()
        assert Seen(answer.body.decode()).dangers == []


async def test_a_link_opens_a_login_once_that_scripts_cannot_read(ask: Asker) -> None:
    link = (await ask("POST", "/api/v1/operator-links", token=OPERATOR, json={})).json()
    address, _, fragment = link["url"].partition("#")
    assert address == "http://127.0.0.1:8080/operations/login"
    assert fragment.startswith("code=")
    answer = await ask("POST", "/operations/login", json={"code": OPERATOR_CODE})
    assert answer.status == 204
    cookie = answer.header("set-cookie").lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/operations" in cookie
    assert (await ask("POST", "/operations/login", json={"code": "other"})).status == 401


async def test_another_sites_page_can_neither_log_in_nor_out(ask: Asker) -> None:
    foreign = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    for path in ("/operations/login", "/operations/logout"):
        answer = await ask("POST", path, headers=foreign | COOKIE, json={"code": OPERATOR_CODE})
        assert (answer.status, answer.code) == (403, "foreign_origin")


async def test_a_failure_tells_its_trace(ask: Asker, town: Town) -> None:
    town.films.away = True
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = await ask("GET", "/api/v1/titles", token=ANNA, headers=headers)
    assert answer.status == 503
    assert TRACE in answer.json()["error"]["message"]


@pytest.mark.parametrize("lost", [False, True])
async def test_the_farm_says_who_works_on_what_and_who_is_lost(
    ask: Asker, town: Town, lost: bool
) -> None:
    town.studio.lost = lost
    page = (await ask("GET", "/operations", headers=PAGE | COOKIE)).body.decode()
    assert "&lt;i&gt;host&lt;/i&gt;" in page
    assert ("lost, silent for 12 s" in page) is lost
    assert ("encode: encode for &lt;b&gt;720 lines&lt;/b&gt;" in page) is not lost
    assert page.count(">17<") == 3, "what waits of each priority"


async def test_a_cancel_says_who_calls_beside_the_name_that_was_given(
    ask: Asker, town: Town
) -> None:
    body = {"by": "anna@desk"}
    answer = await ask("POST", "/api/v1/jobs/ver_1/cancel", json=body, token=OPERATOR)
    assert answer.status == 200
    assert answer.json()["canceled_by"] == "operator anna@desk"
    await ask("POST", "/api/v1/jobs/ver_1/cancel", json={}, token=OPERATOR)
    assert [each.by for each in town.studio.canceled] == ["operator anna@desk", "operator"]
