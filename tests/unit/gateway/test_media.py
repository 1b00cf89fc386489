"""A play's media at one address, for who knows no Content Steering and has no login."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.gateway.routes.media import _FILE
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.neighbours import MEDIA_URL, OPERATOR, REDIRECT_TOKEN, Town

HERE = f"/api/v1/media/{REDIRECT_TOKEN}"
FILES = ["v720/init.mp4", "v720/1.m4s", "v720/x7.m4s", "en.vtt", "v720.digests", "thumbnails/1.jpg"]


def is_open(answer: Answer) -> bool:
    return answer.header("access-control-allow-origin") == "*"


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_request_for_media_is_sent_on_to_an_appliance(
    ask: Asker, file: str, method: str
) -> None:
    answer = await ask(method, f"{HERE}/{file}?CMCD=br%3D1", headers={"range": "bytes=0-9"})
    assert (answer.status, answer.body) == (302, b"")
    assert answer.header("location") == f"{MEDIA_URL}{file}?CMCD=br%3D1"
    assert answer.header("cache-control") == "private, max-age=2"
    assert is_open(answer)


async def test_steering_is_told_who_asks(ask: Asker, town: Town) -> None:
    await ask("GET", f"{HERE}/v720/1.m4s")
    assert town.guide.clients == ["127.0.0.1"]


@pytest.mark.parametrize("form", ["dash", "hls"])
async def test_the_manifest_needs_no_login_and_names_this_address_alone(
    ask: Asker, town: Town, form: str
) -> None:
    file = "manifest.mpd" if form == "dash" else "master.m3u8"
    answer = await ask("GET", f"{HERE}/{file}", headers={"host": "films.example"})
    assert (answer.status, answer.body) == (200, f"<{form} at one address>".encode())
    assert answer.header("cache-control") == "no-store"
    assert is_open(answer)
    (asked,) = town.theatre.redirected
    assert (asked.session_id, asked.format) == ("ses_anna", form)
    assert asked.media_url == f"http://films.example{HERE}/"
    assert asked.licence_url == "http://films.example/api/v1/plays/ses_anna/licence"


async def test_a_playlist_is_answered_here_so_that_its_segments_are_asked_for_here(
    ask: Asker, town: Town
) -> None:
    town.objects.put("versions/ver_1/v720.m3u8", b"#EXTM3U\nv720/1.m4s\n")
    answer = await ask("GET", f"{HERE}/v720.m3u8")
    assert (answer.status, answer.body) == (200, b"#EXTM3U\nv720/1.m4s\n")
    assert answer.header("content-type").startswith("application/vnd.apple.mpegurl")
    assert is_open(answer)
    missing = await ask("GET", f"{HERE}/v999.m3u8")
    assert (missing.status, missing.code) == (404, "not_found")


@pytest.mark.parametrize("token", ["", "forged", "eyJzZXNzaW9uIn0.c2ln", "a" * 3000])
async def test_who_shows_no_token_of_a_running_play_is_sent_nowhere(ask: Asker, token: str) -> None:
    answer = await ask("GET", f"/api/v1/media/{token}/v720/1.m4s")
    assert (answer.status, answer.code) in ((410, "steering_over"), (404, "not_found"))
    assert answer.header("location") == ""


@pytest.mark.parametrize(
    "file",
    [
        "",
        "/",
        "../ver_2/v720/1.m4s",
        "v720/../../1.m4s",
        "v720/%2e%2e/1.m4s",
        "v720%0d%0aSet-Cookie:a/1.m4s",
        "v720/1.m4s%00",
        "%5cv720/1.m4s",
        "http://evil.example/",
        "a/b/c/d/e",
        "n" * 65,
    ],
)
async def test_what_is_no_file_of_a_version_is_sent_nowhere(
    ask: Asker, town: Town, file: str
) -> None:
    answer = await ask("GET", f"{HERE}/{file}")
    assert (answer.status, answer.code) == (404, "not_found")
    assert is_open(answer)
    assert town.guide.clients == []


@pytest.mark.parametrize("query", ["a\tb", "a b", '"', "<x>", "a" * 2001, "a%0d\r\nX: y", ""])
async def test_a_query_that_is_none_is_not_sent_on(ask: Asker, query: str) -> None:
    answer = await ask("GET", f"{HERE}/v720/1.m4s?{query}")
    assert (answer.status, answer.header("location")) == (302, f"{MEDIA_URL}v720/1.m4s")


@given(st.text())
def test_whatever_passes_for_a_file_stays_below_the_appliances_address(text: str) -> None:
    if _FILE.fullmatch(text):
        assert text.isascii()
        assert not {*text} & {*"\r\n\t %?#\\:@\0"}
        assert ".." not in text.split("/")


async def test_while_nobody_serves_players_are_told_to_come_back(ask: Asker, town: Town) -> None:
    town.guide.nobody_serves = True
    answer = await ask("GET", f"{HERE}/v720/1.m4s")
    assert (answer.status, answer.code) == (503, "no_appliance")
    assert answer.header("retry-after") == "2"
    town.guide.away = True
    answer = await ask("GET", f"{HERE}/v720/1.m4s")
    assert (answer.status, answer.code) == (503, "unavailable")


async def test_no_redirect_leads_back_to_a_redirect(ask: Asker) -> None:
    answer = await ask("GET", f"{HERE}/v720/1.m4s")
    path = answer.header("location").partition("8081")[2]
    assert (await ask("GET", path)).status != 302


async def test_the_document_tells_that_no_login_is_needed(ask: Asker) -> None:
    document = (await ask("GET", "/api/v1/openapi.json", token=OPERATOR)).json()
    operation = document["paths"]["/api/v1/media/{path}"]["get"]
    assert operation["security"] == []
    assert {"404", "410", "503"} <= operation["responses"].keys()
