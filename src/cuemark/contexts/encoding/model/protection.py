"""Which key encrypts what: the labels of keys, as SPEKE v2 and DASH-IF name the tiers."""

from cuemark.contracts.protection import AUDIO

__all__ = ["AUDIO", "picture_label"]

TIERS = (
    ("SD", 1024 * 576),
    ("HD", 1920 * 1080),
    ("UHD1", 4096 * 2160),
)
"""A label and the most pixels that a picture of it has, itself included (AWS, SPEKE v2.0 presets,
PRESET-VIDEO-4). Pixels and not lines: the same picture turned upright is of the same tier."""

LARGEST = "UHD2"
"""The label of what is larger than all of these."""


def picture_label(width: int, height: int) -> str:
    """The label of a rendition of so many pixels."""
    return next((label for label, most in TIERS if width * height <= most), LARGEST)
