"""A title's name in type over one of its frames: how it is set, where it stands, what is behind it.

Contrast is that of WCAG 2.2 (relative luminance, success criterion 1.4.3).
"""

import unicodedata
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

LEAST_CONTRAST = 4.5
"""Of white type and what is behind it: level AA, also of type that is not large."""
BOX_WIDTH, BOX_HEIGHT = 0.62, 0.5
MARGIN = 0.06
"""Shares of the picture: the type stays within the box, and the box off the edges."""
LARGEST, SMALLEST = 1 / 6, 1 / 18
"""The size of the type as a share of the picture's height."""
LEADING = 1.28
_STEPS = 24
ELLIPSIS = "…"
_WIDE = ("HIRAGANA", "KATAKANA", "CJK", "IDEOGRAPHIC", "BOPOMOFO", "FULLWIDTH")
_NOT_FIRST = frozenset("、。，．：；！？」』）】〉》’”…ー々〜")

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Piece(msgspec.Struct, frozen=True):
    """What is never broken, and whether a space stands before it on one line."""

    text: str
    spaced: bool


class Setting(msgspec.Struct, frozen=True):
    """Lines of type at one size: the size and the width of the longest line, in pixels."""

    lines: list[str]
    size: float
    width: float

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * LEADING


class Box(msgspec.Struct, frozen=True):
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


def pieces_of(name: str) -> list[Piece]:
    """The words of a name; scripts without spaces break after each character but punctuation."""
    found: list[Piece] = []
    for word in name.split():
        spaced = bool(found)
        run = ""
        for character in word:
            if _is_wide(character):
                if character in _NOT_FIRST and (run or (found and not spaced)):
                    if run:
                        run += character
                    else:
                        last = found.pop()
                        found.append(Piece(last.text + character, last.spaced))
                    continue
                if run:
                    found.append(Piece(run, spaced))
                    run, spaced = "", False
                found.append(Piece(character, spaced))
                spaced = False
            else:
                run += character
        if run:
            found.append(Piece(run, spaced))
    return found


def letters_of(piece: Piece) -> list[Piece]:
    """A piece broken after each letter, with the marks that belong to it."""
    found: list[str] = []
    for character in piece.text:
        if found and unicodedata.category(character).startswith("M"):
            found[-1] += character
        else:
            found.append(character)
    return [Piece(text, piece.spaced and place == 0) for place, text in enumerate(found)]


def is_light(text: str) -> bool:
    """Whether a text has characters of a script that the fonts have in one weight only."""
    return any(
        _is_wide(character) or unicodedata.name(character, "").startswith("HANGUL")
        for character in text
    )


def widest(width: int, height: int) -> float:
    """The most that fits on a line of a picture at the least size, for type of size 1."""
    return BOX_WIDTH * width / (SMALLEST * height)


def _is_wide(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_WIDE)


def is_right_to_left(name: str) -> bool:
    """By its first letter that has a direction (Unicode Standard Annex 9, rules P2 and P3)."""
    for character in name:
        direction = unicodedata.bidirectional(character)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def shown(name: str, covered: frozenset[str]) -> str:
    """The name without the symbols that no font has, such as emoji."""
    kept = [
        character
        for character in unicodedata.normalize("NFC", name)
        if character in covered or not _is_symbol(character)
    ]
    return " ".join("".join(kept).split())


def missing(name: str, covered: frozenset[str]) -> list[str]:
    """The letters, figures and punctuation of a name that no font has."""
    wanted = [each for each in name if unicodedata.category(each)[0] in "LNP"]
    return sorted({each for each in wanted if each not in covered})


def _is_symbol(character: str) -> bool:
    joins = character in "\u200d\ufe0f\ufe0e"
    return joins or unicodedata.category(character) in ("So", "Sk", "Sm", "Cn", "Co", "Cf")


def set_in_type(
    pieces: Sequence[Piece], widths: Sequence[float], space: float, width: int, height: int
) -> Setting | None:
    """The pieces in lines, as large as fits into the box of a picture, in pixels.

    ``widths`` and ``space`` are for type of size 1. None where they do not fit at the least size.
    """
    box_width, box_height = BOX_WIDTH * width, BOX_HEIGHT * height
    for step in range(_STEPS + 1):
        size = height * (LARGEST - (LARGEST - SMALLEST) * step / _STEPS)
        lines = _broken(pieces, widths, space, box_width / size)
        if lines is not None and len(lines) * size * LEADING <= box_height:
            lines = _balanced(pieces, widths, space, box_width / size, lines)
            longest = max(_length(pieces, widths, space, line) for line in lines)
            return Setting([_text(pieces, line) for line in lines], size, longest * size)
    return None


