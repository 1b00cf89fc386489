"""Families of codecs: what a kind of devices decodes, and how it is encoded."""

from collections.abc import Sequence
from typing import get_args

import msgspec

from cuemark.contexts.encoding.model.color import (
    HIGH_DEPTH,
    STANDARD_DEPTH,
    Color,
    Look,
    standard_look,
)
from cuemark.contexts.encoding.model.likeness import Likeness
from cuemark.contracts.encoding.jobs import Effort
from cuemark.contracts.encoding.versions import Codec, DynamicRange

REFERENCE: Codec = "h264"
"""The family whose probes tell of the film. The quick version is made of it alone."""


class LightParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an encoder is told of the light of an HDR10 film, as formats for ``str.format``.

    ``mastering`` has the places ``red_x`` to ``white_y``, ``least`` and ``most``, whole numbers in
    units of 1 / ``chromaticity_per`` and 1 / ``luminance_per`` cd/m2; ``content`` has ``max_cll``
    and ``max_fall``.
    """

    mastering: str
    content: str
    chromaticity_per: int
    luminance_per: int


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of ``families/``.

    ``options`` are FFmpeg's, and ``parameters`` the ``encoder``'s own, which ``parameters_option``
    hands over, with ``crf_parameter`` where FFmpeg's own option is too coarse for the crf.
    ``presets`` are the encoder's, by effort. ``reordered`` is how many frames decoding is ahead of
    what is shown. ``devices`` and ``notice`` are for people. ``likeness`` says what is expected of
    it before it was tried on a film; the reference is like itself. ``bit_depth`` are the most bits
    of a sample that its devices take, and ``dynamic_ranges`` what it is made in; ``light`` is there
    where the encoder writes what is known of HDR10's into the samples. ``grain`` are the
    parameters, with the place ``level``, by which it takes grain away and has players make it
    again; without them it keeps grain as any other detail.
    """

    codec: Codec
    devices: str
    encoder: str
    options: list[str]
    parameters_option: str
    parameters: str
    crf_parameter: str = ""
    reordered: int
    presets: dict[Effort, str]
    likeness: Likeness = Likeness()
    notice: str = ""
    bit_depth: int = STANDARD_DEPTH
    dynamic_ranges: tuple[DynamicRange, ...] = ("sdr",)
    light: LightParameters | None = None
    grain: str = ""

    def looks(self, color: Color) -> list[Look]:
        """What is made of a film in it: what every device of the family shows, then HDR."""
        standard = standard_look(color)
        if color.dynamic_range == "sdr" and min(self.bit_depth, color.bit_depth) >= HIGH_DEPTH:
            standard = Look(bit_depth=HIGH_DEPTH)
        if color.carried == "sdr" or color.carried not in self.dynamic_ranges:
            return [standard]
        return [standard, Look(dynamic_range=color.carried, bit_depth=HIGH_DEPTH)]


def made_in(codecs: Sequence[Codec]) -> tuple[Codec, ...]:
    """What a version is made in whose owner asks for ``codecs``: the reference, and each once."""
    others = (each for each in get_args(Codec) if each in codecs and each != REFERENCE)
    return (REFERENCE, *others)
