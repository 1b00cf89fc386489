"""What the samples of a film mean: depth, transfer, primaries, matrix, range (ITU-T H.273), light.

A film of high dynamic range is PQ (SMPTE ST 2084) or HLG, both as in ITU-R BT.2100. It may say what
it was mastered on (SMPTE ST 2086) and how bright it becomes (CTA-861.3, MaxCLL and MaxFALL).
"""

import re
import struct

import msgspec

from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import DynamicRange

STANDARD_DEPTH, HIGH_DEPTH = 8, 10
TRANSFERS: dict[str, DynamicRange] = {"smpte2084": "pq", "arib-std-b67": "hlg"}
"""The transfer functions of HDR, as FFmpeg calls them."""
PRIMARIES = "bt2020"
MATRIX = "bt2020nc"
HLG_PEAK_CD_M2 = 1000.0
"""The display that HLG is brought to: the one of ITU-R BT.2100 with a system gamma of 1.2."""
USUAL_PEAK_CD_M2 = 1000.0
LEAST_PEAK_CD_M2, MOST_PEAK_CD_M2 = 200.0, 10_000.0
NAMES: dict[DynamicRange, str] = {"sdr": "SDR", "pq": "HDR10 (PQ)", "hlg": "HLG"}

_CHROMATICITY_PER, _LUMINANCE_PER = 50_000, 10_000
_P3 = {"smpte432", "smpte431"}
_UNSTATED = {"", "unknown", "unspecified", "reserved"}
_MATRICES = {"bt2020nc", "bt2020c", "ictcp", "gbr"}
_RGB = {"gbr", "rgb"}
_DEPTH = re.compile(r"(\d{1,2})(?:le|be)$")
_DEPTH_OF_PIXEL = {48: 16, 64: 16, 32: 16}
"""Formats that are named for the bits of a whole pixel, and those in floating point."""
_NUMBER = r"(-?\d{1,9}(?:\.\d{1,9})?)"
_PAIR = rf"\(\s*{_NUMBER}[,\s]\s*{_NUMBER}\s*\)"
_MASTERING = re.compile(
    rf"Mastering display metadata: has_primaries:1 has_luminance:1 r{_PAIR} g{_PAIR} b{_PAIR} "
    rf"wp{_PAIR} min_luminance={_NUMBER}, max_luminance={_NUMBER}"
)
_LIGHT = re.compile(r"Content light level metadata: MaxCLL=(\d{1,9}), MaxFALL=(\d{1,9})")


class Mastering(msgspec.Struct, frozen=True, kw_only=True):
    """The display that a film was mastered on: chromaticities in CIE 1931, luminance in cd/m2."""

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float]
    least_cd_m2: float
    most_cd_m2: float


class Light(msgspec.Struct, frozen=True):
    """The brightest sample of a film and its brightest frame on average, in cd/m2; 0 is unknown."""

    max_cll: int
    max_fall: int


class Color(msgspec.Struct, frozen=True, kw_only=True):
    """``primaries``, ``matrix`` (FFmpeg's names) and ``full_range`` say how to read an HDR film's
    samples, what it does not state being filled in; of an SDR film they are left as they come."""

    dynamic_range: DynamicRange = "sdr"
    bit_depth: int = STANDARD_DEPTH
    primaries: str = ""
    matrix: str = ""
    full_range: bool = False
    mastering: Mastering | None = None
    light: Light | None = None

    def boxes(self) -> tuple[bytes, bytes]:
        """The bodies of the boxes ``mdcv`` and ``clli`` of an HDR10 film; empty where not known.

        They are those of ISO/IEC 14496-12:2022, 12.1.6 and 12.1.7.
        """
        mastering = light = b""
        if self.dynamic_range == "pq" and self.mastering is not None:
            here = self.mastering
            points = (here.green, here.blue, here.red, here.white)
            mastering = struct.pack(
                ">8H2I",
                *(round(value * _CHROMATICITY_PER) for point in points for value in point),
                round(here.most_cd_m2 * _LUMINANCE_PER),
                round(here.least_cd_m2 * _LUMINANCE_PER),
            )
        if self.dynamic_range == "pq" and self.light is not None:
            light = struct.pack(">2H", self.light.max_cll, self.light.max_fall)
        return mastering, light

    @property
    def carried(self) -> DynamicRange:
        """The range that its renditions may have: eight bits are too few for PQ and HLG."""
        return self.dynamic_range if self.bit_depth >= HIGH_DEPTH else "sdr"

    @property
    def peak_cd_m2(self) -> float:
        """The brightest light of an HDR film: as it was measured, else that of its display."""
        if self.dynamic_range == "hlg":
            return HLG_PEAK_CD_M2
        stated = (
            self.light.max_cll
            if self.light and self.light.max_cll
            else self.mastering.most_cd_m2
            if self.mastering
            else USUAL_PEAK_CD_M2
        )
        return min(MOST_PEAK_CD_M2, max(LEAST_PEAK_CD_M2, float(stated)))

    @property
    def tone_mapping(self) -> str:
        """How it is brought to standard range; empty for a film that has it."""
        return "" if self.dynamic_range == "sdr" else f"bt2390 {self.peak_cd_m2:g}"