def _broken(
    pieces: Sequence[Piece], widths: Sequence[float], space: float, most: float
) -> list[range] | None:
    """As many pieces on each line as fit; None where one alone does not."""
    lines: list[range] = []
    first, length = 0, 0.0
    for place, (piece, width) in enumerate(zip(pieces, widths, strict=True)):
        if width > most:
            return None
        longer = length + width + (space if piece.spaced and place > first else 0.0)
        if place > first and longer > most:
            lines.append(range(first, place))
            first, longer = place, width
        length = longer
    return [*lines, range(first, len(pieces))]


def _balanced(
    pieces: Sequence[Piece], widths: Sequence[float], space: float, most: float, lines: list[range]
) -> list[range]:
    """As many lines, with the longest one as short as can be."""
    least, best = 0.0, lines
    for _ in range(12):
        middle = (least + most) / 2
        tried = _broken(pieces, widths, space, middle)
        if tried is not None and len(tried) <= len(lines):
            most, best = middle, tried
        else:
            least = middle
    return best


def _length(pieces: Sequence[Piece], widths: Sequence[float], space: float, line: range) -> float:
    gaps = sum(space for place in line if pieces[place].spaced and place > line.start)
    return sum(widths[place] for place in line) + gaps


def _text(pieces: Sequence[Piece], line: range) -> str:
    return "".join(
        (" " if pieces[place].spaced and place > line.start else "") + pieces[place].text
        for place in line
    )


def calmest(picture: Rgb, width: float, height: float) -> Box:
    """Where a box of this size, in pixels, covers least of what there is to see.

    Of nine places at the edges and in the middle the one with the least detail; of equals the
    lower one, and there the left one.
    """
    tall, wide = picture.shape[:2]
    luma = picture.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])
    detail = np.zeros_like(luma)
    detail[:, 1:] += np.abs(np.diff(luma, axis=1))
    detail[1:] += np.abs(np.diff(luma, axis=0))
    box = (min(wide, int(np.ceil(width))), min(tall, int(np.ceil(height))))
    off = (int(MARGIN * wide), int(MARGIN * tall))
    lefts = [min(off[0], wide - box[0]), (wide - box[0]) // 2, max(0, wide - box[0] - off[0])]
    tops = [max(0, tall - box[1] - off[1]), (tall - box[1]) // 2, min(off[1], tall - box[1])]
    boxes = [Box(left, top, *box) for top in tops for left in lefts]
    busy = [round(float(_within(detail, each).mean()), 1) for each in boxes]
    return boxes[busy.index(min(busy))]


def _within(values: Floats | Rgb, box: Box) -> Floats | Rgb:
    return values[box.top : box.top + box.height, box.left : box.left + box.width]


def luminance(picture: Rgb | Floats) -> Floats:
    """Relative luminance of sRGB colors of 0 to 255, 0 to 1."""
    part = np.asarray(picture, np.float64) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    found: Floats = linear @ np.array([0.2126, 0.7152, 0.0722])
    return found


def contrast_with_white(picture: Rgb | Floats) -> float:
    """The contrast ratio of white and the lightest point of a picture."""
    return float(1.05 / (luminance(picture).max() + 0.05))


def shade(picture: Rgb, box: Box) -> float:
    """How much black the box needs for white type, 0 (none) to 1.

    Near black luminance is linear, so the lightest point of a shaded part may be another one than
    that of the part itself: each that turns out to be too light is shaded for, too.
    """
    part = _within(picture, box).reshape(-1, 3).astype(np.float64)
    lights, dark = list[int](), 0.0
    while True:
        shaded = part * (1 - dark)
        lightest = int(luminance(shaded).argmax())
        if lightest in lights or contrast_with_white(shaded[[lightest]]) >= LEAST_CONTRAST:
            return dark
        lights.append(lightest)
        dark = _shade_for(part[lights])


def _shade_for(lights: Floats) -> float:
    """How much black these colors need for white type."""
    least, most = 0.0, 1.0
    for _ in range(12):
        middle = (least + most) / 2
        if contrast_with_white(lights * (1 - middle)) >= LEAST_CONTRAST:
            most = middle
        else:
            least = middle
    return most
