"""How a name is set in type: it fits, its lines are whole, and it can be read."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.title_card import (
    BOX_HEIGHT,
    BOX_WIDTH,
    LARGEST,
    LEAST_CONTRAST,
    SMALLEST,
    Box,
    Piece,
    calmest,
    contrast_with_white,
    is_right_to_left,
    letters_of,
    luminance,
    missing,
    pieces_of,
    set_in_type,
    shade,
    shown,
)

WIDTH, HEIGHT = 1280, 720
names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)


def texts(name: str) -> list[str]:
    return [piece.text for piece in pieces_of(name)]


def test_words_are_whole_and_scripts_without_spaces_break_anywhere_but_before_punctuation() -> None:
    assert texts("The Paper Ocean") == ["The", "Paper", "Ocean"]
    assert texts("千年之恋：東京。") == ["千", "年", "之", "恋：", "東", "京。"]
    assert texts("한국 영화") == ["한국", "영화"]
    assert pieces_of("東京 Story") == [
        Piece("東", False),
        Piece("京", False),
        Piece("Story", True),
    ]


@given(names)
def test_pieces_are_the_name_and_spaces_stand_where_they_stood(name: str) -> None:
    joined = "".join((" " if each.spaced else "") + each.text for each in pieces_of(name))
    assert joined == " ".join(name.split())
    for piece in pieces_of(name):
        assert "".join(each.text for each in letters_of(piece)) == piece.text


@given(st.lists(st.floats(0.1, 9), min_size=1, max_size=40), st.data())
def test_lines_fit_the_box_and_keep_every_piece_in_its_order(
    widths: list[float], data: st.DataObject
) -> None:
    pieces = [Piece(f"w{n}", data.draw(st.booleans()) and n > 0) for n in range(len(widths))]
    found = set_in_type(pieces, widths, 0.25, WIDTH, HEIGHT)
    if found is None:
        largest = max(widths) * SMALLEST * HEIGHT
        room = BOX_WIDTH * WIDTH * (BOX_HEIGHT / SMALLEST / 1.28 - 1)
        assert largest > BOX_WIDTH * WIDTH or sum(widths) * SMALLEST * HEIGHT * 2 > room
        return
    assert "".join(found.lines).replace(" ", "") == "".join(each.text for each in pieces)
    assert SMALLEST * HEIGHT - 1e-6 <= found.size <= LARGEST * HEIGHT + 1e-6
    assert found.width <= BOX_WIDTH * WIDTH + 1e-6
    assert found.height <= BOX_HEIGHT * HEIGHT + 1e-6


def test_a_short_name_is_large_and_a_long_one_smaller_in_lines_of_one_length() -> None:
    short = set_in_type(pieces_of("Up"), [1.2], 0.25, WIDTH, HEIGHT)
    assert short is not None
    assert (short.lines, short.size) == (["Up"], LARGEST * HEIGHT)
    words = pieces_of("one two three four five six")
    long = set_in_type(words, [3.0] * 6, 0.25, WIDTH, HEIGHT)
    assert long is not None
    assert long.size < short.size
    assert len({len(line.split()) for line in long.lines}) == 1


@pytest.mark.parametrize(
    ("name", "rtl"),
    [("فيلم", True), ("שלום", True), ("12 فيلم", True), ("HD فيلم", False), ("2026", False)],
)
def test_a_name_runs_as_its_first_letter_does(name: str, rtl: bool) -> None:
    assert is_right_to_left(name) is rtl


def test_symbols_that_no_font_has_are_left_out_and_letters_are_told() -> None:
    covered = frozenset("Emoji film")
    assert shown("Emoji 🎬 film", covered) == "Emoji film"
    assert missing("Emoji 🎬 film", covered) == []
    assert missing("Emoji ไทย film", covered) == ["ท", "ย", "ไ"]


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_with_white(np.zeros((1, 3))) == pytest.approx(21)
    assert contrast_with_white(np.full((1, 3), 255.0)) == pytest.approx(1)
    # The lightest gray that white can be read on, as WebAIM's contrast checker has it.
    assert contrast_with_white(np.full((1, 3), 0x76)) == pytest.approx(4.54, abs=0.01)
    assert luminance(np.array([[255.0, 0, 0]]))[0] == pytest.approx(0.2126)


@given(st.integers(0, 10**6), st.floats(20, 200), st.floats(20, 100))
@example(3343, 100.0, 60.0)
@settings(max_examples=30)
def test_the_shade_is_enough_for_the_lightest_point_and_no_more(
    seed: int, width: float, height: float
) -> None:
    generator = np.random.default_rng(seed)
    high = int(generator.integers(1, 256))
    picture = generator.integers(0, high, (108, 192, 3), dtype=np.uint8)
    box = calmest(picture, width, height)
    part = picture[box.top : box.top + box.height, box.left : box.left + box.width].astype(
        np.float64
    )
    assert part.shape[:2] == (box.height, box.width)
    assert box.width >= min(width, 192) - 1
    dark = shade(picture, box)
    assert contrast_with_white(part * (1 - dark)) >= LEAST_CONTRAST - 1e-9
    if dark > 0.01:
        assert contrast_with_white(part * (1 - dark + 0.01)) < LEAST_CONTRAST


def test_the_name_stands_where_there_is_least_to_see() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (180, 320, 3)).astype(np.uint8)
    picture[100:, 200:] = 90
    assert calmest(picture, 100, 60) == Box(201, 110, 100, 60)
    assert calmest(np.zeros((180, 320, 3), np.uint8), 100, 60) == Box(19, 110, 100, 60)
