"""Type as pictures: Noto's fonts from wheels, shaped and drawn by resvg in this process.

No font of the machine is looked at, so that the same name looks alike on every one.
"""

import io
import unicodedata
from collections.abc import Sequence
from xml.sax.saxutils import escape

import resvg_py
from PIL import Image

from cuemark.kit.fonts import font_files

FAMILY, WEIGHT = "Noto Sans", 700
_CELL = 40
_NOBODYS = "\U0010fffd"
"""A code point that no font has (Unicode, private use plane 16)."""
_ISOLATED = "\u2067%s\u2069"
_EMBOLDENED = 0.028
"""How much the strokes of the one weight of Chinese and Japanese are widened, of the size."""


class Row:
    """A line of type: its text, and where its baseline begins, is centered or ends."""

    def __init__(
        self, text: str, x: float, baseline: float, size: float, *, rtl: bool, bold: bool
    ) -> None:
        self.text, self.x, self.baseline, self.size = text, x, baseline, size
        self.rtl, self.bold = rtl, bold


def drawn(rows: Sequence[Row], width: int, height: int) -> Image.Image:
    """White type in a clear picture of this size; every row begins at its ``x``."""
    texts = "".join(
        f'<text x="{row.x:.2f}" y="{row.baseline:.2f}" font-size="{row.size:.2f}"'
        + (f' stroke="#fff" stroke-width="{row.size * _EMBOLDENED:.2f}"' if row.bold else "")
        + f">{escape(_ISOLATED % row.text if row.rtl else row.text)}</text>"
        for row in rows
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="{FAMILY}" font-weight="{WEIGHT}" fill="#fff" xml:space="preserve">'
        f"{texts}</svg>"
    )
    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        skip_system_fonts=True,
        font_files=[str(each) for each in font_files()],
        font_family=FAMILY,
    )
    with Image.open(io.BytesIO(bytes(png))) as image:
        return image.convert("RGBA")


def widths(texts: Sequence[str]) -> list[float]:
    """How far each text moves what follows it, for type of size 1."""
    found = sorted(set(texts))
    alone, *between = _inks(["nn", *(f"n{text}n" for text in found)])
    moved = dict(zip(found, (max(0.0, each - alone) for each in between), strict=True))
    return [moved[text] for text in texts]


def ink_width(text: str) -> float:
    """How wide what is seen of a text is, for type of size 1."""
    return _inks([text])[0]


def _inks(texts: Sequence[str], size: int = 32) -> list[float]:
    row_height = size * 2
    widest = (max(len(text) for text in texts) + 1) * size * 2
    rows = [
        Row(text, size / 2, row_height * n + size * 1.4, size, rtl=False, bold=False)
        for n, text in enumerate(texts)
    ]
    ink = drawn(rows, widest, row_height * len(texts)).getchannel("A")
    boxes = [
        ink.crop((0, row_height * n, widest, row_height * (n + 1))).getbbox()
        for n in range(len(texts))
    ]
    return [(box[2] - box[0]) / size if box else 0.0 for box in boxes]


def covered(text: str) -> frozenset[str]:
    """Which characters of a text the fonts have; spaces and joiners always count."""
    wanted = sorted({each for each in text if unicodedata.category(each)[0] not in "ZC"})
    cells = [*wanted, _NOBODYS]
    rows = [
        Row(character, _CELL * n + _CELL / 4, _CELL * 0.75, _CELL / 2, rtl=False, bold=False)
        for n, character in enumerate(cells)
    ]
    ink = drawn(rows, _CELL * len(cells), _CELL).getchannel("A")
    seen = [ink.crop((_CELL * n, 0, _CELL * (n + 1), _CELL)).tobytes() for n in range(len(cells))]
    found = {each for each, cell in zip(wanted, seen, strict=False) if cell != seen[-1]}
    return frozenset(found | {each for each in text if each not in wanted})
