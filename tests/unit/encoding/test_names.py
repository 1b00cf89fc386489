"""Names, sizes, hashes and languages are checked before anything is made of them."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model import languages
from cuemark.contexts.encoding.model.names import (
    MAX_BYTES,
    MAX_NAME,
    captions_id,
    captions_name,
    check_upload,
    checked_captions,
)
from cuemark.contracts.encoding.jobs import CaptionSource
from cuemark.contracts.encoding.uploads import UploadInvalid
from cuemark.contracts.encoding.versions import CaptionRole
from cuemark.contracts.ids import UploadId


@pytest.mark.parametrize("name", ["a", "Film – größer.mov", "x" * MAX_NAME, "映画.mp4", "../a"])
def test_people_name_files_as_they_like(name: str) -> None:
    check_upload(name, 1, "")
    check_upload(name, MAX_BYTES, "0f" * 32)


@pytest.mark.parametrize(
    ("name", "size_bytes", "sha256", "why"),
    [
        ("", 1, "", "1 to 255"),
        ("x" * 256, 1, "", "1 to 255"),
        ("a\nb", 1, "", "control"),
        ("a\x00b", 1, "", "control"),
        ("a", 0, "", "bytes"),
        ("a", -1, "", "bytes"),
        ("a", MAX_BYTES + 1, "", "bytes"),
        ("a", 1, "0F" * 32, "hex"),
        ("a", 1, "0f" * 31, "hex"),
        ("a", 1, "0f" * 32 + "\n", "hex"),
    ],
)
def test_what_is_not_acceptable_is_said(name: str, size_bytes: int, sha256: str, why: str) -> None:
    with pytest.raises(UploadInvalid, match=why):
        check_upload(name, size_bytes, sha256)


@pytest.mark.parametrize(
    "tag", ["", "e", "english", "en_US", "en-", "-en", "en\n", "../en", "en/..", "e n", 'en"', "é"]
)
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(UploadInvalid, match="language"):
        checked_captions(captions(tag))


def test_each_language_comes_once_for_each_role() -> None:
    checked_captions(captions("en", "de", "pt-BR", "pt"))
    kinds = [
        CaptionSource(language="en", upload_id=UploadId("upl"), role=role)
        for role in get_args(CaptionRole)
    ]
    assert checked_captions(kinds) == kinds
    for again in ("pt-br", "por-BR"):
        with pytest.raises(UploadInvalid, match="pt-BR comes twice"):
            checked_captions(captions("pt-BR", again))
    with pytest.raises(UploadInvalid, match=r"en \(SDH\) comes twice"):
        checked_captions([*kinds, kinds[1]])


def test_each_kind_of_captions_has_a_name_and_files_of_its_own() -> None:
    tracks = [(tag, role) for tag in ("en", "en-GB", "sdh") for role in get_args(CaptionRole)]
    assert len({captions_id(*track) for track in tracks}) == len(tracks)
    assert captions_id("en", "subtitles") == "t-en"
    assert captions_id("en", "sdh") == "t-en.sdh"
    assert captions_name("en", "forced") == "en (forced)"


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("en", "en"),
        ("EN-us", "en-US"),
        ("eng", "en"),
        ("ger", "de"),
        ("iw", "he"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("SR-latn", "sr-Latn"),
        ("i-klingon", "tlh"),
        ("es-419", "es-419"),
        ("und", "und"),
    ],
)
def test_languages_are_written_in_one_form(tag: str, written: str) -> None:
    (source,) = checked_captions(captions(tag))
    assert source.language == written


@pytest.mark.parametrize("tag", ["xx", "zz-ZZ", "en-ZZZZZZZZZ", "en--US", "en-US-", "a" * 36])
def test_languages_that_nobody_registered_are_refused(tag: str) -> None:
    with pytest.raises(UploadInvalid, match="BCP 47"):
        checked_captions(captions(tag))


@given(st.text() | st.from_regex(r"[A-Za-z0-9-]{1,20}", fullmatch=True))
def test_a_canonical_language_stays_as_it_is_and_names_a_file(tag: str) -> None:
    try:
        written = languages.canonical(tag)
    except languages.LanguageUnknown:
        return
    assert languages.canonical(written) == written
    assert captions_id(written, "sdh").replace("-", "").replace(".", "").isalnum()


def test_captions_are_bounded() -> None:
    tags = [f"en-x-a{number:02d}" for number in range(65)]
    checked_captions(captions(*tags[:64]))
    with pytest.raises(UploadInvalid, match="at most 64"):
        checked_captions(captions(*tags))


def captions(*tags: str) -> list[CaptionSource]:
    return [CaptionSource(language=tag, upload_id=UploadId("upl")) for tag in tags]
