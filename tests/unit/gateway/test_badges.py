"""Badges: a device is known by what nobody else can make."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cuemark.gateway.badges import LASTS, MOST_MAILS, NOBODY, Badges
from cuemark.kit.clock import ManualClock


def test_a_device_is_known_for_the_mails_with_which_it_logged_in() -> None:
    badges = Badges(b"key", ManualClock())
    first = badges.read(badges.renewed(NOBODY, "anna@films.example"))
    both = badges.read(badges.renewed(first, "ben@films.example"))
    assert both.device == first.device != ""
    assert badges.knows(both, " Anna@films.example ")
    assert badges.knows(both, "ben@films.example")
    assert not badges.knows(first, "ben@films.example")
    assert not badges.knows(NOBODY, "anna@films.example")


def test_it_tells_no_mail_address_and_stays_a_small_cookie() -> None:
    badges, badge, text = Badges(b"key", ManualClock()), NOBODY, ""
    for number in range(50):
        text = badges.renewed(badge, f"anna{number}@films.example")
        badge = badges.read(text)
    assert len(badge.mails) == MOST_MAILS
    assert len(text) < 600
    assert "anna" not in str(badge)


def test_it_ends() -> None:
    clock = ManualClock()
    badges = Badges(b"key", clock)
    text = badges.renewed(NOBODY, "anna@films.example")
    clock.advance((LASTS - timedelta(seconds=1)).total_seconds())
    assert badges.read(text) != NOBODY
    clock.advance(1)
    assert badges.read(text) == NOBODY


def test_one_of_another_install_is_none() -> None:
    clock = ManualClock()
    text = Badges(b"other", clock).renewed(NOBODY, "anna@films.example")
    assert Badges(b"key", clock).read(text) == NOBODY


@given(st.text(max_size=1200))
def test_what_is_no_badge_is_none(text: str) -> None:
    assert Badges(b"key", ManualClock()).read(text) == NOBODY
