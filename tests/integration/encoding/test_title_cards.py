"""Names of every script on a frame: whole, inside the picture, and to be read."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cuemark.contexts.encoding.model.title_card import LEAST_CONTRAST, contrast_with_white
from cuemark.contexts.encoding.stages.title_cards import carded
from cuemark.contexts.encoding.tools import lettering
from cuemark.contracts.encoding.artwork import CardImpossible

LONG = "The Unbearable Lightness of Being Extremely Long, the Director's Cut, Part Two"
NAMES = [
    "Up",
    LONG,
    "x" * 200,
    "Emoji 🎬 & <b>film</b>",
    "فيلم البحر 2026 (HD)",
    "שלום עולם",
    "千年之恋：東京物語、そして春の雪",
    "한국 영화 제목",
    "हिन्दी फ़िल्म",
    "Ελλάδα — Привет",
]
SIZES = [(640, 360), (320, 240), (400, 170)]


def plain(size: tuple[int, int], level: int = 0) -> Image.Image:
    return Image.new("RGB", size, (level, level, level))


def ink(card: Image.Image) -> NDArray[np.bool_]:
    return np.asarray(card.convert("L")) > 128


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_is_drawn_within_the_picture(name: str) -> None:
    for width, height in SIZES:
        seen = ink(carded(plain((width, height)), name))
        assert seen.sum() > 30
        edge = max(2, round(0.02 * height))
        inside = seen[edge:-edge, edge:-edge]
        assert inside.sum() == seen.sum(), (width, height)


def test_right_to_left_joins_its_letters_and_is_not_what_left_to_right_is() -> None:
    (word,), letters = lettering.widths(["فيلم"]), lettering.widths(list("فيلم"))
    assert word < 0.9 * sum(letters), "letters that join are narrower than those that stand alone"
    rtl, ltr = (
        np.asarray(
            lettering.drawn(
                [lettering.Row("فيلم (HD)", 10, 60, 40, rtl=rtl, bold=False)], 400, 100
            ).getchannel("A")
        )
        for rtl in (True, False)
    )
    assert not np.array_equal(rtl, ltr)


@pytest.mark.parametrize("level", [120, 180, 255])
def test_it_can_be_read_on_a_light_frame(level: int) -> None:
    card = np.asarray(carded(plain((640, 360), level), "Snow").convert("L"))
    dark = np.asarray(card < level * 0.999)
    rows, columns = np.nonzero(dark)
    middle = card[
        (rows.min() + rows.max()) // 2 - 20 : (rows.min() + rows.max()) // 2 + 20,
        (columns.min() + columns.max()) // 2 - 60 : (columns.min() + columns.max()) // 2 + 60,
    ]
    ground = int(np.bincount(middle[middle < 250]).argmax())
    assert LEAST_CONTRAST <= contrast_with_white(np.full((1, 3), ground)) < LEAST_CONTRAST + 0.3


def test_a_dark_frame_stays_as_it_is_but_for_the_type() -> None:
    frame = plain((640, 360), 20)
    card = np.asarray(carded(frame, "Night"))
    assert ((card == 20).all(axis=2) | (card > 20).all(axis=2)).all()


def test_the_same_name_gives_the_same_bytes_and_symbols_without_a_picture_are_left_out() -> None:
    frame = plain((320, 180), 60)
    assert carded(frame, "Up 🎬").tobytes() == carded(frame, "Up").tobytes()


@pytest.mark.parametrize("name", ["ภาพยนตร์", "🎬🎬", "A ภ"])
def test_a_name_without_a_font_is_refused_with_its_letters(name: str) -> None:
    with pytest.raises(CardImpossible) as refused:
        carded(plain((320, 180)), name)
    assert "letters" in str(refused.value)


def test_what_the_fonts_have_is_known() -> None:
    assert lettering.covered("Añ Жא千한क 🎬ภ") == frozenset("Añ Жא千한क")
