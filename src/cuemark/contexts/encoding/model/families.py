"""Families of codecs: what a kind of devices decodes, and how it is encoded."""

from collections.abc import Sequence
from typing import get_args

import msgspec

from cuemark.contexts.encoding.model.likeness import Likeness
from cuemark.contracts.encoding import Codec, Effort

REFERENCE: Codec = "h264"
"""The family whose probes tell of the film. The quick version is made of it alone."""


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of ``families/``.

    ``options`` are FFmpeg's, and ``parameters`` the ``encoder``'s own, which ``parameters_option``
    hands over. ``presets`` are the encoder's, by effort. ``reordered`` is how many frames decoding
    is ahead of what is shown. ``devices`` and ``notice`` are for people. ``likeness`` says what is
    expected of it before it was tried on a film; the reference is like itself.
    """

    codec: Codec
    devices: str
    encoder: str
    options: list[str]
    parameters_option: str
    parameters: str
    reordered: int
    presets: dict[Effort, str]
    likeness: Likeness = Likeness()
    notice: str = ""


def made_in(codecs: Sequence[Codec]) -> tuple[Codec, ...]:
    """What a version is made in whose owner asks for ``codecs``: the reference, and each once."""
    others = (each for each in get_args(Codec) if each in codecs and each != REFERENCE)
    return (REFERENCE, *others)
