"""CPIX documents are written, read and refused; answers of key servers are held to requests."""

import contextlib
import dataclasses
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.protection import LARGEST, TIERS, picture_label
from cuemark.contexts.licensing.model import cpix, speke, systems
from cuemark.contexts.licensing.model.cpix import (
    CpixInvalid,
    Document,
    DocumentKey,
    DocumentSystem,
    KeyPeriod,
    UsageRule,
)
from cuemark.contracts.protection import SYSTEM_IDS, System

KIDS = {"AUDIO": "aa" * 16, "SD": "bb" * 16, "HD": "cc" * 16}
NAMED: list[System] = ["widevine", "playready", "fairplay", "common"]

texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
kids = st.binary(min_size=16, max_size=16).map(bytes.hex)
pixels = st.none() | st.integers(0, 10**9)
documents = st.builds(
    Document,
    texts.filter(bool),
    st.lists(
        st.builds(DocumentKey, kids, st.binary(max_size=20), st.binary(max_size=16), texts),
        max_size=5,
    ).map(tuple),
    st.lists(
        st.builds(DocumentSystem, kids, kids, st.binary(max_size=60), texts, texts),
        max_size=5,
    ).map(tuple),
    st.lists(
        st.builds(UsageRule, kids, texts, st.just(False), pixels, pixels)
        | st.builds(UsageRule, kids, texts, st.just(True)),
        max_size=5,
    ).map(tuple),
)


@given(documents)
def test_what_is_written_is_read_again(document: Document) -> None:
    assert cpix.read(cpix.write(document)) == document


@given(st.binary(max_size=300))
def test_other_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    with contextlib.suppress(CpixInvalid):
        cpix.read(data)


BOMB = (
    '<!DOCTYPE CPIX [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<CPIX xmlns="urn:dashif:org:cpix" contentId="&b;"/>'
)
FILE = (
    '<!DOCTYPE CPIX [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    '<CPIX xmlns="urn:dashif:org:cpix" contentId="&a;"/>'
)


def cpix_of(inside: str) -> bytes:
    return (
        '<CPIX xmlns="urn:dashif:org:cpix" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc" '
        f'contentId="x">{inside}</CPIX>'
    ).encode()


def key_of(secret: str, kid: str = "00112233-4455-6677-8899-aabbccddeeff") -> str:
    return f'<ContentKey kid="{kid}"><Data><p:Secret>{secret}</p:Secret></Data></ContentKey>'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no XML"),
        (b"<html>", "no XML"),
        (b"<html/>", "no CPIX"),
        (b"\xff\xfe", "no XML"),
        (BOMB.encode(), "document type"),
        (FILE.encode(), "document type"),
        (b'<?xml version="1.0" encoding="none"?><x/>', "no XML"),
        (cpix_of(" " * cpix.MAX_BYTES), "more than 262144 bytes"),
        (cpix_of(f"<ContentKeyList>{key_of('') * 33}</ContentKeyList>"), "more than 32"),
        (cpix_of(f"<ContentKeyList>{key_of('', 'x')}</ContentKeyList>"), "no UUID"),
        (
            cpix_of(f"<ContentKeyList>{key_of('<p:PlainValue>!</p:PlainValue>')}</ContentKeyList>"),
            "key is no base64",
        ),
        (
            cpix_of(f"<ContentKeyList>{key_of('<p:EncryptedValue/>')}</ContentKeyList>"),
            "encrypted, and to nobody here",
        ),
        (
            cpix_of(
                "<ContentKeyUsageRuleList>"
                '<ContentKeyUsageRule kid="00112233445566778899aabbccddeeff">'
                '<VideoFilter maxPixels="1e9"/></ContentKeyUsageRule>'
                "</ContentKeyUsageRuleList>"
            ),
            "limit is no number",
        ),
        (b'<CPIX xmlns="urn:dashif:org:cpix" contentId="' + b"x" * 200 + b'"/>', "content id"),
    ],
)
def test_a_document_that_is_none_is_refused_with_half_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(CpixInvalid, match=says):
        cpix.read(data)


def test_xml_that_is_nested_without_end_costs_nothing() -> None:
    began_s = time.monotonic()
    with contextlib.suppress(CpixInvalid):
        cpix.read(cpix_of("<a>" * 40_000 + "</a>" * 40_000))
    assert time.monotonic() - began_s < 1


