"""Names, sizes, hashes and languages are checked before anything is made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.names import (
    MAX_BYTES,
    MAX_NAME,
    check_captions,
    check_upload,
    is_language,
)
from cuemark.contracts.encoding import CaptionSource, UploadInvalid
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


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "gsw", "und"])
def test_language_tags_are_accepted(tag: str) -> None:
    assert is_language(tag)


@pytest.mark.parametrize(
    "tag", ["", "e", "english", "en_US", "en-", "-en", "en\n", "../en", "en/..", "e n", 'en"', "é"]
)
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    assert not is_language(tag)
    with pytest.raises(UploadInvalid, match="language"):
        check_captions(captions(tag))


@given(st.text())
def test_an_accepted_language_is_a_plain_file_name(tag: str) -> None:
    if is_language(tag):
        assert tag.isascii()
        assert tag.replace("-", "").isalnum()


def test_each_language_comes_once_whatever_its_case() -> None:
    check_captions(captions("en", "de", "pt-BR", "pt"))
    with pytest.raises(UploadInvalid, match="one caption file"):
        check_captions(captions("pt-BR", "pt-br"))


def test_captions_are_bounded() -> None:
    tags = [f"en-x{number:02d}" for number in range(65)]
    check_captions(captions(*tags[:64]))
    with pytest.raises(UploadInvalid, match="at most 64"):
        check_captions(captions(*tags))


def captions(*tags: str) -> list[CaptionSource]:
    return [CaptionSource(language=tag, upload_id=UploadId("upl")) for tag in tags]
