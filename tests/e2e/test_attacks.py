"""What an attacker sends to a whole installation, and that it comes to nothing.

Who may call which route is held by the gateway's matrix; here is what goes past access:
sessions that were planted, fields that are nobody's to set, text that other programs would read as
commands, and files that name addresses.
"""

import http.client
import json
import re
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.e2e.installation import Installation, wait_until
from tests.e2e.test_members import call
from tests.others import listening

EMAIL, PASSWORD = "eve@example.org", "correct horse battery"
NAME = "Cue {{7*191}} ${7*191} <script>alert(1)</script>"
TEXTS = [
    "{{7*191}}",
    "${7*191}",
    "<%= 7*191 %>",
    "{0.__class__}",
    "<script>alert(1)</script>",
    "'; drop table identity.account; --",
    "\\u003cimg src=x onerror=alert(1)\\u003e",
    '"><svg onload=alert(1)>',
]


@pytest.fixture(scope="module")
def open_cuemark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation that anybody may join, with a worker to look into what is sent."""
    folder = tmp_path_factory.mktemp("attacked") / "data"
    folder.mkdir()
    (folder / "cuemark.toml").write_text(
        f"service_name = '{NAME}'\nsign_up = 'open'\nworkers = 1\nappliances = 0\n"
    )
    installation = Installation(folder)
    installation.up()
    yield installation
    installation.down()


@pytest.fixture(scope="module")
def member(open_cuemark: Installation) -> str:
    """The token of a member with a password."""
    operator = operator_of(open_cuemark)
    made = call(open_cuemark, "POST", "/accounts", {"email": EMAIL, "password": PASSWORD}, operator)
    assert made[0] == 201, made
    return str(
        call(open_cuemark, "POST", "/login", {"email": EMAIL, "password": PASSWORD})[1]["token"]
    )


def operator_of(install: Installation) -> str:
    return (install.folder / "secrets" / "operator_token").read_text().strip()


def raw(
    install: Installation, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """An answer with its headers; ``path`` begins behind the host."""
    parts = urlsplit(install.api_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    sent = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    connection.request(method, path, None if body is None else json.dumps(body), sent)
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


def test_a_login_that_was_planted_before_opens_nothing_after(
    open_cuemark: Installation, member: str
) -> None:
    planted = "A" * 43
    credentials = {"email": EMAIL, "password": PASSWORD}
    login = f"{urlsplit(open_cuemark.api_url).path}/login"
    origin = open_cuemark.member_url.rstrip("/")
    status, headers, _ = raw(
        *(open_cuemark, "POST", login, credentials),
        cookie=f"cuemark_login={planted}",
        origin=origin,
    )
    assert status == 200
    given = re.search(r"cuemark_login=([^;]+)", headers["set-cookie"])
    assert given is not None
    assert given[1] != planted
    me = f"{urlsplit(open_cuemark.api_url).path}/me"
    assert raw(open_cuemark, "GET", me, cookie=f"cuemark_login={planted}")[0] == 401
    assert raw(open_cuemark, "GET", me, cookie=f"cuemark_login={given[1]}")[0] == 200
    # Logging in over a login ends that one: what was read of it before opens nothing either.
    raw(
        *(open_cuemark, "POST", login, credentials),
        cookie=f"cuemark_login={given[1]}",
        origin=origin,
    )
    assert raw(open_cuemark, "GET", me, cookie=f"cuemark_login={given[1]}")[0] == 401


def test_what_is_nobodys_to_set_is_set_by_no_route(open_cuemark: Installation, member: str) -> None:
    """Each write of a member is sent its own fields and those of a greedy one."""
    operator = operator_of(open_cuemark)
    document = call(open_cuemark, "GET", "/openapi.json", token=operator)[1]
    greedy = {
        "role": "operator",
        "account_id": "acc_" + "0" * 26,
        "email_verified": True,
        "is_admin": True,
        "plan": "all",
        "maturity": 18,
        "kids": False,
        "streams": 99,
        "price_minor": 0,
    }
    before = call(open_cuemark, "GET", "/me", token=member)[1]
    sent = 0
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            if method not in ("post", "put", "patch") or "{" in path:
                continue
            if any(word in path for word in ("log", "deletion", "password", "link", "proof")):
                continue
            body = {**sample(document, described), **greedy}
            where = path.removeprefix(urlsplit(open_cuemark.api_url).path)
            status, _ = call(open_cuemark, method.upper(), where, body, member)
            assert status < 500, (method, path)
            sent += 1
    assert sent > 10
    after = call(open_cuemark, "GET", "/me", token=member)[1]
    assert {**after, "profile_name": ""} == {**before, "profile_name": ""}
    for path in ("/accounts", "/operator-links", "/login-links"):
        assert call(open_cuemark, "POST", path, {"email": EMAIL}, member)[0] in (401, 403)


def sample(document: Any, described: Any) -> dict[str, Any]:
    """A body with a value for each field that the document demands."""
    content = described.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    kinds = {"string": "x", "integer": 1, "number": 1.0, "boolean": False, "array": []}
    return {
        name: kinds.get(schema["properties"].get(name, {}).get("type"), "x")
        for name in schema.get("required", [])
    }


def test_text_of_people_is_text_wherever_it_is_shown(
    open_cuemark: Installation, member: str
) -> None:
    """The service's name is in each page and letter; titles' names are in lists and pages."""
    operator = operator_of(open_cuemark)
    for text in TEXTS:
        status, made = call(open_cuemark, "POST", "/titles", {"name": text}, operator)
        assert status == 201, made
        told = call(open_cuemark, "GET", f"/titles/{made['title_id']}", token=operator)[1]
        assert told["name"] == text
        for path in ("/titles?after=", "/works?after=", "/jobs?after=", "/traffic?title="):
            assert call(open_cuemark, "GET", path + quote(text), token=operator)[0] < 500
    link = open_cuemark.json("operations")["url"]
    code = {"code": link.partition("#code=")[2]}
    origin = open_cuemark.member_url.rstrip("/")
    _, headers, _ = raw(open_cuemark, "POST", "/operations/login", code, origin=origin)
    cookie = headers["set-cookie"].partition(";")[0]
    shown = [
        raw(open_cuemark, "GET", path, cookie=cookie)[2].decode()
        for path in ("/", "/operations", "/operations/login")
    ]
    assert all(page.startswith("<!") for page in shown)
    call(open_cuemark, "POST", "/password-reset", {"email": EMAIL})
    box = open_cuemark.folder / "mail"
    wait_until(lambda: any(box.glob("*.eml")), 30, "the letter is in the folder")
    for letter in box.glob("*.eml"):
        mail = message_from_bytes(letter.read_bytes(), policy=default)
        shown += [
            part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"
        ]
    assert any("191" in text for text in shown)
    for text in shown:
        assert "1337" not in text
        assert "<script>alert" not in text or not text.startswith("<!")


@pytest.mark.parametrize("scheme", ["http", "tcp", "rtmp", "rtsp"])
def test_a_master_that_names_an_address_is_no_film_and_nobody_is_asked(
    open_cuemark: Installation, tmp_path: Path, scheme: str
) -> None:
    with listening() as (port, heard):
        url = f"{scheme}://127.0.0.1:{port}/x.ts"
        texts = {
            "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n",
            "list.ffconcat": f"ffconcat version 1.0\nfile '{url}'\n",
            "list.mpd": f"<MPD><Period><BaseURL>{url}</BaseURL></Period></MPD>",
            "list.sdp": f"v=0\nm=video {port} RTP/AVP 96\nc=IN IP4 127.0.0.1\n",
        }
        for name, text in texts.items():
            film = tmp_path / name
            film.write_text(text)
            done = open_cuemark.cli("ingest", str(film), "--title", name, "--wait", expect=1)
            assert "the file is no film that FFmpeg can read" in done.stderr
        assert heard == []


def test_captions_and_avails_with_outside_entities_ask_nobody_and_tell_no_file(
    open_cuemark: Installation, tmp_path: Path
) -> None:
    with listening() as (port, heard):
        entity = (
            '<?xml version="1.0"?><!DOCTYPE x ['
            f'<!ENTITY a SYSTEM "http://127.0.0.1:{port}/"><!ENTITY b SYSTEM "file:///etc/hostname">]>'
        )
        avails = tmp_path / "avails.xml"
        avails.write_text(
            f'{entity}<AvailList xmlns="http://www.movielabs.com/schema/avails/v2.6/avails">'
            "&a;&b;</AvailList>"
        )
        done = open_cuemark.cli("rights", "import", str(avails), expect=None)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        sheet = tmp_path / "avails.xlsx"
        with zipfile.ZipFile(sheet, "w") as packed:
            packed.writestr("[Content_Types].xml", f"{entity}<Types>&a;&b;</Types>")
            packed.writestr("xl/workbook.xml", f"{entity}<workbook>&a;&b;</workbook>")
        done = open_cuemark.cli("rights", "import", str(sheet), expect=None)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert Path("/etc/hostname").read_text().strip() not in done.stdout + done.stderr
        assert heard == []
    assert call(open_cuemark, "GET", "/service")[0] == 200
