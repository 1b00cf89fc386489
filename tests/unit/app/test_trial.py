"""Whether a release that was put in the place of another one may stay."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from cuemark.app.keeper.trial import CONTACT_S, LOST_S, STEADY_S, TRIAL_S, UP_S, Trial

Look = tuple[float, bool, bool]


def judged(looks: Sequence[Look]) -> tuple[float, str]:
    """When and how a trial that is looked at so ends; looks are pauses, serves, heard."""
    now_s, trial = 100.0, Trial.begun(100.0)
    for pause_s, serves, heard in looks:
        now_s += pause_s
        trial = trial.seen(now_s, serves=serves, heard=heard)
        if fault := trial.fault(now_s):
            return now_s - 100, fault
        if trial.over(now_s):
            return now_s - 100, ""
    return now_s - 100, "going on"


def test_what_serves_and_reaches_control_stays() -> None:
    assert judged([(1, False, False)] * 5 + [(1, True, True)] * 2000) == (TRIAL_S + 1, "")


def test_what_never_serves_goes_after_a_minute() -> None:
    ended_s, fault = judged([(1, False, False)] * 2000)
    assert (ended_s, fault) == (UP_S + 1, "it did not serve within 60 s")


def test_what_serves_for_moments_only_goes_too() -> None:
    looks = [(STEADY_S - 1, True, True), (1, False, True)] * 100
    assert judged(looks)[1] == "it did not serve within 60 s"


def test_what_falls_silent_goes_after_a_minute_and_a_moment_does_not_count() -> None:
    up = [(1.0, True, True)] * 10
    assert judged([*up, *[(1.0, False, True)] * 30, *up])[1] == "going on"
    assert judged([*up, *[(1.0, False, True)] * 90]) == (
        10 + LOST_S + 1,
        "it has not served for 60 s",
    )


def test_what_control_cannot_tell_to_go_back_goes_by_itself() -> None:
    ended_s, fault = judged([(1, True, False)] * 2000)
    assert (ended_s, "did not reach the control plane" in fault) == (CONTACT_S + 1, True)


@given(st.lists(st.tuples(st.floats(0.1, 30), st.booleans(), st.booleans()), max_size=300))
def test_a_trial_that_is_stood_was_steady_and_heard(looks: list[Look]) -> None:
    ended_s, fault = judged(looks)
    if not fault:
        assert ended_s > TRIAL_S
        assert any(heard for _, _, heard in looks)
        assert any(serves for _, serves, _ in looks)
