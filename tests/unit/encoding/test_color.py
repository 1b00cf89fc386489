"""What a film's tags say of its colors, and how light comes into standard range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.color import (
    PLAIN,
    Color,
    Light,
    Look,
    bit_depth_of,
    color_of,
    with_light,
)
from cuemark.contexts.encoding.model.tone_mapping import (
    POINTS,
    compressed,
    cube,
    light_of_hlg,
    light_of_pq,
    pq_of,
    standard_of,
)
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import Codec, DynamicRange

DISPLAY = (
    "side data - Mastering display metadata: has_primaries:1 has_luminance:1 r(0.6800,0.3200) "
    "g(0.2650,0.6900) b(0.1500 0.0600) wp(0.3127, 0.3290) min_luminance={least}, "
    "max_luminance={most}\n"
)
_HIGH: list[DynamicRange] = ["pq", "hlg"]
LIGHT = "side data - Content light level metadata: MaxCLL={}, MaxFALL={}\n"


def tagged(**tags: str) -> Color:
    stated = {
        "pixel_format": "yuv420p10le",
        "transfer": "smpte2084",
        "primaries": "bt2020",
        "matrix": "bt2020nc",
        "range_": "tv",
    }
    stated |= tags
    return color_of(
        pixel_format=stated["pixel_format"],
        transfer=stated["transfer"],
        primaries=stated["primaries"],
        matrix=stated["matrix"],
        range_=stated["range_"],
    )[0]


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("yuv420p", 8),
        ("nv12", 8),
        ("yuv420p10le", 10),
        ("p010le", 10),
        ("p210le", 10),
        ("yuv444p12be", 12),
        ("gbrp16le", 16),
        ("rgb48le", 16),
        ("x2rgb10le", 10),
        ("gbrpf32le", 16),
        ("gray10le", 10),
        ("", 8),
    ],
)
def test_a_pixel_format_tells_its_depth(name: str, bits: int) -> None:
    assert bit_depth_of(name) == bits


@given(st.text(max_size=20))
def test_any_name_of_a_format_has_some_depth(name: str) -> None:
    assert 1 <= bit_depth_of(name) <= 16


def test_p3_is_read_with_the_matrix_that_is_usual_for_it() -> None:
    found = tagged(primaries="smpte432", matrix="bt709")
    assert (found.primaries, found.matrix) == ("smpte432", "bt709")
    with pytest.raises(MasterRejected):
        tagged(primaries="bt2020", matrix="bt709")


def test_rgb_has_full_range_unless_it_says_otherwise() -> None:
    assert tagged(matrix="gbr", range_="unknown").full_range
    assert not tagged(matrix="gbr", range_="tv").full_range
    assert not tagged(range_="unknown").full_range


@pytest.mark.parametrize("least", [0.0, 0.0001])
def test_the_peak_is_the_light_that_was_measured_else_the_displays(least: float) -> None:
    told = DISPLAY.format(least=least, most=4000.0)
    color, notes = with_light(tagged(), told)
    assert (color.peak_cd_m2, notes) == (4000, [])
    color, notes = with_light(tagged(), told + LIGHT.format(1800, 90))
    assert (color.peak_cd_m2, color.light, notes) == (1800, Light(1800, 90), [])
    color, notes = with_light(tagged(), told + LIGHT.format(0, 0))
    assert (color.peak_cd_m2, color.light, notes) == (4000, None, [])
    assert with_light(tagged(), "")[0].peak_cd_m2 == 1000


@pytest.mark.parametrize(
    "told",
    [
        LIGHT.format(100, 400),
        LIGHT.format(70_000, 400),
        DISPLAY.format(least=5.0, most=1.0),
        DISPLAY.format(least=0.005, most=1000.0).replace("0.6800", "0.0000"),
    ],
)
def test_light_that_cannot_be_is_left_out_with_a_note(told: str) -> None:
    color, notes = with_light(tagged(), told)
    assert (color.mastering, color.light, len(notes)) == (None, None, 1)


@given(st.text(max_size=200))
def test_anything_that_is_told_gives_some_light(told: str) -> None:
    color, _ = with_light(tagged(), told)
    assert 100 < color.peak_cd_m2 <= 10_000


def test_the_boxes_of_light_are_as_iso_has_them() -> None:
    told = DISPLAY.format(least=0.005, most=1000.0) + LIGHT.format(980, 180)
    mastering, light = with_light(tagged(), told)[0].boxes()
    assert mastering.hex(" ", 4) == "33c286c4 1d4c0bb8 84d03e80 3d134042 00989680 00000032"
    assert light.hex() == "03d400b4"
    assert with_light(tagged(transfer="arib-std-b67"), told)[0].boxes() == (b"", b"")


def test_each_family_makes_what_its_devices_show() -> None:
    pq, standard = tagged(), Look(tone_mapping="bt2390 1000")
    assert FAMILIES["h264"].looks(pq) == [standard]
    others: list[Codec] = ["hevc", "av1"]
    for codec in others:
        assert FAMILIES[codec].looks(pq) == [standard, Look(dynamic_range="pq", bit_depth=10)]
        assert FAMILIES[codec].looks(Color(bit_depth=12)) == [Look(bit_depth=10)]
        assert FAMILIES[codec].looks(tagged(pixel_format="yuv420p")) == [standard]
        assert FAMILIES[codec].looks(Color()) == [PLAIN]
    assert FAMILIES["h264"].looks(Color(bit_depth=10)) == [PLAIN]


@pytest.mark.parametrize(
    ("code", "cd_m2"), [(0.0, 0.0), (0.508078, 100.0), (0.580689, 203.0), (0.751827, 1000.0)]
)
def test_pq_is_st_2084s(code: float, cd_m2: float) -> None:
    """Codes of ITU-R BT.2408-7 table 1."""
    assert light_of_pq(np.array(code)) == pytest.approx(cd_m2, rel=1e-3, abs=1e-6)
    assert pq_of(np.array(cd_m2)) == pytest.approx(code, abs=1e-5)


def test_hlgs_reference_white_is_203_cd_m2() -> None:
    """ITU-R BT.2408-7 table 1: a signal of 75 %."""
    assert light_of_hlg(np.full(3, 0.75), 1000) == pytest.approx([203] * 3, rel=0.01)
    assert light_of_hlg(np.ones(3), 1000) == pytest.approx([1000] * 3, rel=1e-3)


@given(st.floats(200, 10_000), st.lists(st.floats(0, 10_000), min_size=2, max_size=9))
def test_more_light_is_never_shown_darker_and_dark_parts_stay(
    peak_cd_m2: float, light: list[float]
) -> None:
    ordered = np.array(sorted(light))
    found = compressed(ordered, peak_cd_m2)
    assert np.all(np.diff(found) >= -1e-6)
    assert np.all(found <= 100.01)
    dark = np.array([0.01, 0.1, 1.0, 4.0])
    assert compressed(dark, peak_cd_m2) == pytest.approx(dark, rel=1e-3)


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.sampled_from(_HIGH),
    st.floats(200, 10_000),
)
def test_every_color_is_one_that_bt_709_has(
    codes: list[float], dynamic_range: DynamicRange, peak_cd_m2: float
) -> None:
    found = standard_of(np.array(codes), dynamic_range, peak_cd_m2)
    assert np.all((found >= 0) & (found <= 1))


def test_gray_stays_gray_and_white_is_bright() -> None:
    gray = standard_of(np.full(3, 0.4), "pq", 1000)
    assert gray == pytest.approx([gray[0]] * 3, abs=2e-3)
    white = standard_of(pq_of(np.full(3, 203.0)), "pq", 1000)
    assert 0.9 < white[0] < 1


@pytest.mark.parametrize("which", ["pq", "hlg"])
def test_the_table_is_within_a_level_of_the_functions(which: DynamicRange) -> None:
    rows = [line.split() for line in cube(which, 1000).splitlines()[1:]]
    table = np.array(rows, dtype=float).reshape(POINTS, POINTS, POINTS, 3)
    steps = np.arange(POINTS)
    grays = table[steps, steps, steps, 0]
    codes = np.linspace(0, 1, 2001)
    exact = standard_of(np.repeat(codes[:, np.newaxis], 3, 1), which, 1000)[:, 0]
    assert np.abs(np.interp(codes, steps / (POINTS - 1), grays) - exact).max() * 219 < 1
    red = standard_of(np.array([1.0, 0.0, 0.0]), which, 1000)
    assert table[0, 0, POINTS - 1] == pytest.approx(red, abs=1e-5)
