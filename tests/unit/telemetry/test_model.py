"""What batches of lines say, and batches that are none."""

import gzip
import itertools
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.telemetry import model
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.telemetry import (
    MOST_BATCH_BYTES,
    MOST_RAW_BYTES,
    Cmcd,
    Line,
    LinesInvalid,
    Outcome,
    TakeLines,
)
from cuemark.edge.lines import packed

NOW = datetime(2026, 1, 31, 20, 15, 30, tzinfo=UTC)
OLDEST = NOW - timedelta(days=30)
NOW_S = NOW.timestamp()


def line(**changes: object) -> Line:
    told = Line(at_s=NOW_S, sc_status=200, sc_bytes=10, cache_status="cuemark-a; hit")
    return msgspec.structs.replace(told, **changes)


def batch(body: bytes, count: int = 1) -> TakeLines:
    return TakeLines(
        appliance_id=ApplianceId("appliance-1"),
        epoch="0a",
        sequence=1,
        count=count,
        first_at_s=1.0,
        last_at_s=1.0,
        body=body,
    )


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (line(), "hit"),
        (line(sc_status=206), "hit"),
        (line(sc_status=304), "hit"),
        (line(sc_status=499), "hit"),
        (line(cache_status="cuemark-a; fwd=miss; stored", source="origin"), "content"),
        (line(cache_status="cuemark-a; fwd=miss; collapsed; detail=peer"), "content"),
        (line(cache_status="cuemark-a; detail=index"), "other"),
        (line(sc_status=204, cache_status=""), "other"),
        (line(sc_status=401, cache_status="", refused="token"), "refused"),
        (line(sc_status=404, cache_status=""), "refused"),
        (line(sc_status=503, cache_status="", trouble="away"), "error"),
        (line(asked_by="appliance-2"), "peer"),
        (line(sc_status=504, trouble="held-only", asked_by="appliance-2"), "peer"),
    ],
)
def test_each_line_has_one_outcome(told: Line, outcome: Outcome) -> None:
    assert model.outcome_of(told, led_past=False) == outcome
    expected = "health" if outcome == "hit" else outcome
    assert model.outcome_of(told, led_past=True) == expected


def test_lines_are_added_up_by_minute_version_and_outcome() -> None:
    lines = [
        line(cmcd=Cmcd(bl=100)),
        line(cmcd=Cmcd(bs=True), trace_id="led"),
        line(at_s=NOW_S - 60, waited_s=0.003, source="peer", sc_bytes=5),
        line(at_s=NOW_S - 60, waited_s=9.0, source="peer", version_id=VersionId("ver_a")),
        line(at_s=NOW_S - 60, waited_s=0.005, source="peer", sc_bytes=5),
    ]
    sums = model.added(lines, {"led"}, NOW, OLDEST)
    minute = int(NOW_S) // 60 * 60
    told = {
        (key.at_s - minute, key.version_id, key.outcome, key.source): (
            total.requests,
            total.sent_bytes,
            total.told,
            total.starved,
            {step: count for step, count in enumerate(total.waits) if count},
        )
        for key, total in sums.items()
    }
    assert told == {
        (0, "", "hit", ""): (1, 10, 1, 0, {}),
        (0, "", "health", ""): (1, 10, 1, 1, {}),
        (-60, "", "content", "peer"): (2, 10, 0, 0, {2: 2}),
        (-60, "ver_a", "content", "peer"): (1, 10, 0, 0, {12: 1}),
    }


@given(st.lists(st.floats(0, 1e10), max_size=50))
def test_whatever_their_clock_said_all_are_counted_within_what_is_kept(times: list[float]) -> None:
    sums = model.added([line(at_s=at_s) for at_s in times], (), NOW, OLDEST)
    assert sum(total.requests for total in sums.values()) == len(times)
    for key in sums:
        assert key.at_s % 60 == 0
        assert OLDEST.timestamp() - 60 < key.at_s <= NOW_S + model.AHEAD_S


@given(st.lists(st.floats(0, 4.9), min_size=1, max_size=100), st.floats(0.01, 1))
def test_a_quantile_is_no_less_than_the_true_one(waits_s: list[float], share: float) -> None:
    sums = model.added([line(waited_s=each) for each in waits_s], (), NOW, OLDEST)
    (total,) = sums.values()
    told = model.quantile_s(total.waits, share)
    at = next(n for n in itertools.count(1) if n >= share * len(waits_s) - 1e-9)
    true = sorted(waits_s)[at - 1]
    assert told is not None
    assert true <= told
    assert told <= next(bound for bound in model.WAIT_BOUNDS_S if bound >= true)


def test_of_no_waits_there_is_no_quantile_and_the_last_step_tells_where_it_begins() -> None:
    assert model.quantile_s([0] * 13, 0.5) is None
    assert model.quantile_s([0] * 12 + [1], 0.5) == 5.0


def test_a_batch_is_read_as_it_was_packed() -> None:
    lines = [line(path=f"v1/{n}.m4s", cmcd=Cmcd(br=n)) for n in range(100)]
    assert model.lines_of(batch(packed(lines), 100)) == lines


WRONG = {
    "no gzip": (b"plain", "no gzip"),
    "empty": (b"", "not one whole member"),
    "cut off": (packed([line()])[:-9], "not one whole member"),
    "changed": (packed([line()])[:-8] + b"\0" * 8, "no gzip"),
    "more behind it": (packed([line()]) * 2, "not one whole member"),
    "a bomb": (gzip.compress(b" " * (MOST_RAW_BYTES + 1)), "more than"),
    "too large": (b"x" * (MOST_BATCH_BYTES + 1), "at most"),
    "no JSON": (gzip.compress(b"{\n"), "is none"),
    "no line": (gzip.compress(b'{"at_s":1}\n'), "is none"),
    "another form": (gzip.compress(b'{"at_s":1,"sc_status":"200"}\n'), "is none"),
    "an endless name": (
        gzip.compress(b'{"at_s":1,"sc_status":200,"path":"' + b"x" * 300 + b'"}\n'),
        "is none",
    ),
    "less than nothing": (gzip.compress(b'{"at_s":1,"sc_status":200,"sc_bytes":-1}\n'), "is none"),
    "nested without end": (gzip.compress(b'{"x":' + b"[" * 100_000), "is none"),
    "no UTF-8": (gzip.compress(b'{"at_s":1,"sc_status":200,"path":"\xff"}\n'), "is none"),
    "more than it says": (packed([line(), line()]), "says 1"),
}


@pytest.mark.parametrize("name", list(WRONG))
def test_a_batch_that_is_none_is_refused_with_a_sentence(name: str) -> None:
    body, words = WRONG[name]
    with pytest.raises(LinesInvalid, match=words):
        model.lines_of(batch(body))


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_lines_or_refused(data: bytes) -> None:
    for body in (data, gzip.compress(data)):
        try:
            model.lines_of(batch(body))
        except LinesInvalid:
            continue


def test_an_epoch_of_another_form_is_refused() -> None:
    told = msgspec.structs.replace(batch(packed([line()])), epoch="../x")
    with pytest.raises(LinesInvalid, match="epoch"):
        model.lines_of(told)


def test_the_hour_of_a_batch_is_one_that_is_kept() -> None:
    hour = NOW.replace(minute=0, second=0)
    assert model.hour_of(NOW_S, NOW, OLDEST) == hour
    assert model.hour_of(NOW_S + 1e9, NOW, OLDEST) == hour
    assert model.hour_of(0.0, NOW, OLDEST) == OLDEST.replace(minute=0, second=0)
