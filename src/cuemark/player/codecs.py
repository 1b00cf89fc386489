"""Which codec and dynamic range a play is in: as a viewer asks for it, else the newest of SDR."""

from collections.abc import Iterable

from cuemark.player.errors import CodecUnknown, RangeUnknown
from cuemark.player.ranges import DynamicRange

_FAMILIES = {
    "av01": "av1",
    "hvc1": "hevc",
    "hev1": "hevc",
    "avc1": "h264",
    "avc3": "h264",
}
"""By what a codec string (RFC 6381) begins with; the newest first."""


def family_of(codecs: str) -> str:
    """The family of the video among ``codecs``, parted by commas; empty where none is known."""
    for each in codecs.split(","):
        if found := _FAMILIES.get(each.strip().partition(".")[0]):
            return found
    return ""


def range_chosen(offered: Iterable[DynamicRange], wanted: DynamicRange) -> DynamicRange:
    """The range that is wanted; raises ``RangeUnknown`` where the film has it not."""
    there = set(offered)
    if wanted not in there:
        names = ", ".join(sorted(there))
        raise RangeUnknown(f"the film is not there in the dynamic range {wanted!r}: it has {names}")
    return wanted


def chosen(offered: Iterable[str], wanted: str) -> str:
    """Of the families that a film has, the one to play.

    Raises ``CodecUnknown`` with a sentence that says what there is.
    """
    there = set(offered)
    if wanted and wanted not in there:
        names = ", ".join(sorted(filter(None, there))) or "none that it names"
        raise CodecUnknown(f"the film is not there in {wanted!r}: it has {names}")
    newest = (each for each in dict.fromkeys(_FAMILIES.values()) if each in there)
    return wanted or next(newest, "")
