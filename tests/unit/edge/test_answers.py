"""How an appliance answered in the last minute."""

from cuemark.contracts.telemetry import Line
from cuemark.edge import lines
from cuemark.edge.answers import WINDOW_S, Answers
from cuemark.kit.clock import ManualClock


def answered(clock: ManualClock, *statuses: int, ago_s: float = 0.0) -> list[Line]:
    at_s = clock.now().timestamp() - ago_s
    return [lines.line_of(lines.Logged(at_s=at_s, status=status)) for status in statuses]


def test_what_no_viewer_got_media_by_has_failed_but_not_what_they_asked_wrongly() -> None:
    clock = ManualClock()
    answers = Answers(clock)
    answers.count(answered(clock, 200, 206, 206, 304, 404, 416, 499))
    assert answers.last_minute() == (7, 0)
    answers.count(answered(clock, 403, 500, 502, 503))
    assert answers.last_minute() == (11, 4)


def test_only_the_last_minute_counts() -> None:
    clock = ManualClock()
    answers = Answers(clock)
    for _ in range(3):
        answers.count(answered(clock, 200, 500))
        clock.advance(WINDOW_S / 2)
    assert answers.last_minute() == (4, 2)
    clock.advance(WINDOW_S)
    assert answers.last_minute() == (0, 0)


def test_what_another_process_answered_before_is_not_its_own() -> None:
    clock = ManualClock()
    answers = Answers(clock)
    answers.count(answered(clock, 500, 500, ago_s=3))
    assert answers.last_minute() == (0, 0)
