"""What is asked of attempts to log in, in peace and under attack."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fraud.model.stuffing import (
    DEVICE_TRIES,
    LONGEST_WAIT_S,
    MOST_BITS,
    Attempt,
    Stuffing,
)

HOME = Attempt("mail_anna", "203.0.113.7/32", "203.0.113.0/24")


def attacker(number: int, mail: str = "") -> Attempt:
    network = f"198.18.{number % 250}.0/24"
    return Attempt(mail or f"mail_{number}", f"198.18.{number % 250}.{number // 250}/32", network)


def under_attack(stuffing: Stuffing, attempts: int = 500, per_s: float = 100.0) -> float:
    """Attempts that fail, or are challenged in vain; when the last one was."""
    for number in range(attempts):
        now_s = 1000.0 + number / per_s
        judgement = stuffing.judge(attacker(number), now_s, proven=False)
        if judgement.step == "proof":
            stuffing.challenged(attacker(number), now_s)
        else:
            stuffing.failed(attacker(number), now_s, proven=False)
    return now_s


def test_in_peace_nothing_is_asked_of_somebody_who_forgot_the_password_a_few_times() -> None:
    stuffing = Stuffing()
    for number in range(5):
        assert stuffing.judge(HOME, 1000.0 + 20 * number, proven=False).step == "pass"
        stuffing.failed(HOME, 1000.0 + 20 * number, proven=False)


def test_a_few_hundred_attempts_from_everywhere_make_the_next_ones_prove_themselves() -> None:
    stuffing = Stuffing()
    now_s = under_attack(stuffing)
    judgement = stuffing.judge(HOME, now_s, proven=False)
    assert (judgement.step, [each.code for each in judgement.reasons]) == ("proof", ["everyone"])
    assert stuffing.judge(HOME, now_s, proven=True).step == "pass"


def test_hardly_any_password_of_an_attack_is_checked() -> None:
    stuffing, checked = Stuffing(), 0
    for number in range(6000):
        now_s = 1000.0 + number / 100
        if stuffing.judge(attacker(number), now_s, proven=False).step == "proof":
            stuffing.challenged(attacker(number), now_s)
        else:
            checked += 1
            stuffing.failed(attacker(number), now_s, proven=False)
    assert checked < 60


def test_an_attack_that_is_held_off_is_an_attack_still_and_peace_comes_back_after_it() -> None:
    stuffing = Stuffing()
    now_s = under_attack(stuffing, 60_000)
    assert stuffing.judge(HOME, now_s, proven=False).step == "proof"
    assert stuffing.judge(HOME, now_s + 300, proven=False).step == "pass"


def test_a_known_device_is_trusted_until_it_fails_too_often_itself() -> None:
    stuffing = Stuffing()
    now_s = under_attack(stuffing)
    device = HOME._replace(device="d1")
    for _ in range(int(DEVICE_TRIES)):
        assert stuffing.is_trusted(device, now_s)
        stuffing.failed(device, now_s, proven=False)
    assert not stuffing.is_trusted(device, now_s)
    assert stuffing.judge(device, now_s, proven=False).step != "pass"
    stuffing.opened(device)
    assert stuffing.is_trusted(device, now_s)
    assert not stuffing.is_trusted(HOME, now_s)


def test_one_address_that_tries_many_mails_is_slowed_then_asked_and_nobody_else_is() -> None:
    stuffing, steps = Stuffing(), []
    for number in range(40):
        attempt = Attempt(f"mail_{number}", "198.51.100.9/32", "198.51.100.0/24")
        judgement = stuffing.judge(attempt, 1000.0 + number * 5, proven=False)
        steps.append(judgement.step)
        stuffing.failed(attempt, 1000.0 + number * 5, proven=False)
    order = list(dict.fromkeys(steps))
    assert order == ["pass", "slow", "proof"]
    assert stuffing.judge(HOME, 1200.0, proven=False).step == "pass"


def test_guesses_at_one_mail_from_everywhere_end_in_a_letter_and_not_in_a_lock() -> None:
    stuffing = Stuffing()
    for number in range(40):
        stuffing.failed(attacker(number, "mail_anna"), 1000.0 + number * 2, proven=True)
    judgement = stuffing.judge(HOME, 1080.0, proven=True)
    other = stuffing.judge(HOME._replace(mail="mail_ben"), 1080.0, proven=False)
    assert judgement.step in ("letter", "pass")
    assert stuffing.judge(HOME, 1080.0, proven=False).step in ("letter", "proof")
    assert other.step in ("pass", "slow")
    assert stuffing.is_trusted(HOME._replace(device="d1"), 1080.0)


def test_guesses_at_one_mail_during_an_attack_ask_for_a_letter() -> None:
    stuffing = Stuffing()
    now_s = under_attack(stuffing)
    for number in range(40):
        stuffing.failed(attacker(number, "mail_anna"), now_s, proven=True)
    assert stuffing.judge(HOME, now_s, proven=True).step == "letter"


def test_nobody_shuts_a_member_out_by_asking_for_challenges() -> None:
    stuffing = Stuffing()
    now_s = under_attack(stuffing)
    for number in range(3000):
        stuffing.challenged(attacker(number, "mail_anna"), now_s)
    assert stuffing.judge(HOME, now_s, proven=False).step == "proof"
    assert stuffing.judge(HOME, now_s, proven=True).step == "pass"


def test_those_who_do_the_work_and_fail_make_it_harder() -> None:
    stuffing = Stuffing()
    now_s = under_attack(stuffing)
    before = stuffing.judge(HOME, now_s, proven=False).bits
    for number in range(3000):
        stuffing.failed(attacker(number), now_s, proven=True)
    after = stuffing.judge(HOME, now_s, proven=False).bits
    assert before < after <= MOST_BITS


SECOND = HOME._replace(by="factor")


def test_guesses_at_a_second_factor_are_slowed_then_asked_for_work_and_never_locked_out() -> None:
    stuffing, steps, bits = Stuffing(), [], []
    for number in range(40):
        guess = attacker(number, HOME.mail)._replace(by="factor")
        judgement = stuffing.judge(guess, 1000.0 + number * 5, proven=False)
        steps.append(judgement.step)
        bits.append(judgement.bits)
        stuffing.failed(guess, 1000.0 + number * 5, proven=False)
    assert list(dict.fromkeys(steps)) == ["pass", "slow", "proof"]
    assert bits == sorted(bits)
    assert stuffing.judge(SECOND, 1200.0, proven=True).step == "pass"
    assert stuffing.is_trusted(SECOND._replace(device="d1"), 1200.0)


def test_wrong_second_factors_do_not_weigh_on_the_password_nor_the_other_way_round() -> None:
    stuffing = Stuffing()
    for number in range(40):
        stuffing.failed(attacker(number, HOME.mail)._replace(by="factor"), 1000.0, proven=False)
    codes = [each.code for each in stuffing.judge(HOME, 1060.0, proven=False).reasons]
    assert "codes" not in codes
    assert "mail" not in codes
    for number in range(40):
        stuffing.failed(attacker(number, "mail_ben"), 1000.0, proven=False)
    ben = SECOND._replace(mail="mail_ben")
    found = [each.code for each in stuffing.judge(ben, 1060.0, proven=False).reasons]
    assert "mail" not in found
    assert "codes" not in found


def test_passkeys_that_are_nobodys_weigh_on_where_they_come_from_alone() -> None:
    stuffing = Stuffing()
    nobody = Attempt("", "198.51.100.9/32", "198.51.100.0/24", by="passkey")
    for number in range(20):
        stuffing.failed(nobody, 1000.0 + number * 5, proven=False)
    assert stuffing.judge(nobody, 1100.0, proven=False).step == "proof"
    elsewhere = nobody._replace(address="203.0.113.7/32", network="203.0.113.0/24")
    assert stuffing.judge(elsewhere, 1100.0, proven=False).step == "pass"


def test_a_second_factor_that_is_right_forgives_what_was_mistyped_before_it() -> None:
    stuffing = Stuffing()
    for _ in range(12):
        stuffing.failed(SECOND._replace(address="", network=""), 1000.0, proven=False)
    assert stuffing.judge(SECOND, 1030.0, proven=False).step != "pass"
    stuffing.opened(SECOND)
    assert stuffing.judge(SECOND, 1030.0, proven=False).step == "pass"


ATTEMPTS = st.builds(
    Attempt,
    st.sampled_from(["", "mail_a", "mail_b", "mail_c"]),
    st.sampled_from(["", "198.51.100.1/32", "198.51.100.2/32"]),
    st.sampled_from(["", "198.51.100.0/24"]),
    st.sampled_from(["", "d1"]),
    st.sampled_from(["password", "factor", "passkey"]),
)
EVENTS = st.tuples(
    st.sampled_from(["challenged", "answered", "failed", "opened"]), ATTEMPTS, st.floats(0, 60)
)


@given(st.lists(EVENTS, max_size=120))
def test_whatever_came_before_a_verdict_has_bounds_and_a_reason(
    events: list[tuple[str, Attempt, float]],
) -> None:
    stuffing, now_s = Stuffing(), 1000.0
    for what, attempt, passed_s in events:
        now_s += passed_s
        match what:
            case "opened":
                stuffing.opened(attempt)
            case "failed":
                stuffing.failed(attempt, now_s, proven=False)
            case _:
                getattr(stuffing, what)(attempt, now_s)
        found = stuffing.judge(attempt, now_s, proven=False)
        assert 0 <= found.score <= 100
        assert (found.score == 0) == (not found.reasons)
        assert found.step == "pass" or found.reasons
        assert 0 <= found.wait_s <= LONGEST_WAIT_S
        assert 0 <= found.bits <= MOST_BITS
        assert stuffing.judge(attempt, now_s, proven=True).step in ("pass", "letter")


@pytest.mark.parametrize("address", ["", "198.51.100.1/32"])
def test_of_whom_it_cannot_tell_the_address_it_judges_all_the_same(address: str) -> None:
    stuffing = Stuffing()
    now_s = under_attack(stuffing)
    assert stuffing.judge(Attempt("mail_anna", address, ""), now_s, proven=False).step == "proof"
