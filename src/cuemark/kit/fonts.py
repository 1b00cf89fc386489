"""Noto's fonts, from wheels: no font of the machine is looked at."""

import importlib.resources
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_FONTS = (
    ("fontpkg_noto_sans", "files/NotoSans[wdth,wght].ttf"),
    ("pylopdf_fonts_ar", "NotoSansArabic-Variable.ttf"),
    ("pylopdf_fonts_he", "NotoSansHebrew-Variable.ttf"),
    ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc"),
)


@cache
def font_files() -> Sequence[Path]:
    """The first is of Latin, Greek, Cyrillic and Devanagari, the others of what it lacks: Arabic,
    Hebrew, and Chinese, Japanese and Korean."""
    return [Path(str(importlib.resources.files(package) / file)) for package, file in _FONTS]
