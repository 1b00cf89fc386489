"""The patterns by which nginx judges alone, as Python reads them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cuemark.edge import judging

TIMES = st.integers(1_000_000_000, 9_999_999_999)
WORD = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


def python(pattern: str) -> re.Pattern[str]:
    """A pattern of PCRE that uses named groups and references to them."""
    named = re.sub(r"\(\?<(\w)", r"(?P<\1", pattern)
    return re.compile(re.sub(r"\\g\{(\w+)\}", r"(?P=\1)", named))


IN_TIME, IN_FORCE = python(judging.IN_TIME), python(judging.IN_FORCE)


def held(token: str, version: str, address: str, ends_s: int) -> str:
    return f"{token} {version} {address} 7 play_1 mark {ends_s}"


@given(TIMES, TIMES, st.integers(0, 999))
def test_a_token_is_in_time_until_the_second_that_it_names(
    ends_s: int, now_s: int, part_ms: int
) -> None:
    line = f"1 tok ver 192.0.2.7|{held('tok', 'ver', '-', ends_s)} {now_s}.{part_ms:03}"
    assert bool(IN_TIME.search(line)) == (now_s < ends_s)


@given(WORD, WORD, WORD, WORD)
def test_it_is_the_very_token_and_version(
    token: str, version: str, known: str, its_version: str
) -> None:
    line = f"1 {token} {version} ::1|{held(known, its_version, '-', 2_000_000_000)} 1900000000.1"
    assert bool(IN_TIME.search(line)) == ((token, version) == (known, its_version))


@given(WORD, st.none() | WORD)
def test_a_bound_token_opens_to_its_address_alone(address: str, bound: str | None) -> None:
    line = f"1 t v {address}|{held('t', 'v', bound or '-', 2_000_000_000)} 1900000000.1"
    assert bool(IN_TIME.search(line)) == (bound in (None, "-", address))


@given(WORD, WORD, WORD, st.lists(WORD, max_size=6))
def test_keys_in_force_and_no_revoked_session(
    mark: str, in_force: str, session: str, revoked: list[str]
) -> None:
    line = f"1 {mark} {session}|{in_force} {''.join(f'{each} ' for each in revoked)}"
    expected = mark == in_force and session not in revoked
    assert bool(IN_FORCE.search(line)) == expected


def test_without_a_line_in_either_table_njs_is_asked() -> None:
    assert not IN_TIME.search("1 t v ::1| 1900000000.1")
    assert not IN_TIME.search(f" t v ::1|{held('t', 'v', '-', 2_000_000_000)} 1900000000.1")
    assert not IN_FORCE.search("1 mark play_1|")
    assert not IN_FORCE.search(" mark play_1|mark ")
