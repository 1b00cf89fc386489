"""What a line carries, in all forms of its profile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.player.line import Line, LineInvalid, parse
from cuemark.player.profile import LineProfile


def test_a_profile_of_steps_carries_what_its_steps_carry() -> None:
    line = parse("8000,600@5s,8000@15s")
    assert [line.kbps(at_s) for at_s in (0, 4.9, 5, 14.9, 15, 900)] == [
        *(8000, 8000),
        *(600, 600),
        *(8000, 8000),
    ]
    assert line.carried_at_s(0, 1_000_000) == pytest.approx(1)
    assert line.carried_at_s(4, 1_000_000 + 75_000) == pytest.approx(6)


def test_a_line_may_rest_and_go_on() -> None:
    assert parse("80,0@1s,80@3s").carried_at_s(0, 20_000) == pytest.approx(4)


@pytest.mark.parametrize(
    "trace",
    [
        '[{"duration_ms": 1000, "bandwidth_kbps": 80, "latency_ms": 20},'
        ' {"duration_ms": 1000, "bandwidth_kbps": 0}]',
        "0.0 0.08\n1.0\t0\n2.0 9",
    ],
)
def test_a_trace_begins_again_when_it_is_over(trace: str) -> None:
    line = parse(trace)
    assert line.carried_at_s(0, 10_000) == pytest.approx(1)
    assert line.carried_at_s(0, 20_000) == pytest.approx(3)
    assert line.carried_at_s(0, 30_000) == pytest.approx(5)
    assert line.carried_at_s(0.5, 30_000) == pytest.approx(6.5)


@pytest.mark.parametrize("lasts_ms", [1e-9, 1e-3, 1.0])
def test_a_trace_of_moments_is_as_fast_to_reckon_as_any(lasts_ms: float) -> None:
    line = parse(
        f'[{{"duration_ms": {lasts_ms}, "bandwidth_kbps": 80}},'
        f' {{"duration_ms": {lasts_ms}, "bandwidth_kbps": 0}}]'
    )
    assert line.carried_at_s(0, 10**6) == pytest.approx(200, rel=1e-4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no step"),
        ("fast", "write kbit/s"),
        ("600@5s", "begins with a rate"),
        ("600,700@5s,800@4s", "must ascend"),
        ("600,0@5s", "never delivers"),
        ("-600", "no step"),
        ("[]", "periods that last"),
        ('[{"duration_ms": 0, "bandwidth_kbps": 1}]', "periods that last"),
        ('[{"duration_ms": 1}]', "Sabre"),
        ("0.0 x", "Mbit/s"),
        ('[{"x": ' + "[" * 5000, "Sabre"),
        ("[\udcff]", "Sabre"),
        ('[{"duration_ms": 1000, "bandwidth_kbps": 1e-9}]', "never delivers"),
    ],
)
def test_what_is_no_profile_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(LineInvalid, match=says) as refused:
        parse(text)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=60))
def test_hostile_text_is_a_line_or_a_sentence(text: str) -> None:
    try:
        line = parse(text)
    except LineInvalid:
        return
    assert line.carried_at_s(0, 1) > 0


rates = st.lists(st.floats(1, 10_000), min_size=1, max_size=8)


@given(rates, st.floats(0, 50), st.integers(1, 10**6), st.integers(1, 10**6), st.booleans())
def test_two_pieces_take_as_long_as_both_at_once(
    kbps: list[float], begun_s: float, one: int, other: int, looped: bool
) -> None:
    line = Line([float(n) for n in range(len(kbps))], kbps, float(len(kbps)) if looped else None)
    after_one_s = line.carried_at_s(begun_s, one)
    assert after_one_s > begun_s
    both_s = line.carried_at_s(begun_s, one + other)
    assert line.carried_at_s(after_one_s, other) == pytest.approx(both_s, rel=1e-6)


def test_a_profile_may_be_longer_than_the_name_of_a_file() -> None:
    text = ",".join(["600", *(f"{600 + n}@{n}s" for n in range(1, 1000))])
    assert LineProfile().convert(text, None, None).kbps(999.5) == 1599
