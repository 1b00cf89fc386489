"""Where a request comes from."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from cuemark.gateway.app import build_gateway
from cuemark.gateway.clients import client_address
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, FILM, Town

PROXIES = [ip_network("127.0.0.0/8"), ip_network("2001:db8:aa::/48")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.9, 127.0.0.2, 2001:db8:aa::1", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, nonsense", ""),
        ("127.0.0.1", "203.0.113.9:5555", ""),
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("::ffff:127.0.0.1", "[2001:db8::9]", "2001:db8::9"),
        ("127.0.0.1", ", ".join(["127.0.0.1"] * 1000), "127.0.0.1"),
        ("fe80::1%eth0", "", "fe80::1"),
        ("", "203.0.113.9", ""),
        ("unix", "", ""),
    ],
)
def test_proxies_are_believed_as_far_as_they_are_trusted(
    peer: str, forwarded: str, client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


async def test_playback_hears_where_a_play_is_and_no_answer_tells_it(
    ask: Asker, town: Town
) -> None:
    headers = {"x-forwarded-for": "203.0.113.9"}
    answer = await ask(
        "POST", "/api/v1/plays", token=ANNA, json={"title_id": FILM}, headers=headers
    )
    assert [each.client_address for each in town.theatre.started] == ["127.0.0.1"]
    assert b"127.0.0.1" not in answer.body


async def test_a_trusted_proxy_says_where_a_play_is(town: Town) -> None:
    ask = Asker(build_gateway(replace(town.parts, trusted_proxies=PROXIES)))
    headers = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")]
    await ask("POST", "/api/v1/plays", token=ANNA, json={"title_id": FILM}, headers=headers)
    assert [each.client_address for each in town.theatre.started] == ["203.0.113.9"]
