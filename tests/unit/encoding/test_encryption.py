"""Labels by pixels, and how tracks say that they are encrypted."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.boxes import BoxesInvalid
from cuemark.contexts.encoding.model.protection import picture_label
from cuemark.contexts.encoding.model.validation import encryption
from cuemark.contexts.encoding.model.validation.encryption import Encryption
from cuemark.contexts.encoding.tools.packager import Stream, runs
from cuemark.contracts.protection import Scheme

KID = "ab" * 16
CBCS = Encryption("cbcs", KID, 0, 16)
CENC = Encryption("cenc", KID, 8, 0)


@pytest.mark.parametrize(
    ("width", "height", "label"),
    [
        (256, 144, "SD"),
        (1024, 576, "SD"),
        (1026, 576, "HD"),
        (1280, 720, "HD"),
        (1280, 536, "HD"),
        (1920, 1080, "HD"),
        (1080, 1920, "HD"),
        (1920, 1082, "UHD1"),
        (3840, 2160, "UHD1"),
        (4096, 2160, "UHD1"),
        (7680, 4320, "UHD2"),
    ],
)
def test_a_label_goes_by_pixels_whichever_way_the_picture_stands(
    width: int, height: int, label: str
) -> None:
    assert picture_label(width, height) == picture_label(height, width) == label


def stream(name: str, source: object) -> Stream:
    return Stream(name, source, "video", "SD")  # type: ignore[arg-type]


def test_streams_of_one_key_share_a_run_in_cbcs_and_never_an_iv_in_cenc() -> None:
    streams = [stream(f"v{n}", None) for n in range(3)]
    assert runs(streams, "cbcs") == [(streams, "")]
    apart = runs(streams, "cenc")
    assert [names for names, _ in apart] == [[each] for each in streams]
    firsts = [int(iv, 16) for _, iv in apart]
    assert all(len(iv) == 2 * encryption.CENC_IV_BYTES for _, iv in apart)
    assert firsts == [1 << 32, 2 << 32, 3 << 32]


@pytest.mark.parametrize("stated", [CBCS, CENC])
def test_what_is_stated_right_is_no_finding(stated: Encryption) -> None:
    scheme: Scheme = "cbcs" if stated is CBCS else "cenc"
    assert encryption.stated_findings("v", stated, KID, scheme) == []


@pytest.mark.parametrize(
    ("stated", "scheme", "says"),
    [
        (Encryption(), "cbcs", "no encryption with key none and should have cbcs"),
        (CENC, "cbcs", "states cenc"),
        (Encryption("cbcs", "cd" * 16, 0, 16), "cbcs", "with key cdcd"),
        (Encryption("cbcs", KID, 16, 0), "cbcs", "one IV for all samples"),
        (Encryption("cenc", KID, 0, 16), "cenc", "IVs of 8 bytes"),
        (Encryption("cenc", KID, 16, 0), "cenc", "IVs of 8 bytes"),
    ],
)
def test_what_is_stated_wrong_is_found(stated: Encryption, scheme: Scheme, says: str) -> None:
    (only,) = encryption.stated_findings("v", stated, KID, scheme)
    assert (only.check, only.severity) == ("protection", "error")
    assert says in only.text


def senc(ivs: list[int], parts: int = 0, size: int = 8) -> memoryview:
    rows = b"".join(
        iv.to_bytes(size, "big") + (struct.pack(">H", parts) + bytes(6 * parts) if parts else b"")
        for iv in ivs
    )
    body = struct.pack(">II", 2 if parts else 0, len(ivs)) + rows
    return memoryview(struct.pack(">I4s", 8 + len(body), b"senc") + body)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.integers(0, 3))
def test_the_ivs_of_samples_are_read_as_stretches(ivs: list[int], parts: int) -> None:
    found = encryption.ivs_of(senc(ivs, parts), len(ivs), 8)
    assert found is not None
    assert [iv for first, last in found for iv in range(first, last + 1)] == ivs
    assert encryption.ivs_of(senc([], parts), 0, 0) == []


def test_ivs_that_count_up_are_one_stretch() -> None:
    assert encryption.ivs_of(senc(list(range(5, 2005)), 2), 2000, 8) == [(5, 2004)]
    assert encryption.ivs_of(memoryview(b""), 3, 8) is None


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_box_that_is_cut_off_is_refused(cut: int) -> None:
    body = bytes(senc([1, 2], 1))[8:-cut]
    box = memoryview(struct.pack(">I4s", 8 + len(body), b"senc") + body)
    with pytest.raises(BoxesInvalid, match="cut off"):
        encryption.ivs_of(box, 2, 8)
    with pytest.raises(BoxesInvalid, match="tells of 2 samples"):
        encryption.ivs_of(box, 3, 8)


def test_an_iv_that_two_samples_of_a_key_share_is_found() -> None:
    kids = {"v1": KID, "v2": KID, "a": "cd" * 16}
    apart = {"v1": [(0, 99)], "v2": [(100, 199)], "a": [(0, 99)]}
    assert encryption.shared_iv_findings(apart, kids) == []
    (only,) = encryption.shared_iv_findings({**apart, "v2": [(99, 198)]}, kids)
    assert only.text == "two samples of v1 and v2 have one key and one IV"
    (only,) = encryption.shared_iv_findings({**apart, "a": [(3, 5), (0, 3)]}, kids)
    assert only.text == "two samples of a have one key and one IV"