def test_the_labels_of_a_key_server_are_those_of_packaging() -> None:
    most = {label: limits[1] for label, limits in speke.PIXELS.items()}
    assert most == {**dict(TIERS), LARGEST: None}
    for label, (least, _) in speke.PIXELS.items():
        assert picture_label(least or 1, 1) == label


def test_a_request_names_keys_systems_and_what_each_key_is_for() -> None:
    request = cpix.read(cpix.write(speke.request_of("ver_1", KIDS, "cbcs", NAMED)))
    assert request.content_id == "ver_1"
    assert [(key.kid, key.key, key.scheme) for key in request.keys] == [
        (kid, b"", "cbcs") for kid in KIDS.values()
    ]
    assert {(one.kid, one.system_id) for one in request.systems} == {
        (kid, SYSTEM_IDS[system]) for kid in KIDS.values() for system in NAMED[:3]
    }
    assert request.rules == (
        UsageRule(KIDS["AUDIO"], "AUDIO", True),
        UsageRule(KIDS["SD"], "SD", False, None, 589_824),
        UsageRule(KIDS["HD"], "HD", False, 589_825, 2_073_600),
    )
    assert speke.wanted_labels(request) == {kid: label for label, kid in KIDS.items()}


def right_answer() -> Document:
    """As our own endpoint gives it."""
    request = speke.request_of("ver_1", KIDS, "cbcs", NAMED)
    keys = {
        kid: DocumentKey(kid, bytes([n]) * 16, bytes([n + 8]) * 16, "cbcs")
        for n, kid in enumerate(KIDS.values())
    }
    signals = {kid: systems.signals_of(kid, "cbcs", NAMED, "ver_1") for kid in KIDS.values()}
    return cpix.read(cpix.write(speke.answer_of(request, keys, signals)))


def test_a_right_answer_gives_each_key_with_its_iv_and_its_names() -> None:
    found = speke.given_keys(right_answer(), "ver_1", KIDS, NAMED)
    assert [(key.label, key.kid) for key in found] == list(KIDS.items())
    assert [(key.key, key.iv) for key in found] == [
        (bytes([n]) * 16, bytes([n + 8]).hex() * 16) for n in range(3)
    ]
    for key in found:
        assert list(key.signals) == systems.signals_of(key.kid, "cbcs", NAMED[:3], "ver_1")
        assert key.key.hex() not in repr(key)


def changed(**first_key: object) -> Callable[[Document], Document]:
    def change(answer: Document) -> Document:
        first = dataclasses.replace(answer.keys[0], **first_key)  # type: ignore[arg-type]
        return dataclasses.replace(answer, keys=(first, *answer.keys[1:]))

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: dataclasses.replace(a, keys=()), "no key for AUDIO"),
        (lambda a: dataclasses.replace(a, keys=a.keys[:2]), "no key for HD"),
        (lambda a: dataclasses.replace(a, keys=a.keys * 2), "the key for AUDIO twice"),
        (lambda a: dataclasses.replace(a, content_id="ver_2"), "other content"),
        (changed(kid="dd" * 16), "was not asked for"),
        (changed(key=b""), "no key for AUDIO"),
        (changed(key=b"x" * 15), "15 bytes, not 16"),
        (changed(key=b"x" * 32), "32 bytes, not 16"),
        (changed(key=bytes([1]) * 16), "the same key for two labels"),
        (changed(iv=b"x"), "the IV for AUDIO has 1 bytes"),
        (
            lambda a: dataclasses.replace(
                a, systems=(dataclasses.replace(a.systems[0], pssh=b"x"), *a.systems[1:])
            ),
            "PSSH of widevine for AUDIO is wrong",
        ),
    ],
)
def test_an_answer_that_is_not_to_the_request_is_refused(
    change: Callable[[Document], Document], says: str
) -> None:
    with pytest.raises(CpixInvalid, match=says):
        speke.given_keys(change(right_answer()), "ver_1", KIDS, NAMED)


