"""What the player tells its appliances, as they read it."""

import pytest

from cuemark.edge import cmcd as edge
from cuemark.player.cmcd import Told, headers, next_object

WHOLE = Told(
    bl=12_345,
    br=2_400,
    bs=True,
    cid='ttl_"\\',
    d=2_000,
    mtp=8_051,
    nor="8.m4s",
    ot="v",
    sf="d",
    sid="ab" * 16,
    st="v",
    su=True,
    tb=5_000,
)


def test_an_appliance_reads_what_the_player_tells() -> None:
    sent = headers(WHOLE)
    assert sent["CMCD-Status"] == "bs"
    order = ("CMCD-Object", "CMCD-Request", "CMCD-Session", "CMCD-Status")
    read = edge.parse_headers("\t".join(sent[name] for name in order))
    assert read is not None
    assert (read.bl, read.mtp) == (12_300, 8_100)
    for name in ("br", "bs", "cid", "d", "nor", "ot", "sf", "sid", "st", "su", "tb"):
        assert getattr(read, name) == getattr(WHOLE, name)


def test_what_is_not_known_is_not_told() -> None:
    assert headers(Told()) == {}
    assert headers(Told(bl=0, ot="i")) == {"CMCD-Object": "ot=i", "CMCD-Request": "bl=0"}


@pytest.mark.parametrize(
    ("path", "following", "told"),
    [("v1/1.m4s", "v1/2.m4s", "2.m4s"), ("v1/1.m4s", "v2/2.m4s", ""), ("1", "2", "2")],
)
def test_the_next_request_is_told_relative_to_this_one(
    path: str, following: str, told: str
) -> None:
    assert next_object(path, following) == told
