"""A playback session over the API: manifests, licences, progress, end."""

import base64
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contracts.experiments.settings import defaults
from cuemark.contracts.licensing import LicenceInvalid
from cuemark.contracts.playback.devices import Capabilities
from cuemark.gateway.app import build_gateway
from cuemark.gateway.clearkey import kids_of
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import (
    ANNA,
    BEN,
    DRAFT,
    FILM,
    KEY,
    KID,
    OPERATOR,
    REDIRECT_TOKEN,
    Town,
)

HERE = "/api/v1/plays/ses_anna"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_a_play_answers_with_paths_of_this_api(ask: Asker, town: Town) -> None:
    body = {"title_id": FILM, "device": "browser"}
    answer = await ask("POST", "/api/v1/plays", token=ANNA, json=body)
    assert answer.status == 201
    view = answer.json()
    assert view.pop("expires_at").startswith("2026-01-01T06:00")
    assert view == {
        "session_id": "ses_anna",
        "title_id": FILM,
        "version_id": "ver_1",
        "duration_s": 52.0,
        "resume_s": 12.5,
        "appliances": ["edge-a"],
        "dash_url": f"{HERE}/manifest.mpd",
        "hls_url": f"{HERE}/master.m3u8",
        "licence_url": f"{HERE}/licence",
        "progress_url": f"{HERE}/progress",
        "systems": [
            {
                "system": "widevine",
                "licence_url": f"{HERE}/licence/widevine",
                "hls_url": f"{HERE}/master.m3u8?system=widevine",
            }
        ],
        "redirected_dash_url": f"/api/v1/media/{REDIRECT_TOKEN}/manifest.mpd",
        "redirected_hls_url": f"/api/v1/media/{REDIRECT_TOKEN}/master.m3u8",
        "ads": False,
        "settings": defaults(),
    }
    (started,) = town.theatre.started
    assert (started.account_id, started.profile_id) == ("acc_anna", "prf_anna")
    assert started.device == "browser"


async def test_a_play_is_bound_to_the_networks_that_its_caller_names(
    ask: Asker, town: Town
) -> None:
    body = {"title_id": FILM, "networks": ["192.0.2.0/24", "2001:db8::/32"]}
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json=body)).status == 201
    assert town.theatre.started[0].networks == body["networks"]


async def test_a_device_says_what_it_can_play(ask: Asker, town: Town) -> None:
    said = {
        "codecs": ["h264", "av1", "vvc"],
        "max_height": 2160,
        "dynamic_ranges": ["sdr", "pq"],
        "hdcp": "2.2",
        "system": "widevine",
        "robustness": "hardware",
        "sounds": ["aac"],
        "max_channels": 6,
    }
    body = {"title_id": FILM, "device_id": "tv-1", "capabilities": said}
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json=body)).status == 201
    body = {"title_id": FILM, "capabilities": {"max_height": 720}}
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json=body)).status == 201
    await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": FILM})
    full, some, nothing = town.theatre.started
    assert (full.device_id, msgspec.to_builtins(full.capabilities)) == ("tv-1", said)
    assert some.capabilities == Capabilities(max_height=720)
    assert nothing.capabilities is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("device_id", "x" * 101),
        ("device_id", "tv\x00"),
        ("capabilities", {"hdcp": "9.9"}),
        ("capabilities", {"max_height": -1}),
        ("capabilities", {"max_height": 1 << 40}),
        ("capabilities", {"codecs": ["x" * 41]}),
        ("capabilities", {"codecs": ["h264"] * 33}),
        ("capabilities", {"codecs": "h264"}),
        ("capabilities", {"system": "clearkey"}),
        ("instead_of", 7),
    ],
)
async def test_what_no_device_can_say_is_refused(
    ask: Asker, town: Town, field: str, value: object
) -> None:
    body = {"title_id": FILM, field: value}
    answer = await ask("POST", "/api/v1/plays", token=ANNA, json=body)
    assert answer.status == 422
    assert town.theatre.started == []


async def test_a_play_too_many_says_which_ones_run_and_may_begin_instead_of_one(
    ask: Asker, town: Town
) -> None:
    body = {"title_id": FILM, "device": "one too many"}
    answer = await ask("POST", "/api/v1/plays", token=ANNA, json=body)
    error = answer.json()["error"]
    assert (answer.status, error["code"]) == (409, "too_many_streams")
    assert error["plays"] == [
        {
            "session_id": "ses_anna",
            "title_id": FILM,
            "title": "The Film",
            "device": "tv",
            "started_at": "2026-01-01T00:00:00Z",
        }
    ]
    body["instead_of"] = "ses_anna"
    assert (await ask("POST", "/api/v1/plays", token=ANNA, json=body)).status == 201
    assert town.theatre.started[0].instead_of == "ses_anna"


async def test_a_refusal_that_tells_no_plays_has_none(ask: Asker) -> None:
    answer = await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": DRAFT})
    assert set(answer.json()["error"]) == {"code", "message"}


