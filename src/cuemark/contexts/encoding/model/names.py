"""What an upload may be called and how large it may be."""

import re
import unicodedata

from cuemark.contracts.encoding import CaptionSource, UploadInvalid

MAX_NAME = 255
MAX_BYTES = 2 << 40
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAX_CAPTIONS = 64


def is_language(tag: str) -> bool:
    """Whether a tag has the form of a BCP 47 language; names of files are made of it."""
    return _LANGUAGE.fullmatch(tag) is not None


def check_upload(name: str, size_bytes: int, sha256: str) -> None:
    """Raises ``UploadInvalid`` with one sentence where an upload is not acceptable."""
    if not name or len(name) > MAX_NAME:
        raise UploadInvalid(f"the name of an upload has 1 to {MAX_NAME} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise UploadInvalid("the name of an upload has no control characters")
    if not 0 < size_bytes <= MAX_BYTES:
        raise UploadInvalid(f"an upload has 1 to {MAX_BYTES} bytes, not {size_bytes}")
    if sha256 and not _SHA256.fullmatch(sha256):
        raise UploadInvalid("sha256 is 64 hex digits in lower case")


def check_captions(captions: list[CaptionSource]) -> None:
    """Raises ``UploadInvalid`` for a language tag that is none, or that comes twice."""
    languages = [caption.language for caption in captions]
    for language in languages:
        if not is_language(language):
            raise UploadInvalid(f"{language!r} is no BCP 47 language tag: write en or pt-BR")
    if len({language.lower() for language in languages}) < len(languages):
        raise UploadInvalid("each language has one caption file")
    if len(languages) > MAX_CAPTIONS:
        raise UploadInvalid(f"a title has at most {MAX_CAPTIONS} caption files")
