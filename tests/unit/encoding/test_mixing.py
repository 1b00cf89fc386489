"""A downmix keeps the center, its sides and its power, whatever layout it is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.mixing import (
    HALF_POWER,
    LAYOUTS,
    gains,
    is_surround,
    layout_of,
    mixing,
)

layouts = st.sampled_from(sorted(LAYOUTS))


def mirror(name: str) -> str:
    """The channel on the other side: FL and FR, TFL and TFR; the middle ones are their own."""
    pairs = {"FLC": "FRC", "FRC": "FLC"}
    if name in pairs:
        return pairs[name]
    if name.startswith("LFE") or name[-1] not in "LR":
        return name
    return name[:-1] + ("R" if name[-1] == "L" else "L")


@given(layouts, st.sampled_from(["stereo", "5.1"]))
def test_left_and_right_get_the_same_of_their_sides(layout: str, mix: str) -> None:
    found = gains(layout, "5.1" if mix == "5.1" else "stereo")
    for target, parts in found.items():
        other = found[mirror(target)]
        assert {mirror(name): gain for name, gain in parts.items()} == other


@given(layouts)
def test_the_center_is_in_both_sides_of_the_downmix_and_the_lfe_in_none(layout: str) -> None:
    found = gains(layout, "stereo")
    heard = {name for parts in found.values() for name in parts}
    assert heard == {name for name in LAYOUTS[layout] if not name.startswith("LFE")}
    if "FC" in LAYOUTS[layout]:
        assert found["FL"]["FC"] == found["FR"]["FC"] == HALF_POWER


@given(layouts.filter(is_surround))
def test_no_channel_of_a_surround_master_is_lost_or_made_louder(layout: str) -> None:
    found = gains(layout, "5.1")
    for name in LAYOUTS[layout]:
        power = sum(parts.get(name, 0.0) ** 2 for parts in found.values())
        assert power == pytest.approx(1, abs=0.51)
        assert power <= 1.0001


def test_the_downmix_of_surround_is_that_of_bs_775() -> None:
    assert mixing("5.1(side)", "stereo") == (
        "pan=stereo|FL=1.0000*FL+0.7071*FC+0.7071*SL|FR=1.0000*FR+0.7071*FC+0.7071*SR"
    )
    assert mixing("stereo", "stereo") == "pan=stereo|FL=1.0000*FL|FR=1.0000*FR"
    assert mixing("5.0", "5.1").split("|")[4] == "LFE=0*FL"


def test_only_what_has_a_center_and_both_sides_is_surround() -> None:
    no = {"mono", "stereo", "quad", "2.1", "3.1", "4.0", "4.1", "6.0(front)", "cube", "3.1.2"}
    assert not any(map(is_surround, no))
    assert all(map(is_surround, ["5.0", "5.1", "5.1(side)", "6.1", "7.1", "7.1(wide)", "7.1.4"]))


@pytest.mark.parametrize(
    ("named", "channels", "layout"),
    [
        ("5.1(side)", 6, "5.1(side)"),
        ("", 6, "5.1"),
        ("unknown", 1, "mono"),
        ("8 channels", 8, "7.1"),
        ("unknown", 9, ""),
        ("ambisonic 1", 4, ""),
        ("22.2", 24, ""),
        ("stereo", 6, ""),
        ("; rm", 2, ""),
    ],
)
def test_a_layout_is_what_the_file_says_else_the_usual_one(
    named: str, channels: int, layout: str
) -> None:
    assert layout_of(named, channels) == layout
