"""Which caption format a file has, and its captions. Every file of a stranger comes in here."""

import msgspec

from cuemark.contexts.encoding.model.captions import ttml, webvtt
from cuemark.contexts.encoding.model.captions.cues import MAX_BYTES, Captions, CaptionsInvalid

_PACKED = {
    b"PK\x03\x04": "a zip archive",
    b"PK\x05\x06": "a zip archive",
    b"\x1f\x8b": "packed by gzip",
    b"BZh": "packed by bzip2",
    b"\xfd7zXZ\x00": "packed by xz",
    b"\x28\xb5\x2f\xfd": "packed by zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a rar archive",
}
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(data: bytes) -> Captions:
    """The captions of a SubRip, WebVTT or TTML file, in time and memory bounded by ``MAX_BYTES``.

    Nothing is ever unpacked. Raises ``CaptionsInvalid``.
    """
    if len(data) > MAX_BYTES:
        raise CaptionsInvalid(f"the file has more than {MAX_BYTES} bytes")
    for mark, kind in _PACKED.items():
        if data.startswith(mark):
            raise CaptionsInvalid(f"the file is {kind}: unpack it and give what is inside")
    if data.startswith(_UTF16_MARKS):
        text = _utf16(data)
        return ttml.parse(text) if _is_xml(text) else webvtt.parse(text)
    if data.count(0) * 4 > len(data):
        raise CaptionsInvalid(
            "the file is binary, or UTF-16 without its mark: save the captions as UTF-8"
        )
    text, guessed = decode(data)
    if _is_xml(text):
        # An XML file says by itself which encoding it is in.
        return ttml.parse(data)
    return msgspec.structs.replace(webvtt.parse(text), guessed_encoding=guessed)


def decode(data: bytes) -> tuple[str, bool]:
    """The text of a file without a mark of UTF-16, and whether its encoding had to be guessed.

    What is not UTF-8 is taken for Windows-1252, as most old SubRip files are.
    """
    try:
        return data.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), True


def _utf16(data: bytes) -> str:
    try:
        return data.decode("utf-16")
    except UnicodeDecodeError as error:
        raise CaptionsInvalid("the file is marked as UTF-16 and is not") from error


def _is_xml(text: str) -> bool:
    start = text[:1024].lstrip()
    return start[:1] == "<" and (start[1:2] in "?!" or start[1:2].isalpha())
