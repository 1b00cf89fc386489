"""CMCD as players write it, and as nobody should."""

import math
import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contracts.telemetry import Cmcd
from cuemark.edge import cmcd

WORDS = {
    "ot": ("m", "a", "v", "av", "i", "c", "tt", "k", "o"),
    "sf": ("d", "h", "s", "o"),
    "st": ("v", "l"),
}
COUNTS = ("bl", "br", "d", "dl", "mtp", "rtp", "tb", "v")
TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64)
NAME = st.from_regex(re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}"), fullmatch=True)
told = st.builds(
    Cmcd,
    **{name: st.none() | st.integers(0, 999_999_999) for name in COUNTS},
    **{name: st.sampled_from(("", *words)) for name, words in WORDS.items()},
    bs=st.booleans(),
    su=st.booleans(),
    pr=st.none() | st.integers(0, 999_999).map(lambda thousandths: thousandths / 1000),
    cid=st.just("") | TEXT,
    sid=st.just("") | TEXT,
    nor=st.just("") | st.lists(NAME, min_size=1, max_size=3).map("/".join),
    nrr=st.sampled_from(("", "0-", "12-99", "-7")),
)


def written(keys: Cmcd) -> str:
    """The keys as a player writes them: ascending, flags alone, texts in quotes."""
    pairs = []
    for name in Cmcd.__struct_fields__:
        value = getattr(keys, name)
        if value is True:
            pairs.append(name)
        elif name in ("cid", "sid", "nrr") and value:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            pairs.append(f'{name}="{escaped}"')
        elif name == "nor" and value:
            pairs.append(f'nor="{quote(value, safe="")}"')
        elif value not in ("", None, False):
            pairs.append(f"{name}={value}")
        elif value == 0 and value is not False:
            pairs.append(f"{name}=0")
    return ",".join(pairs)


@given(told)
def test_what_a_player_writes_is_read_again(keys: Cmcd) -> None:
    text = written(keys)
    if len(text) <= cmcd.MOST_CHARS:
        assert cmcd.parse(text) == (keys if text else None)
        if len(quote(text, safe="")) <= cmcd.MOST_CHARS:
            assert cmcd.parse_query(quote(text, safe="")) == (keys if text else None)


@given(st.text(max_size=3000) | st.text(st.sampled_from('abcsidbr=",\\1.-%2 ;'), max_size=1200))
def test_no_text_ends_in_an_error_or_in_a_value_without_its_form(text: str) -> None:
    for found in (cmcd.parse(text), cmcd.parse_query(text), cmcd.parse_headers(text)):
        if found is None:
            continue
        assert all((getattr(found, name) or 0) <= 999_999_999 for name in COUNTS)
        assert all(getattr(found, name) in ("", *words) for name, words in WORDS.items())
        assert found.pr is None or math.isfinite(found.pr)
        assert max(map(len, (found.cid, found.sid, found.nrr))) <= 64
        assert "//" not in found.nor
        assert not found.nor.startswith("/")


def test_the_example_of_the_standard_is_read() -> None:
    text = (
        'bl=21300,br=3200,bs,cid="faec5fc2-ac30-11ea-bb37-0242ac130002",d=4004,dl=18500,mtp=48100,'
        'nor="..%2F300kbps%2Ftrack.m4v",nrr="12323-48763",ot=v,pr=1.08,rtp=12000,sf=d,'
        'sid="6e2fb550-c457-11e9-bb97-0800200c9a66",st=v,su,tb=6000'
    )
    found = cmcd.parse(text)
    assert found is not None
    assert (found.br, found.bl, found.bs, found.pr) == (3200, 21300, True, 1.08)
    assert found.nor == "../300kbps/track.m4v"
    assert found.sid == "6e2fb550-c457-11e9-bb97-0800200c9a66"
    assert cmcd.parse_query(quote(text, safe="")) == found
    parts = text.split(",")
    assert (
        cmcd.parse_headers("\t".join(["", ",".join(parts[:8]), ",".join(parts[8:]), ""])) == found
    )


@pytest.mark.parametrize(
    "text",
    [
        "br=12,,bl=3",
        'sid="open',
        "=3",
        "BR=3",
        "br=3;bl=4 d",
        'sid="a"b',
        "br=3\x00",
        "br=3" + ",x=1" * cmcd.MOST_KEYS,
        "br=3," + "x" * cmcd.MOST_CHARS,
    ],
)
def test_what_is_no_list_of_keys_tells_nothing(text: str) -> None:
    assert cmcd.parse(text) is None


@pytest.mark.parametrize(
    "text",
    ["br=1.5", "br=-1", "br=1e3", "br=9999999999", 'br="3"', "pr=nan", "pr=1e9", "ot=x", "st=V",
     'sid=""', 'cid=""', "sid=bare", 'sid="' + "a" * 65 + '"', 'nrr="1"',
     'nor="https%3A%2F%2Fa%2Ft%2Fx"', 'nor="/t/x"',
     'nor="../../../../x"', "bs=false", "bs=0", "com.example-x=1", "bl"],
)  # fmt: skip
def test_a_value_without_its_form_is_left_out_alone(text: str) -> None:
    assert cmcd.parse(text) is None
    assert cmcd.parse(f"{text},su") == Cmcd(su=True)


@given(st.text(st.sampled_from('%23DC52F="a,'), max_size=60))
def test_a_query_is_decoded_once_and_no_more(value: str) -> None:
    assert cmcd.parse_query(value) == cmcd.parse(unquote(value))