async def test_a_member_sees_the_devices_of_the_own_account_alone(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/plays/devices", token=ANNA)
    assert answer.status == 200
    (tv,) = answer.json()["devices"]
    assert (tv["device_id"], tv["name"]) == ("tv-1", "tv")
    assert tv["capabilities"]["codecs"] == ["h264", "hevc"]
    answer = await ask("GET", "/api/v1/plays/devices", token=BEN)
    assert answer.json() == {"devices": []}
    assert (await ask("GET", "/api/v1/plays/devices")).status == 401


async def test_who_asks_for_a_licence_keeps_the_stream_and_needs_nobody_for_the_licence(
    ask: Asker, town: Town
) -> None:
    body = {"kids": [base64url(bytes.fromhex(KID))], "type": "temporary"}
    assert (await ask("POST", f"{HERE}/licence", token=ANNA, json=body)).status == 200
    assert town.theatre.asked == ["ses_anna"]
    town.theatre.away = True
    assert (await ask("POST", f"{HERE}/licence", token=ANNA, json=body)).status == 200


async def test_the_operator_stops_the_play_of_any_member(ask: Asker, town: Town) -> None:
    answer = await ask("POST", f"{HERE}/stop", token=OPERATOR)
    assert (answer.status, answer.json()) == (200, {})
    assert [each.session_id for each in town.theatre.stopped] == ["ses_anna"]


async def test_a_title_that_cannot_play_says_so(ask: Asker) -> None:
    answer = await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": DRAFT})
    assert (answer.status, answer.code) == (409, "cannot_play")


@pytest.mark.parametrize(
    ("file", "media_type", "text"),
    [
        ("manifest.mpd", "application/dash+xml", b"<dash>"),
        ("master.m3u8", "application/vnd.apple.mpegurl", b"<hls>"),
    ],
)
async def test_a_manifest_has_its_type_and_is_not_kept(
    ask: Asker, file: str, media_type: str, text: bytes
) -> None:
    answer = await ask("GET", f"{HERE}/{file}", token=ANNA)
    assert (answer.status, answer.body) == (200, text)
    assert answer.header("content-type").split(";")[0] == media_type
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("films.example", "https://films.example"),
        ("192.168.1.5:8080", "http://192.168.1.5:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
async def test_licences_are_where_the_client_reached_us(
    tmp_path: Path, host: str, origin: str
) -> None:
    town = Town(tmp_path, public_base_url="https://films.example")
    ask = Asker(build_gateway(town.parts), host)
    await ask("GET", f"{HERE}/manifest.mpd", token=ANNA)
    assert town.theatre.licence_urls == [f"{origin}{HERE}/licence"]


@pytest.mark.parametrize("media_type", ["application/json", "application/octet-stream", ""])
async def test_a_licence_speaks_base64url_outside_and_hex_inside(
    ask: Asker, media_type: str
) -> None:
    kid = base64url(bytes.fromhex(KID))
    body = f'{{"kids": ["{kid}"], "type": "temporary"}}'.encode()
    headers = {"content-type": media_type} if media_type else {}
    answer = await ask("POST", f"{HERE}/licence", token=ANNA, headers=headers, chunks=[body])
    assert answer.status == 200
    assert answer.json() == {
        "keys": [{"kty": "oct", "kid": kid, "k": base64url(bytes.fromhex(KEY))}],
        "type": "temporary",
    }
    assert answer.header("content-type") == "application/json"
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'{"kids": []}',
        b'{"kids": [5]}',
        b'{"kids": ["AAAA"]}',
        b'{"kids": ["!!!!!!!!!!!!!!!!!!!!!!"]}',
        b'{"kids": ["ABEiM0RVZneImaq7zN3u/w"], "type": "other"}',
        b'{"kids": ["\xc3\xa9BEiM0RVZneImaq7zN3u_w"]}',
        b'{"kids": [' + b",".join([b'"ABEiM0RVZneImaq7zN3u_w"'] * 65) + b"]}",
        b"\xff",
        b'{"kids": ["\xed\xa0\x80"]}',
        b'{"x": ' + b"[" * 60_000,
    ],
)
async def test_a_licence_request_that_is_none_is_400(ask: Asker, body: bytes) -> None:
    answer = await ask("POST", f"{HERE}/licence", token=ANNA, chunks=[body])
    assert (answer.status, answer.code) == (400, "licence_invalid")


async def test_a_challenge_passes_as_it_is_and_its_licence_is_not_kept(
    ask: Asker, town: Town
) -> None:
    headers = {"content-type": "text/xml", "soapaction": '"AcquireLicense"'}
    path = f"{HERE}/licence/playready"
    answer = await ask("POST", path, token=ANNA, headers=headers, chunks=[b"\0<", b"x\xff"])
    assert (answer.status, answer.body) == (200, b"\0licence")
    assert answer.header("content-type").split(";")[0] == "text/xml"
    assert answer.header("cache-control") == "no-store"
    (forwarded,) = town.keys.forwarded
    assert (forwarded.system, forwarded.challenge) == ("playready", b"\0<x\xff")
    assert (forwarded.media_type, forwarded.soap_action) == ("text/xml", '"AcquireLicense"')


