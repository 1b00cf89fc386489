"""What a rendition says of its colors and fields, against what the master says (ITU-T H.273)."""

import msgspec

from cuemark.contexts.encoding.model.color import MATRIX, PRIMARIES, TRANSFERS
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contracts.encoding.validation import Check
from cuemark.contracts.encoding.versions import DynamicRange

CHECKS: tuple[Check, ...] = ("color", "interlace")

_UNSTATED = {"", "unknown", "unspecified", "reserved"}
_UNSTATED_CODE = 2
_NOT_CARRIED = {"gbr", "rgb"}
"""Matrices of pictures that are not in luma and chroma: an encode has another one."""
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


class ColorCodes(msgspec.Struct, frozen=True):
    """Code points of ITU-T H.273, tables 2 to 4. ``full_range`` is None where it is not stated."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full_range: bool | None = None


class Tagged(msgspec.Struct, frozen=True):
    """The report of ``ffprobe -show_streams`` in JSON, as far as it is read here."""

    streams: list[Tags] = []


def findings(
    name: str, version: Tags, master: Tags, dynamic_range: DynamicRange = "sdr"
) -> list[Finding]:
    """Where a rendition would be shown in other colors than the master, or as fields.

    A rendition of high range says BT.2020 with its transfer function; others of such a film say
    BT.709. What the master does not say, a rendition does not
    say either, or says that it is BT.709.
    """
    found = []
    high = master.color_transfer in TRANSFERS
    wanted = dict.fromkeys(_NAMES, _STANDARD)
    if dynamic_range != "sdr":
        wanted = {"color_primaries": PRIMARIES, "color_space": MATRIX}
        wanted["color_transfer"] = next(
            transfer for transfer, each in TRANSFERS.items() if each == dynamic_range
        )
    full = master.color_range == "pc" and master.color_space not in _NOT_CARRIED and not high
    if (version.color_range == "pc") != full:
        found.append(
            error("color", f"{name} is {'not ' * full}tagged as full range, unlike the master")
        )
    for field, word in _NAMES.items():
        ours, theirs = getattr(version, field), getattr(master, field)
        if high:
            theirs = wanted[field]
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


def contradictions(name: str, box: ColorCodes, pictures: ColorCodes) -> list[Finding]:
    """Where the ``colr`` box of a rendition says something else than its own pictures.

    A reader of files goes by the box (ISO/IEC 14496-12:2022, 12.1.5), a decoder by the parameter
    sets or the sequence header: devices would show different colors. What one of them leaves open
    is no contradiction.
    """
    found = []
    for word in ("primaries", "transfer", "matrix"):
        ours, theirs = getattr(box, word), getattr(pictures, word)
        if ours != theirs and _UNSTATED_CODE not in (ours, theirs):
            found.append(_contradiction(name, word, str(ours), str(theirs)))
    if box.full_range not in (None, pictures.full_range) and pictures.full_range is not None:
        ranges = ["full" if each.full_range else "limited" for each in (box, pictures)]
        found.append(_contradiction(name, "range", *ranges))
    return found


def _contradiction(name: str, word: str, box: str, pictures: str) -> Finding:
    return error(
        "color",
        f"{name} contradicts itself on its {word}: {box} in its colr box and {pictures} in its "
        "pictures (ITU-T H.273)",
    )


def _said(tag: str) -> str:
    return "unknown" if tag in _UNSTATED else tag
