"""One trace id through every process."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.tracing import current_trace_id, trace, trace_id_of, traceparent

ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_trace_in_hand_goes_out_with_each_request() -> None:
    with trace(ID):
        first, second = traceparent(), traceparent()
    assert trace_id_of(first) == trace_id_of(second) == ID
    assert first != second


def test_outside_of_a_trace_a_request_begins_one() -> None:
    assert current_trace_id() == ""
    assert trace_id_of(traceparent()) is not None


def test_without_an_id_a_trace_is_fresh_and_ends_with_its_block() -> None:
    with trace() as outer:
        with trace() as inner:
            assert current_trace_id() == inner != outer
        assert current_trace_id() == outer
    assert current_trace_id() == ""


async def test_tasks_do_not_mix_their_traces() -> None:
    async def work() -> bool:
        with trace() as mine:
            await asyncio.sleep(0.001)
            return current_trace_id() == mine

    assert all(await asyncio.gather(*(work() for _ in range(20))))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        ID,
        f"00-{ID}-00f067aa0ba902b7",
        f"01-{ID}-00f067aa0ba902b7-01",
        f"00-{ID.upper()}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{ID}-00f067aa0ba902b7-01\nx",
    ],
)
def test_a_header_of_another_form_is_no_trace(header: str | None) -> None:
    assert trace_id_of(header) is None


@given(st.text(max_size=80))
def test_what_comes_from_outside_is_taken_whole_or_not_at_all(header: str) -> None:
    found = trace_id_of(header)
    assert found is None or (len(found) == 32 and set(found) <= set("0123456789abcdef"))
