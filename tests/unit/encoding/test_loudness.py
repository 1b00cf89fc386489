"""What ebur128 prints is read; a sound is moved by one gain, and silence is left alone."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model import loudness
from cuemark.contexts.encoding.model.loudness import Loudness, NotMeasured, normalizing, parse

PRINTED = """Stream mapping:
  Stream #0:1 -> #0:0 (aac {low} -> pcm)
[Parsed_ebur128_0 @ 0x55] Summary:

  Integrated loudness:
    I:         -27.6 LUFS
    Threshold: -38.2 LUFS

  Loudness range:
    LRA:        18.1 LU

  True peak:
    Peak:       -4.5 dBFS
"""
CEILING_DBTP = loudness.TRUE_PEAK_DBTP - loudness.HEADROOM_DB

some_loudness = st.builds(
    Loudness,
    lufs=st.floats(-75, 0),
    peak_dbtp=st.floats(-60, 6),
)


def test_the_measurement_is_the_last_summary_that_was_printed() -> None:
    assert parse(PRINTED) == Loudness(lufs=-27.6, peak_dbtp=-4.5)
    assert parse(PRINTED + PRINTED.replace("27.6", "20")) == Loudness(lufs=-20, peak_dbtp=-4.5)


@pytest.mark.parametrize(
    "printed", ["", "Summary:", PRINTED.replace("-27.6", "loud"), PRINTED.replace("-4.5", "1.2.3")]
)
def test_what_is_no_measurement_is_said_to_be_none(printed: str) -> None:
    with pytest.raises(NotMeasured, match="ebur128 printed"):
        parse(printed)


@given(st.text())
def test_any_text_is_read_or_refused(printed: str) -> None:
    with pytest.raises(NotMeasured):
        parse(printed)


@given(some_loudness)
def test_a_sound_comes_to_its_target_unless_too_much_of_its_peaks_would_go(
    measured: Loudness,
) -> None:
    gain = loudness.gain_db(measured, CEILING_DBTP)
    if measured.is_silent:
        assert gain == 0
        return
    over = measured.peak_dbtp + gain - CEILING_DBTP
    assert over <= loudness.MOST_HELD_DB + 1e-9
    assert gain <= loudness.MOST_GAIN_DB
    at_target = measured.lufs + gain == pytest.approx(loudness.TARGET_LUFS)
    assert (
        at_target or over == pytest.approx(loudness.MOST_HELD_DB) or gain == loudness.MOST_GAIN_DB
    )


@given(some_loudness)
def test_peaks_are_held_exactly_where_the_gain_would_take_them_over_the_ceiling(
    measured: Loudness,
) -> None:
    over = measured.peak_dbtp + loudness.gain_db(measured, CEILING_DBTP) > CEILING_DBTP
    assert ("alimiter" in normalizing(measured)) == (over and not measured.is_silent)


def test_one_gain_is_for_all_channels() -> None:
    assert normalizing(parse(PRINTED)) == (
        "volume=4.60dB,aresample=192000,"
        "alimiter=limit=0.794328:attack=5:release=50:level=0:latency=1,aresample=48000"
    )
    assert normalizing(Loudness(lufs=-27.6, peak_dbtp=-9)) == "volume=4.60dB"


@pytest.mark.parametrize("lufs", ["-inf", "-70.0", "nan"])
def test_silence_is_left_as_it_is(lufs: str) -> None:
    assert normalizing(parse(PRINTED.replace("-27.6", lufs))) == "anull"
    silent = parse(PRINTED.replace("-4.5", "-inf"))
    assert silent.is_silent
    assert msgspec.json.decode(msgspec.json.encode(silent), type=Loudness) == silent
