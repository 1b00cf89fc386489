"""The chain of the log of acts against whoever can write to its table but lacks the key."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cuemark.contexts.identity.model.chain import BEGINNING, Checker, Fault, Head, digest_of, sealed
from cuemark.contracts.identity.staff import Act
from cuemark.contracts.ids import StaffId

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
START = datetime(2030, 1, 1, tzinfo=UTC)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
drawn = st.builds(
    Act,
    number=st.just(0),
    at=st.integers(0, 10**6).map(lambda seconds: START + timedelta(seconds=seconds)),
    staff_id=words.map(StaffId),
    who=words,
    role=words,
    action=words,
    subject=words,
    result=st.sampled_from(["begun", "done", "failed", "refused"]),
    of=st.integers(0, 99),
    status=st.integers(0, 599),
    client_address=words,
    trace_id=words,
    digest=st.just(""),
)


ACT = Act(
    number=0,
    at=START,
    staff_id=StaffId("stf_1"),
    who="eve@films.example",
    role="support",
    action="plays.stop",
    subject="plays/play_1",
    result="begun",
    of=0,
    status=0,
    client_address="192.0.2.7",
    trace_id="ab" * 16,
    digest="",
)


def chained(acts: list[Act], key: bytes = KEY) -> tuple[list[Act], Head]:
    """The log as it is written, and its head."""
    written, digest = [], BEGINNING
    for number, act in enumerate(acts, start=1):
        numbered = msgspec.structs.replace(act, number=number)
        digest = digest_of(key, digest, numbered)
        written.append(msgspec.structs.replace(numbered, digest=digest.hex()))
    return written, sealed(key, len(written), digest)


def fault_of(acts: list[Act], head: Head | None, key: bytes = KEY) -> Fault | None:
    checker = Checker(key)
    checker.take(acts)
    checker.finish(head)
    return checker.fault


logs = st.lists(drawn, min_size=1, max_size=8).map(chained)


@given(logs, st.integers(1, 8))
def test_what_nobody_touched_is_whole_however_it_is_read(
    log: tuple[list[Act], Head], at_once: int
) -> None:
    acts, head = log
    checker = Checker(KEY)
    for first in range(0, len(acts), at_once):
        checker.take(acts[first : first + at_once])
    checker.finish(head)
    assert checker.fault is None
    assert (checker.read, checker.head) == (head.number, head.digest)


@given(logs, st.data())
def test_an_entry_that_was_changed_in_anything_is_found(
    log: tuple[list[Act], Head], data: st.DataObject
) -> None:
    acts, head = log
    place = data.draw(st.integers(0, len(acts) - 1))
    name = data.draw(st.sampled_from(Act.__struct_fields__))
    other = getattr(data.draw(drawn), name) if name != "digest" else "0" * 64
    if name == "number":
        other = acts[place].number + data.draw(st.integers(-3, 3))
    assume(other != getattr(acts[place], name))
    acts[place] = msgspec.structs.replace(acts[place], **{name: other})
    fault = fault_of(acts, head)
    assert fault is not None
    assert fault.number == place + 1


@given(logs, st.data())
def test_an_entry_that_was_taken_out_is_found_even_where_the_others_close_up(
    log: tuple[list[Act], Head], data: st.DataObject
) -> None:
    acts, head = log
    place = data.draw(st.integers(0, len(acts) - 1))
    left = acts[:place] + acts[place + 1 :]
    closed = [
        msgspec.structs.replace(act, number=number) for number, act in enumerate(left, start=1)
    ]
    for forged in (left, closed):
        fault = fault_of(forged, head)
        assert fault is not None
        assert fault.number == place + 1


@given(logs, st.data())
def test_entries_that_changed_places_are_found(
    log: tuple[list[Act], Head], data: st.DataObject
) -> None:
    acts, head = log
    assume(len(acts) > 1)
    one, two = sorted(
        data.draw(st.lists(st.integers(0, len(acts) - 1), min_size=2, max_size=2, unique=True))
    )
    swapped = acts.copy()
    swapped[one], swapped[two] = (
        msgspec.structs.replace(acts[two], number=one + 1),
        msgspec.structs.replace(acts[one], number=two + 1),
    )
    fault = fault_of(swapped, head)
    assert fault is not None
    assert fault.number == one + 1


@given(logs, drawn, st.data())
def test_an_entry_that_was_put_in_is_found(
    log: tuple[list[Act], Head], act: Act, data: st.DataObject
) -> None:
    acts, head = log
    place = data.draw(st.integers(0, len(acts)))
    digest = data.draw(st.sampled_from([each.digest for each in acts] + ["0" * 64]))
    forged = msgspec.structs.replace(act, number=place + 1, digest=digest)
    rest = [msgspec.structs.replace(each, number=each.number + 1) for each in acts[place:]]
    doubled = forged in acts
    fault = fault_of([*acts[:place], forged, *rest], head)
    assert fault is not None
    assert fault.number == (place + 2 if doubled else place + 1)


@given(logs, st.data())
def test_a_log_that_was_cut_off_is_found_by_its_head(
    log: tuple[list[Act], Head], data: st.DataObject
) -> None:
    acts, head = log
    kept = data.draw(st.integers(0, len(acts) - 1))
    assert fault_of(acts[:kept], head) == Fault(kept + 1, "The log was cut off before this entry.")
    assert fault_of(acts[:kept], None) == Fault(1, "The head of the log is missing.")


@given(logs, st.data())
def test_no_head_can_be_made_up_for_a_log_that_was_cut_off(
    log: tuple[list[Act], Head], data: st.DataObject
) -> None:
    acts, head = log
    kept = data.draw(st.integers(0, len(acts) - 1))
    digest = bytes.fromhex(acts[kept - 1].digest) if kept else BEGINNING
    for seal in (head.seal, bytes(32), sealed(OTHER_KEY, kept, digest).seal):
        fault = fault_of(acts[:kept], Head(kept, digest, seal))
        assert fault == Fault(kept, "The head of the log is not what was written.")


@given(logs, st.data())
def test_log_and_head_of_an_older_day_are_told_by_a_digest_alone_that_was_noted(
    log: tuple[list[Act], Head], data: st.DataObject
) -> None:
    """The end of what a chain can show."""
    acts, head = log
    kept = data.draw(st.integers(0, len(acts) - 1))
    checker = Checker(KEY)
    checker.take(acts[:kept])
    checker.finish(chained(acts[:kept])[1])
    assert checker.fault is None
    assert (checker.read, checker.head) != (head.number, head.digest)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_head_that_goes_on_where_the_log_does_not_is_found(count: int) -> None:
    acts, head = chained([ACT] * (count + 1))
    shorter = chained([ACT] * count)[1]
    fault = fault_of(acts, shorter)
    assert fault is not None
    assert "of another one" in fault.sentence
    assert fault_of(acts[:count], head) is not None


@given(st.lists(drawn, min_size=1, max_size=4))
def test_a_log_under_another_key_is_none_of_ours(acts: list[Act]) -> None:
    written, head = chained(acts, OTHER_KEY)
    fault = fault_of(written, head)
    assert fault is not None
    assert fault.number == 1
