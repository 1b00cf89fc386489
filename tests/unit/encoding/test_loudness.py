"""What loudnorm prints is read, and silence is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.loudness import (
    Loudness,
    NotMeasured,
    first_pass,
    parse,
    second_pass,
)

PRINTED = """Stream mapping:
  Stream #0:1 -> #0:0 (aac {low} -> pcm)
[Parsed_loudnorm_1 @ 0x55]
{
	"input_i" : "-27.61",
	"input_tp" : "-4.47",
	"input_lra" : "18.06",
	"input_thresh" : "-39.20",
	"output_i" : "-22.99",
	"normalization_type" : "dynamic",
	"target_offset" : "0.58"
}
"""


def test_the_measurement_is_the_last_object_that_was_printed() -> None:
    assert parse(PRINTED) == Loudness(-27.61, -4.47, 18.06, -39.20, 0.58)


@pytest.mark.parametrize(
    "printed",
    ["", "no object", "} {", "{}", '{"input_i": "-27"}', PRINTED.replace("-27.61", "loud"), "{nan"],
)
def test_what_is_no_measurement_is_said_to_be_none(printed: str) -> None:
    with pytest.raises(NotMeasured, match="loudnorm printed"):
        parse(printed)


@given(st.text())
def test_any_text_is_read_or_refused(printed: str) -> None:
    with pytest.raises(NotMeasured):
        parse(printed)


def test_both_passes_have_the_target_of_r128() -> None:
    assert first_pass() == "loudnorm=I=-23.0:TP=-1.0:LRA=20.0:print_format=json"
    chain = second_pass(parse(PRINTED))
    assert chain.startswith("loudnorm=I=-23.0:TP=-1.0:LRA=20.0:measured_I=-27.61:measured_TP=-4.47")
    assert chain.endswith(":linear=true")


@pytest.mark.parametrize("printed", ["-inf", "-70.0", "inf", "nan"])
def test_silence_is_left_as_it_is(printed: str) -> None:
    assert second_pass(parse(PRINTED.replace("-27.61", printed))) == "anull"
