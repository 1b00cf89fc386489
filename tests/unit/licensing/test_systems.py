"""Each DRM system gets a key named in the form that its specification has."""

import base64
import contextlib
import struct
from uuid import UUID

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.licensing.model import systems
from cuemark.contexts.licensing.model.systems import PsshInvalid
from cuemark.contracts.protection import SYSTEM_IDS, KeySignal, Scheme, System

KID = "00112233445566778899aabbccddeeff"
ALL: list[System] = ["widevine", "playready", "fairplay", "common"]
HEADER = "{http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader}"


def signal(system: System, scheme: Scheme = "cbcs") -> KeySignal:
    (found,) = systems.signals_of(KID, scheme, [system], "ver_1")
    assert found.system == system
    return found


def fields_of(message: bytes) -> list[tuple[int, bytes | int]]:
    """A Protocol Buffers message of varints and bytes, by the encoding's own description."""
    found: list[tuple[int, bytes | int]] = []
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            found.append((tag >> 3, varint()))
            continue
        assert tag & 7 == 2
        size = varint()
        found.append((tag >> 3, message[at : at + size]))
        at += size
    return found


def test_the_common_box_lists_the_key_and_has_no_data() -> None:
    """W3C, "cenc" Initialization Data Format, section 4.1: a box of 52 bytes."""
    box = base64.b64decode(signal("common").pssh)
    assert box.hex() == (
        "0000003470737368010000001077efecc0b24d02ace33c1e52e2fb4b00000001" + KID + "00000000"
    )
    assert signal("common").hls_attributes == ""


@pytest.mark.parametrize(("scheme", "four"), [("cbcs", 0x63626373), ("cenc", 0x63656E63)])
def test_widevine_knows_the_key_the_content_and_the_scheme(scheme: Scheme, four: int) -> None:
    named = signal("widevine", scheme)
    box = base64.b64decode(named.pssh)
    assert struct.unpack_from(">I4sI", box) == (len(box), b"pssh", 0)
    assert box[12:28] == UUID(SYSTEM_IDS["widevine"]).bytes
    assert fields_of(systems.data_of("widevine", box)) == [
        (2, bytes.fromhex(KID)),
        (4, b"ver_1"),
        (9, four),
    ]
    assert named.hls_attributes == (
        f'URI="data:text/plain;base64,{named.pssh}",KEYID=0x{KID},'
        'KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",KEYFORMATVERSIONS="1"'
    )


@pytest.mark.parametrize(("scheme", "algorithm"), [("cbcs", "AESCBC"), ("cenc", "AESCTR")])
def test_playready_gets_an_object_with_a_header_of_4_3(scheme: Scheme, algorithm: str) -> None:
    named = signal("playready", scheme)
    data = systems.data_of("playready", base64.b64decode(named.pssh))
    assert base64.b64decode(named.pro) == data
    size, records, kind, length = struct.unpack_from("<IHHH", data)
    assert (size, records, kind, length) == (len(data), 1, 1, len(data) - 10)
    header = fromstring(data[10:].decode("utf-16-le"))
    assert (header.tag, header.get("version")) == (f"{HEADER}WRMHEADER", "4.3.0.0")
    (kid,) = header.findall(f"{HEADER}DATA/{HEADER}PROTECTINFO/{HEADER}KIDS/{HEADER}KID")
    assert kid.get("ALGID") == algorithm
    # A GUID has its first three parts little-endian.
    assert base64.b64decode(kid.get("VALUE", "")).hex() == "33221100554477668899aabbccddeeff"
    assert named.hls_attributes == (
        f'URI="data:text/plain;charset=UTF-16;base64,{named.pro}",'
        'KEYFORMAT="com.microsoft.playready",KEYFORMATVERSIONS="1"'
    )


def test_fairplay_has_an_address_and_no_box() -> None:
    named = signal("fairplay")
    assert (named.pssh, named.pro) == ("", "")
    assert named.hls_attributes == (
        f'URI="skd://{KID}",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"'
    )


def test_fairplay_is_left_out_of_what_it_cannot_decrypt() -> None:
    named = systems.signals_of(KID, "cenc", ALL, "ver_1")
    assert [each.system for each in named] == ["widevine", "playready", "common"]


@given(st.sampled_from(ALL), st.binary(max_size=300))
def test_a_box_of_others_is_read_or_refused(system: System, data: bytes) -> None:
    with contextlib.suppress(PsshInvalid):
        systems.data_of(system, data)
    for kids in ((), (KID, KID)):
        box = systems.pssh_box(system, data, kids)
        assert systems.data_of(system, box) == data
        for broken in (box[:-1], box + b"\0", b"\0" + box):
            with pytest.raises(PsshInvalid):
                systems.data_of(system, broken)


def test_a_box_of_another_system_is_refused() -> None:
    box = systems.pssh_box("widevine", b"data")
    with pytest.raises(PsshInvalid, match="not playready's"):
        systems.data_of("playready", box)
    with pytest.raises(PsshInvalid, match="32 to"):
        systems.data_of("widevine", systems.pssh_box("widevine", bytes(20_000)))
