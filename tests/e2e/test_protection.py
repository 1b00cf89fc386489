"""An installation that packages in cenc and names keys to DRM systems beside ClearKey."""

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.installation import Installation, ffmpeg
from tests.e2e.page.conftest import launch
from tests.e2e.page.looking import until, until_playing
from tests.others import Answering, serving

pytestmark = pytest.mark.slow

FILM, SECONDS, RATE = "In cenc", 2, 24
SETTINGS = """
effort = "fast"
workers = 1
appliances = 1
[protection]
scheme = "cenc"
systems.widevine = {{ licence_url = "{url}", headers_file = "secrets/widevine_headers" }}
systems.common = {{}}
"""


@dataclass(frozen=True)
class House:
    cuemark: Installation
    licences: Answering


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("protection")
    film = folder / "film.mp4"
    picture = f"testsrc2=size=256x144:rate={RATE}:duration={SECONDS}"
    tone = f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"
    ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-c:a", "aac", str(film))
    with serving() as licences:
        data = folder / "data"
        (data / "secrets").mkdir(mode=0o700, parents=True)
        (data / "cuemark.toml").write_text(SETTINGS.format(url=licences.url))
        (data / "secrets" / "widevine_headers").write_text("X-Token: 5ec2e7\n")
        cuemark = Installation(data)
        cuemark.up()
        try:
            cuemark.ingest(film, FILM, effort="fast")
            yield House(cuemark, licences)
        finally:
            cuemark.down()


class Member:
    """Somebody with a bearer token, who speaks plain HTTP."""

    def __init__(self, cuemark: Installation) -> None:
        self.api = cuemark.api_url
        self.token = ""
        granted = self.ask("POST", "/login/link", {"code": cuemark.login_code()})
        self.token = json.loads(granted)["token"]

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        url = self.api + path.removeprefix("/api/v1")
        headers = {"content-type": kind, "authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(
            url, data if body is not None else None, headers, method=method
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bytes(answer.read())

    def start(self, title_id: str) -> Any:
        return json.loads(self.ask("POST", "/plays", {"title_id": title_id}))


@pytest.mark.parametrize("form", ["dash", "hls"])
def test_every_frame_is_decrypted_and_decoded(house: House, form: str) -> None:
    report = house.cuemark.json("play", FILM, "--from=0", f"--format={form}")
    assert report["frames"] == SECONDS * RATE
    assert (report["decode_errors"], report["stalls"]) == (0, 0)


def test_a_browser_without_the_system_plays_by_clearkey(house: House) -> None:
    title_id = house.cuemark.title_id(FILM)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.goto(house.cuemark.login_link())
        page.get_by_role("heading", name="All titles").wait_for()
        page.goto(f"{house.cuemark.member_url.rstrip('/')}/watch/{title_id}")
        until_playing(page)
        until(page, lambda now: now["picture_s"] > 0.8, "a second of film")
        assert page.evaluate("document.querySelector('video').mediaKeys !== null")
        browser.close()
    assert house.licences.asked == []


def test_a_challenge_reaches_the_licence_server_and_its_licence_the_player(house: House) -> None:
    house.licences.asked.clear()
    house.licences.body = b"\x08\x02licence"
    member = Member(house.cuemark)
    play = member.start(house.cuemark.title_id(FILM))
    (system,) = play["systems"]
    mpd = member.ask("GET", play["dash_url"]).decode()
    assert set(re.findall(r'protection:2011" value="(\w+)"', mpd)) == {"cenc"}
    (address,) = set(re.findall(r"Laurl>([^<]+)<", mpd))
    assert address == house.cuemark.api_url.removesuffix("/api/v1") + system["licence_url"]
    assert member.ask("POST", system["licence_url"], b"challenge\0") == b"\x08\x02licence"
    (asked,) = house.licences.asked
    assert (asked.body, asked.headers["x-token"]) == (b"challenge\0", "5ec2e7")
    kids = {kid.replace("-", "") for kid in re.findall(r'default_KID="([^"]+)"', mpd)}
    assert set(asked.headers["cuemark-key-ids"].split(",")) == kids
    assert not house.cuemark.log("5ec2e7")

    master = member.ask("GET", system["hls_url"]).decode()
    media = re.findall(r"^http\S+\.widevine\.m3u8$", master, re.MULTILINE)
    with urllib.request.urlopen(media[0], timeout=20) as answer:
        playlist = answer.read().decode()
    assert 'METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,' in playlist

    house.licences.status = 503
    with pytest.raises(urllib.error.HTTPError) as away:
        member.ask("POST", system["licence_url"], b"challenge")
    with away.value as answer:
        assert answer.status == 502
        assert json.loads(answer.read())["error"]["code"] == "licence_server_away"
    (logged,) = house.cuemark.events("licence_server_away")
    assert logged["why"] == "answers with status 503"


def test_the_operator_gets_the_keys_of_a_version_by_speke(house: House) -> None:
    """What a licence server needs, and a member may not have."""
    member = Member(house.cuemark)
    play = member.start(house.cuemark.title_id(FILM))
    mpd = member.ask("GET", play["dash_url"]).decode()
    kid = re.findall(r'default_KID="([^"]+)"', mpd)[0]
    document = (
        f'<CPIX xmlns="urn:dashif:org:cpix" contentId="{play["version_id"]}" version="2.3">'
        f'<ContentKeyList><ContentKey kid="{kid}" commonEncryptionScheme="cenc"/></ContentKeyList>'
        "</CPIX>"
    ).encode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        member.ask("POST", "/speke/v2.0/copyProtection", document)
    with refused.value as said:
        assert said.status == 403
    name = base64.urlsafe_b64encode(bytes.fromhex(kid.replace("-", ""))).rstrip(b"=").decode()
    licence = json.loads(member.ask("POST", play["licence_url"], {"kids": [name]}))
    member.token = (house.cuemark.folder / "secrets" / "operator_token").read_text()
    answer = member.ask("POST", "/speke/v2.0/copyProtection", document).decode()
    (given,) = re.findall(r"PlainValue>([^<]+)<", answer)
    key = base64.urlsafe_b64decode(licence["keys"][0]["k"] + "==")
    assert base64.b64decode(given) == key