@pytest.mark.parametrize(
    ("system", "token", "status", "code"),
    [
        ("fairplay", ANNA, 502, "licence_server_away"),
        ("widevine", BEN, 403, "licence_refused"),
        ("widevine", None, 401, "not_logged_in"),
        ("adobe", ANNA, 404, "not_found"),
    ],
)
async def test_a_challenge_is_refused_with_a_reason(
    ask: Asker, town: Town, system: str, token: str | None, status: int, code: str
) -> None:
    answer = await ask("POST", f"{HERE}/licence/{system}", token=token, chunks=[b"x"])
    assert (answer.status, answer.code) == (status, code)
    assert town.keys.forwarded == []


async def test_a_challenge_has_bounds(ask: Asker, town: Town) -> None:
    chunks = [b"x" * 40_000] * 2
    answer = await ask("POST", f"{HERE}/licence/widevine", token=ANNA, chunks=chunks)
    assert (answer.status, answer.code) == (413, "too_many_bytes")
    assert town.keys.forwarded == []


async def test_a_playlist_may_be_asked_for_a_drm_system(ask: Asker, town: Town) -> None:
    answer = await ask("GET", f"{HERE}/master.m3u8?system=fairplay", token=ANNA)
    assert answer.status == 200
    assert town.theatre.systems == ["fairplay"]
    answer = await ask("GET", f"{HERE}/master.m3u8?system=adobe", token=ANNA)
    assert (answer.status, answer.code) == (422, "invalid")


async def test_a_foreign_key_is_refused_with_a_reason(ask: Asker) -> None:
    kid = base64url(b"x" * 16)
    answer = await ask("POST", f"{HERE}/licence", token=ANNA, json={"kids": [kid]})
    assert (answer.status, answer.code) == (403, "licence_refused")
    path = f"{HERE}/keys/{'ab' * 16}"
    assert (await ask("GET", path, token=ANNA)).status == 403


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=64))
def test_key_ids_survive_the_way(kids: list[bytes]) -> None:
    names = ",".join(f'"{base64url(kid)}"' for kid in kids)
    assert kids_of(f'{{"kids": [{names}]}}'.encode()) == [kid.hex() for kid in kids]


@given(st.binary(max_size=200))
def test_any_other_licence_request_is_refused_and_nothing_else(body: bytes) -> None:
    try:
        kids = kids_of(body)
    except LicenceInvalid:
        return
    assert all(len(kid) == 32 for kid in kids)


async def test_an_hls_key_is_sixteen_bytes(ask: Asker) -> None:
    for kid in (KID, KID.upper()):
        answer = await ask("GET", f"{HERE}/keys/{kid}", token=ANNA)
        assert (answer.status, answer.body) == (200, bytes.fromhex(KEY))
        assert answer.header("content-type") == "application/octet-stream"
        assert answer.header("cache-control") == "no-store"
    assert (await ask("GET", f"{HERE}/keys/zz", token=ANNA)).status == 404


async def test_progress_takes_title_and_length_from_the_session(ask: Asker, town: Town) -> None:
    body = {"position_s": 40.5, "sequence": 3, "title_id": "ttl_other"}
    answer = await ask("PUT", f"{HERE}/progress", token=ANNA, json=body)
    assert (answer.status, answer.body) == (204, b"")
    (recorded,) = town.memory.recorded
    assert (recorded.profile_id, recorded.title_id) == ("prf_anna", FILM)
    assert (recorded.position_s, recorded.duration_s, recorded.sequence) == (40.5, 52.0, 3)
    outside = await ask(
        "PUT", f"{HERE}/progress", token=ANNA, json={"position_s": 53, "sequence": 4}
    )
    assert (outside.status, outside.code) == (422, "progress_invalid")


@pytest.mark.parametrize(
    "body",
    [
        {"position_s": -1, "sequence": 1},
        {"position_s": 1e300, "sequence": 1},
        {"position_s": 1, "sequence": -1},
        {"position_s": 1, "sequence": 2**60},
        {"position_s": 1, "sequence": 1.5},
        {"position_s": "x", "sequence": 1},
    ],
)
async def test_progress_that_cannot_be_is_refused(
    ask: Asker, town: Town, body: dict[str, object]
) -> None:
    answer = await ask("PUT", f"{HERE}/progress", token=ANNA, json=body)
    assert (answer.status, answer.code) == (422, "invalid")
    assert town.memory.recorded == []


async def test_a_play_is_ended_by_its_owner(ask: Asker, town: Town) -> None:
    assert (await ask("DELETE", HERE, token=ANNA)).status == 204
    assert [end.session_id for end in town.theatre.ended] == ["ses_anna"]