def test_what_a_server_writes_into_playlists_is_no_more_than_an_address() -> None:
    lines = '#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:URI="skd://a-b?c=1",KEYFORMAT="x"\nhttp://evil/1.ts'
    told = tuple(
        dataclasses.replace(one, media=lines)
        for one in right_answer().systems
        if one.system_id == SYSTEM_IDS["fairplay"]
    )
    answer = dataclasses.replace(right_answer(), systems=told)
    for key in speke.given_keys(answer, "ver_1", KIDS, NAMED):
        assert key.signals == (systems.of_skd("skd://a-b?c=1"),)
    for quoted in ('URI="skd://a\nb"', 'URI="skd://{$x}"', 'URI="https://a"', ""):
        lines = quoted
        told = tuple(dataclasses.replace(one, media=lines) for one in told)
        answer = dataclasses.replace(right_answer(), systems=told)
        assert speke.given_keys(answer, "ver_1", KIDS, NAMED)[0].signals == ()


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (Document("../x", (DocumentKey("aa" * 16),)), "other characters"),
        (Document("", (DocumentKey("aa" * 16),)), "other characters"),
        (Document("x", ()), "asks for no key"),
        (Document("x", (DocumentKey("aa" * 16),) * 2), "asks for one key twice"),
        (Document("x", (DocumentKey("aa" * 16, b"k"),)), "a key in it"),
        (Document("x", (DocumentKey("aa" * 16), DocumentKey("bb" * 16))), "one kind of track"),
        (
            Document("x", (DocumentKey("aa" * 16),), (), (UsageRule("aa" * 16, "sd;", False),)),
            "several kinds of tracks",
        ),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(request_: Document, says: str) -> None:
    with pytest.raises(CpixInvalid, match=says):
        speke.wanted_labels(request_)


def test_a_request_of_two_schemes_is_refused() -> None:
    both = (DocumentKey("aa" * 16, scheme="cbcs"), DocumentKey("bb" * 16, scheme="cenc"))
    with pytest.raises(CpixInvalid, match="other schemes"):
        speke.scheme_of(Document("x", both))
    assert speke.scheme_of(Document("x", both[:1])) == "cbcs"
    assert speke.scheme_of(Document("x", both[1:])) == "cenc"


def test_a_request_for_one_period_of_several_says_which_and_is_answered() -> None:
    request = cpix.read(cpix.write(speke.request_of("ver_1", KIDS, "cbcs", NAMED, period=7)))
    (period,) = request.periods
    assert period.index == 7
    assert {rule.period_id for rule in request.rules} == {period.period_id}
    assert speke.wanted_labels(request) == {kid: label for label, kid in KIDS.items()}
    assert set(speke.wanted_periods(request).values()) == {7}
    keys = {kid: DocumentKey(kid, bytes([n]) * 16) for n, kid in enumerate(KIDS.values(), 1)}
    answer = cpix.read(cpix.write(speke.answer_of(request, keys, {})))
    assert answer.periods == request.periods
    assert {key.period for key in speke.given_keys(answer, "ver_1", KIDS, NAMED, 7)} == {7}


def test_one_kind_of_track_has_a_key_for_each_period_that_a_request_lists() -> None:
    rules = (
        UsageRule("aa" * 16, "SD", False, period_id="p0"),
        UsageRule("bb" * 16, "SD", False, period_id="p1"),
    )
    keys = (DocumentKey("aa" * 16), DocumentKey("bb" * 16))
    periods = (KeyPeriod("p0", 0), KeyPeriod("p1", 1))
    request = Document("x", keys, (), rules, periods)
    assert speke.wanted_labels(request) == {"aa" * 16: "SD", "bb" * 16: "SD"}
    assert speke.wanted_periods(request) == {"aa" * 16: 0, "bb" * 16: 1}
    with pytest.raises(CpixInvalid, match="a period that it does not list"):
        speke.wanted_labels(Document("x", keys, (), rules, periods[:1]))
    same = (periods[0], KeyPeriod("p1", 0))
    with pytest.raises(CpixInvalid, match="two keys for one kind of track"):
        speke.wanted_labels(Document("x", keys, (), rules, same))
    with pytest.raises(CpixInvalid, match="one id twice, or more than 2048"):
        speke.wanted_labels(Document("x", keys, (), rules, (KeyPeriod("p0", 2048), periods[1])))
