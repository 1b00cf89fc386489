"""Which sound track of a film is played: as a viewer asks for it, else the one it begins with."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from cuemark.player.errors import SoundUnknown

SoundRole = Literal["main", "dub", "description", "commentary", "clear"]
_MAIN = ("main", "dub")


class Offered(msgspec.Struct, frozen=True):
    """A sound track as a manifest offers it: the id of its rendition, its language, its role."""

    track_id: str
    language: str
    role: SoundRole

    @property
    def name(self) -> str:
        """How a viewer asks for it, and a report calls it: ``en``, ``en:commentary``."""
        language = self.language or "und"
        return language if self.role in _MAIN else f"{language}:{self.role}"


def chosen(offered: Sequence[Offered], wanted: str) -> Offered:
    """The track that ``wanted`` names: an id, a language, or a language and a role.

    Empty is the first one. The first of several that fit is the one that plays everywhere.
    Raises ``SoundUnknown`` with a sentence that says what there is.
    """
    if not wanted and offered:
        return offered[0]
    for each in offered:
        if wanted in (each.track_id, each.name):
            return each
    language = wanted.lower().split("-")[0]
    for each in offered:
        if each.role in _MAIN and each.language.lower().split("-")[0] == language:
            return each
    names = ", ".join(dict.fromkeys(each.name for each in offered)) or "none"
    raise SoundUnknown(f"the film has no sound {wanted!r}: it has {names}")
