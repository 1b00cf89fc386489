"""What becomes of a master's sounds: which are taken, in which renditions, under which names."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

import msgspec
from babel import Locale, UnknownLocaleError

from cuemark.contexts.encoding.model import languages, mixing
from cuemark.contexts.encoding.model.languages import LanguageUnknown
from cuemark.contexts.encoding.model.mixing import Mix
from cuemark.contracts.encoding.versions import AudioRole

MOST_SOUNDS = 8
MOST_TITLE_CHARS = 40
UNKNOWN = "und"
_MAIN: frozenset[AudioRole] = frozenset({"main", "dub"})
_ROLE_NAMES: dict[AudioRole, str] = {
    "description": "audio description",
    "commentary": "commentary",
    "clear": "clear speech",
}


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """A sound of the master. ``lead_s`` of it come before the first frame.

    ``language`` is BCP 47, and ``und`` where the container states none or what is none. ``layout``
    is one of ``mixing.LAYOUTS``; ``title`` what the container calls it. ``chosen`` and
    ``original`` say that the container marks it as the default, and as the film's own language.
    """

    stream: int
    channels: int
    layout: str
    language: str
    lead_s: float
    role: AudioRole = "main"
    title: str = ""
    chosen: bool = False
    original: bool = False

    @property
    def mixes(self) -> list[Mix]:
        """What it is published in."""
        return ["stereo", "5.1"] if mixing.is_surround(self.layout) else ["stereo"]


class SoundRecipe(msgspec.Struct, frozen=True):
    """A codec's settings for one rendition of a sound."""

    codec: Literal["aac", "opus", "eac3"]
    mix: Mix
    bitrate_kbps: int

    @property
    def name(self) -> str:
        """What the rendition is called in names of files; empty for what everything plays."""
        return _RECIPE_NAMES[self.codec, self.mix]

    @property
    def channels(self) -> int:
        return mixing.CHANNELS[self.mix]

    @property
    def codec_string(self) -> str:
        """RFC 6381; of Opus and E-AC-3 that of their encapsulations in MP4."""
        return {"aac": "mp4a.40.2", "opus": "opus", "eac3": "ec-3"}[self.codec]


_RECIPE_NAMES = {
    ("aac", "stereo"): "",
    ("opus", "stereo"): "opus",
    ("aac", "5.1"): "aac51",
    ("eac3", "5.1"): "eac3",
}
EVERYWHERE = SoundRecipe("aac", "stereo", 128)
"""What everything plays: every sound has it, and a quick version has nothing else."""
_OTHERS = (
    SoundRecipe("opus", "stereo", 96),
    SoundRecipe("aac", "5.1", 320),
    SoundRecipe("eac3", "5.1", 384),
)


class Named(msgspec.Struct, frozen=True):
    """A sound with what its tracks are called: in names of files, and by people."""

    sound: Sound
    track_id: str
    name: str


def recipes_of(sound: Sound) -> list[SoundRecipe]:
    """The renditions of a sound, the one that everything plays first.

    Surround is published where the master has it, and stereo is never made to look like it.
    """
    return [EVERYWHERE, *(each for each in _OTHERS if each.mix in sound.mixes)]


def ordered(sounds: Sequence[Sound]) -> list[Sound]:
    """The sounds with the default one first, which plays where a viewer asks for nothing.

    That is a sound of the film itself before one that describes or comments it; of these the one
    that the container names, then that of the film's own language, then the first. The others stay
    in their order.
    """
    if not sounds:
        return []
    first = min(
        sounds,
        key=lambda each: (
            each.role not in _MAIN,
            not each.chosen,
            not each.original,
            each.stream,
        ),
    )
    return [first, *(each for each in sounds if each is not first)]


def named(sounds: Sequence[Sound]) -> list[Named]:
    """Each sound with a track id and a name that no other one has."""
    ids: list[str] = []
    names: list[str] = []
    for sound in sounds:
        role = "" if sound.role in _MAIN else f".{sound.role}"
        ids.append(_unused(f"a-{sound.language}{role}", ids, "{}.{}"))
        plain = _plain_name(sound)
        titled = f"{language_name(sound.language)} ({sound.title})"
        if plain in names and sound.title and titled not in names:
            plain = titled
        names.append(_unused(plain, names, "{} {}"))
    return [Named(*each) for each in zip(sounds, ids, names, strict=True)]


def _unused(name: str, used: Sequence[str], numbered: str) -> str:
    if name not in used:
        return name
    return next(
        other
        for number in range(2, len(used) + 2)
        if (other := numbered.format(name, number)) not in used
    )


def _plain_name(sound: Sound) -> str:
    name = language_name(sound.language)
    what = _ROLE_NAMES.get(sound.role)
    return f"{name} ({what})" if what else name


def language_name(tag: str) -> str:
    """A language by the name that its own speakers give it; the tag itself where none is known."""
    if tag == UNKNOWN:
        return "Unknown language"
    try:
        found = Locale.parse(tag, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        found = Locale("en").languages.get(tag)
    return found[:1].upper() + found[1:] if found else tag


def language_of(tag: str) -> str:
    """A container's language tag as BCP 47; ``und`` where it is none."""
    try:
        return languages.canonical(tag)
    except LanguageUnknown:
        return UNKNOWN


def title_of(text: str) -> str:
    """What a container calls a sound, fit to stand in a manifest and on a page."""
    plain = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    return re.sub(r" +", " ", plain).strip()[:MOST_TITLE_CHARS].strip()
