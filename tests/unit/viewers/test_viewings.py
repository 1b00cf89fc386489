"""What is made of one title's changes does not depend on how they came."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.viewers.model.viewings import Seen, joined
from cuemark.contracts.ids import PlaySessionId, ProfileId, TitleId
from cuemark.contracts.viewers.exchange import RemovalChange, ViewingChange
from cuemark.kit.hybrid_clock import Stamp

PROFILE, TITLE = ProfileId("prf_a"), TitleId("ttl_a")
AT = datetime(2026, 1, 1, tzinfo=UTC)
Changes = list[ViewingChange | RemovalChange]


def stamp(number: int) -> str:
    return str(Stamp(number, 0, "eu"))


@st.composite
def told(draw: st.DrawFn) -> Changes:
    """Changes with stamps of their own, as a clock gives them."""
    changes: Changes = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        if draw(st.booleans()) and draw(st.booleans()):
            changes.append(RemovalChange(profile_id=PROFILE, title_id=TITLE, stamp=stamp(number)))
            continue
        removals = [each.stamp for each in changes if isinstance(each, RemovalChange)]
        changes.append(
            ViewingChange(
                profile_id=PROFILE,
                title_id=TITLE,
                session_id=PlaySessionId(draw(st.sampled_from(["pls_a", "pls_b"]))),
                sequence=draw(st.integers(0, 3)),
                position_s=float(number),
                duration_s=60.0,
                watched_at=AT,
                stamp=stamp(number),
                since=draw(st.sampled_from(["", *removals])),
            )
        )
    return changes


@given(told(), st.data())
def test_any_order_and_any_number_of_times_makes_the_same(
    changes: Changes, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(changes)))
    other = data.draw(st.permutations([*changes, *again]))
    expected = joined(Seen(), changes)
    found = Seen()
    for change in other:
        found = joined(found, [change])
    assert found == expected
    assert joined(expected, changes) == expected


@given(told())
def test_nothing_shows_that_a_removal_did_not_leave(changes: Changes) -> None:
    removals = [each.stamp for each in changes if isinstance(each, RemovalChange)]
    seen = joined(Seen(), changes)
    assert seen.removed == max(removals, default="")
    assert all(viewing.since >= seen.removed for viewing in seen.viewings.values())


@given(told())
def test_of_a_session_the_highest_sequence_counts_and_of_a_title_the_last_stamp(
    changes: Changes,
) -> None:
    seen = joined(Seen(), changes)
    left = [
        each for each in changes if isinstance(each, ViewingChange) and each.since >= seen.removed
    ]
    for session, viewing in seen.viewings.items():
        others = [each for each in left if each.session_id == session]
        best = max((each.since, each.sequence) for each in others)
        assert (viewing.since, viewing.sequence) == best
    if seen.current:
        assert seen.current.stamp == max(each.stamp for each in seen.viewings.values())
    assert (seen.current is None) == (not left)