class Look(msgspec.Struct, frozen=True, omit_defaults=True):
    """As what a picture is made: range, bits of a sample, and how it got there from HDR."""

    dynamic_range: DynamicRange = "sdr"
    bit_depth: int = STANDARD_DEPTH
    tone_mapping: str = ""


PLAIN = Look()
"""Eight bits of standard range from a film of standard range."""


def standard_look(color: Color) -> Look:
    """What every device can show: of an HDR film, it tone-mapped."""
    return Look(tone_mapping=color.tone_mapping) if color.tone_mapping else PLAIN


def bit_depth_of(pixel_format: str) -> int:
    """The bits of a sample of a pixel format by FFmpeg's name, which says them where not 8."""
    found = _DEPTH.search(pixel_format)
    if not found:
        return STANDARD_DEPTH
    bits = int(found[1])
    return bits if STANDARD_DEPTH <= bits <= 16 else _DEPTH_OF_PIXEL.get(bits, STANDARD_DEPTH)


def color_of(
    *, pixel_format: str, transfer: str, primaries: str, matrix: str, range_: str
) -> tuple[Color, list[str]]:
    """What a stream's tags say, and notes on what was assumed.

    Raises ``MasterRejected`` for an HDR film whose tags contradict one another: shown by either of
    them, its colors would be wrong.
    """
    depth = bit_depth_of(pixel_format)
    dynamic_range = TRANSFERS.get(transfer)
    if dynamic_range is None:
        return Color(bit_depth=depth), []
    name = NAMES[dynamic_range]
    notes = []
    if primaries in _UNSTATED:
        notes.append(f"the film is {name} and states no primaries: those of BT.2020 were assumed")
        primaries = PRIMARIES
    elif primaries not in {PRIMARIES, *_P3}:
        raise MasterRejected(
            f"the film says {name} with the primaries of {primaries}, which contradict each other: "
            "tag it as it was graded (BT.2020 or P3), and upload it again"
        )
    if matrix in _UNSTATED:
        matrix = MATRIX
    elif matrix in _RGB:
        matrix = "gbr"
    elif matrix not in _MATRICES and not (matrix == "bt709" and primaries in _P3):
        raise MasterRejected(
            f"the film says {name} with the matrix of {matrix}, which contradict each other: "
            "tag it as it was graded (BT.2020), and upload it again"
        )
    full = range_ == "pc" or (matrix == "gbr" and range_ != "tv")
    color = Color(
        dynamic_range=dynamic_range,
        bit_depth=depth,
        primaries=primaries,
        matrix=matrix,
        full_range=full,
    )
    return color, notes


def with_light(color: Color, told: str) -> tuple[Color, list[str]]:
    """The color of an HDR film with what its first frame says, by FFmpeg's filter ``showinfo``.

    What cannot be of any display or film is left out, with a note. HLG needs neither.
    """
    mastering, light, notes = None, None, []
    if found := _MASTERING.search(told):
        rx, ry, gx, gy, bx, by, wx, wy, least, most = (float(each) for each in found.groups())
        points = (rx, ry, gx, gy, bx, by, wx, wy)
        if all(0 < each < 1 for each in points) and 0 <= least < most <= MOST_PEAK_CD_M2:
            mastering = Mastering(
                red=(rx, ry),
                green=(gx, gy),
                blue=(bx, by),
                white=(wx, wy),
                least_cd_m2=least,
                most_cd_m2=most,
            )
        else:
            notes.append("the film names a mastering display that cannot be: it was left out")
    if found := _LIGHT.search(told):
        max_cll, max_fall = (int(each) for each in found.groups())
        if (max_cll and max_cll < max_fall) or max(max_cll, max_fall) > MOST_PEAK_CD_M2:
            notes.append(
                f"the film says MaxCLL {max_cll} and MaxFALL {max_fall}, which cannot be: they "
                "were left out"
            )
        elif max_cll or max_fall:
            light = Light(max_cll, max_fall)
    return msgspec.structs.replace(color, mastering=mastering, light=light), notes


def notes_on(color: Color) -> list[str]:
    """What the owner of an HDR film may not expect of its renditions."""
    if color.dynamic_range == "sdr":
        return []
    name = NAMES[color.dynamic_range]
    if color.carried == "sdr":
        return [
            f"the film is {name} in {color.bit_depth} bits, which are too few: it was brought to "
            "standard range alone"
        ]
    return [
        f"the film is {name} with up to {color.peak_cd_m2:g} cd/m2: H.264 is brought to standard "
        "range, HEVC and AV1, where they are asked for, are made in both"
    ]
