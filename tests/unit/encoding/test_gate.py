"""The gates let good renditions through and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.gate import (
    MARK_VMAF,
    Scores,
    broken_shots,
    by_shot,
    crushed_shots,
    joined,
    mark_refusal,
    meets_prediction,
    quick_gate,
)

STARTS = [0, 40, 100]
FRAMES = list(range(0, 150, 5))


def scores_with(levels: dict[int, float]) -> Scores:
    """A score for every fifth frame: that of its shot."""
    return Scores(
        FRAMES, [next(levels[start] for start in STARTS[::-1] if start <= f) for f in FRAMES]
    )


PROBES = [scores_with({0: 92, 40: 85, 100: 90}), scores_with({0: 80, 40: 66, 100: 75})]


def test_swapped_shots_are_broken() -> None:
    swapped = scores_with({0: 91, 40: 12, 100: 15})
    assert broken_shots(swapped, PROBES, STARTS) == [40, 100]


def test_a_rung_that_is_as_poor_as_the_worst_probe_is_whole() -> None:
    assert broken_shots(PROBES[1], PROBES, STARTS) == []
    assert broken_shots(scores_with({0: 70, 40: 56, 100: 65}), PROBES, STARTS) == []


def test_one_broken_shot_is_found_although_the_mean_is_good() -> None:
    one = scores_with({0: 95, 40: 95, 100: 30})
    assert one.mean > 70
    assert broken_shots(one, PROBES, STARTS) == [100]


def test_a_shot_that_no_probe_saw_is_held_to_the_worst_that_one_saw() -> None:
    seen = [Scores([0, 5, 40, 45], [92, 92, 66, 66])]
    assert broken_shots(scores_with({0: 92, 40: 66, 100: 55}), seen, STARTS) == []
    assert broken_shots(scores_with({0: 92, 40: 66, 100: 50}), seen, STARTS) == [100]


def test_a_shot_that_was_given_few_bits_is_not_broken() -> None:
    seen = [scores_with({0: 92, 40: 70, 100: 88})]
    poor = scores_with({0: 90, 40: 55, 100: 86})
    assert broken_shots(poor, seen, STARTS) == [40]
    assert broken_shots(poor, seen, STARTS, [90.0, 56.0, 86.0]) == []
    assert broken_shots(poor, seen, STARTS, [90.0, 90.0, None]) == [40]
    assert broken_shots(poor, seen, STARTS, [90.0, 68.0, 86.0]) == [40]


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3))
def test_no_encode_is_broken_against_itself(levels: list[float]) -> None:
    scores = scores_with(dict(zip(STARTS, levels, strict=True)))
    assert broken_shots(scores, [scores], STARTS) == []


@pytest.mark.parametrize(
    ("measured", "meets"), [(90.0, True), (90.9, True), (89.1, True), (91.1, False), (88.9, False)]
)
def test_a_rung_meets_its_prediction_within_one(measured: float, meets: bool) -> None:
    assert meets_prediction(90.0, Scores([0, 5], [measured - 5, measured + 5])) is meets


@pytest.mark.parametrize(("top", "gate"), [(True, 80.0), (False, 50.0)])
def test_a_quick_rung_has_a_gate_of_its_own(top: bool, gate: float) -> None:
    assert quick_gate(Scores([0], [gate]), top=top)
    assert not quick_gate(Scores([0], [gate - 0.1]), top=top)


def test_the_fifth_percentile_is_what_the_worst_moments_show() -> None:
    scores = Scores(list(range(100)), [float(n) for n in range(100, 0, -1)])
    assert scores.p5 == 5.0
    assert Scores([0], [42.0]).p5 == 42.0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.data())
def test_parts_join_to_the_whole_in_any_order(vmaf: list[float], data: st.DataObject) -> None:
    frames = list(range(len(vmaf)))
    at = data.draw(st.integers(0, len(vmaf)))
    parts = [Scores(frames[at:], vmaf[at:]), Scores(frames[:at], vmaf[:at])]
    whole = joined(parts)
    assert whole == Scores(frames, vmaf)
    assert whole.p5 in vmaf
    assert min(vmaf) - 1e-9 <= whole.mean <= max(vmaf) + 1e-9


def test_a_shot_without_a_sampled_frame_has_no_score() -> None:
    assert by_shot(Scores([0, 5, 100], [90, 80, 70]), STARTS) == {0: 85, 100: 70}


def test_a_shot_whose_codes_are_far_off_is_found_where_a_probe_saw_it() -> None:
    starts, frames = [0, 10, 20], [0, 5, 10, 15, 20, 25]
    vmaf = [90.0] * 6
    probe = Scores(frames[:4], vmaf[:4], psnr=[40.0, 40.0, 30.0, 30.0])
    made = Scores(frames, vmaf, psnr=[35.0, 35.0, 23.0, 23.0, 9.0, 9.0])
    assert crushed_shots(made, [probe], starts) == [10]
    assert crushed_shots(made, [], starts) == []
    assert crushed_shots(Scores(frames, vmaf), [probe], starts) == []


def test_a_mark_may_cost_as_much_as_is_just_noticed_and_no_shot() -> None:
    plain = scores_with({0: 90, 40: 85, 100: 95})
    dearer = scores_with({0: 90 - MARK_VMAF - 1, 40: 84 - MARK_VMAF, 100: 94 - MARK_VMAF})
    lost = scores_with({0: 90, 40: 85, 100: 80})
    assert mark_refusal(plain, plain, STARTS) == ""
    assert mark_refusal(plain, scores_with({0: 87, 40: 82, 100: 92}), STARTS) == ""
    assert "the mark costs it 7.0 VMAF, which is more than 6" in mark_refusal(plain, dearer, STARTS)
    assert "begins with frame 100" in mark_refusal(plain, lost, STARTS)
