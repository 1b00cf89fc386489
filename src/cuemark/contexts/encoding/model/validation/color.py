"""What a rendition says of its colors and fields, against what the master says (ITU-T H.273)."""

import msgspec

from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contracts.encoding import Check

CHECKS: tuple[Check, ...] = ("color", "interlace")

_UNSTATED = {"", "unknown", "unspecified", "reserved"}
_NOT_CARRIED = {"gbr", "rgb"}
"""Matrices of pictures that are not in luma and chroma: an encode has another one."""
_HIGH_RANGE = {"smpte2084", "arib-std-b67"}
_STANDARD = "bt709"
_PROGRESSIVE = {"", "unknown", "progressive"}
_NAMES = {"color_primaries": "primaries", "color_transfer": "transfer", "color_space": "matrix"}


class Tags(msgspec.Struct, frozen=True):
    """Of a stream, as ``ffprobe -show_streams`` names them."""

    codec_type: str = ""
    index: int = 0
    color_range: str = ""
    color_space: str = ""
    color_transfer: str = ""
    color_primaries: str = ""
    field_order: str = ""


class Tagged(msgspec.Struct, frozen=True):
    """The report of ``ffprobe -show_streams`` in JSON, as far as it is read here."""

    streams: list[Tags] = []


def findings(name: str, version: Tags, master: Tags) -> list[Finding]:
    """Where a rendition would be shown in other colors than the master, or as fields.

    A film of high range is brought to BT.709. What the master does not say, a rendition does not
    say either, or says that it is BT.709.
    """
    found = []
    high = master.color_transfer in _HIGH_RANGE
    full = master.color_range == "pc" and master.color_space not in _NOT_CARRIED and not high
    if (version.color_range == "pc") != full:
        found.append(
            error("color", f"{name} is {'not ' * full}tagged as full range, unlike the master")
        )
    for field, word in _NAMES.items():
        ours, theirs = getattr(version, field), getattr(master, field)
        if high:
            theirs = _STANDARD
        if theirs in _NOT_CARRIED:
            continue
        if theirs in _UNSTATED and ours in _UNSTATED | {_STANDARD}:
            continue
        if ours != theirs:
            what = f"the {word} {_said(ours)}, and the master {_said(theirs)}"
            found.append(error("color", f"{name} is tagged with {what}"))
    if version.field_order not in _PROGRESSIVE:
        found.append(
            error("interlace", f"{name} is tagged as interlaced ({version.field_order}) and is not")
        )
    return found


def _said(tag: str) -> str:
    return "unknown" if tag in _UNSTATED else tag
