"""What an upload may be called and how large it may be, and what captions are named by."""

import re
import unicodedata

import msgspec

from cuemark.contexts.encoding.model import languages
from cuemark.contracts.encoding.jobs import CaptionSource
from cuemark.contracts.encoding.uploads import UploadInvalid
from cuemark.contracts.encoding.versions import CaptionRole

MAX_NAME = 255
MAX_BYTES = 2 << 40
_SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_CAPTIONS = 64
_ROLES: dict[CaptionRole, str] = {"subtitles": "", "sdh": " (SDH)", "forced": " (forced)"}


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


def checked_captions(captions: list[CaptionSource]) -> list[CaptionSource]:
    """The captions with their languages in one form.

    Raises ``UploadInvalid`` for a language tag that is none, or a kind that comes twice.
    """
    if len(captions) > MAX_CAPTIONS:
        raise UploadInvalid(f"a title has at most {MAX_CAPTIONS} caption files")
    checked = []
    for source in captions:
        try:
            language = languages.canonical(source.language)
        except languages.LanguageUnknown as error:
            raise UploadInvalid(
                f"{source.language!r} is no BCP 47 language tag: write en or pt-BR"
            ) from error
        checked.append(msgspec.structs.replace(source, language=language))
    seen: set[tuple[str, CaptionRole]] = set()
    for source in checked:
        if (source.language, source.role) in seen:
            raise UploadInvalid(
                f"{captions_name(source.language, source.role)} comes twice: each language has "
                "one caption file for each role"
            )
        seen.add((source.language, source.role))
    return checked


def captions_name(language: str, role: CaptionRole) -> str:
    """How captions are called in a sentence: ``en``, ``en (SDH)``, ``en (forced)``."""
    return f"{language}{_ROLES[role]}"


def captions_id(language: str, role: CaptionRole) -> str:
    """The track id, of which the names of files are made. No language tag has a dot."""
    return f"t-{language}" if role == "subtitles" else f"t-{language}.{role}"
