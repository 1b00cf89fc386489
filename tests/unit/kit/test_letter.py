"""Letters as mails: what they say, and what cannot be slipped into them."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.kit.mail.letter import Envelope, From, LetterInvalid, Link, letter, message
from cuemark.kit.mail.sender import FIRST_WAIT_S, LONGEST_WAIT_S, wait_s

KINO = From("Kino, the <best>", "films@films.example")
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def written(subject: str = "Welcome", text: str = "Hello", to: str = "ada@example.org") -> bytes:
    link = Link("Go on", "https://films.example/verify#code=a&b")
    content = letter(
        to=to, subject=subject, greeting="Hi,", paragraphs=[text], link=link, signed="Kino"
    )
    return message(Envelope("let_1", content, AT), KINO).as_bytes()


def test_a_letter_is_plain_text_and_html_with_the_same_link() -> None:
    mail = message_from_bytes(written(text="1 < 2"), policy=default)
    plain, html = mail.iter_parts()
    assert "https://films.example/verify#code=a&b" in plain.get_content()
    assert 'href="https://films.example/verify#code=a&amp;b"' in html.get_content()
    assert "1 &lt; 2" in html.get_content()
    assert mail["To"] == "ada@example.org"
    assert mail["From"].addresses[0].display_name == "Kino, the <best>"
    assert mail["Message-ID"] == "<let_1@films.example>"
    assert mail["Date"].datetime == AT


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("ada@example.org\r\nBcc: eve@example.org", "Welcome"),
        ("ada@example.org\nBcc: eve@example.org", "Welcome"),
        ("ada@example.org", "Welcome\r\n\r\nBuy this"),
        ("ada@example.org", "Welcome\x0bto"),
        ("", "Welcome"),
    ],
)
def test_no_header_can_be_slipped_in(to: str, subject: str) -> None:
    with pytest.raises(LetterInvalid):
        written(subject, to=to)


@given(st.text(max_size=200), st.text(min_size=1, max_size=80))
def test_whatever_is_said_the_headers_are_ours(text: str, subject: str) -> None:
    try:
        raw = written(subject, text.encode("utf-8", "replace").decode())
    except (LetterInvalid, UnicodeError):
        return
    mail = message_from_bytes(raw, policy=default)
    assert set(mail.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("MIME-Version", "Content-Type"),
    }
    assert len(mail.get_all("To", [])) == 1


def test_waits_double_up_to_an_hour() -> None:
    assert [wait_s(n) for n in (0, 1, 2)] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]
    assert wait_s(10_000) == LONGEST_WAIT_S
