"""A letter: what it says as plain text and as simple HTML, and how it looks on the wire.

The message is of RFC 5322 with two alternatives (RFC 2046, section 5.1.4), plain text first.
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import NamedTuple

LETTER = "let"


class LetterInvalid(ValueError):
    """The recipient or the subject cannot stand in a header of a mail."""


class Link(NamedTuple):
    """A button of the letter; ``url`` stands in the plain text as it is."""

    label: str
    url: str


class Letter(NamedTuple):
    recipient: str
    subject: str
    plain: str
    html: str


class Envelope(NamedTuple):
    """A letter as it waits: ``letter_id`` names it for ever."""

    letter_id: str
    letter: Letter
    written_at: datetime


class From(NamedTuple):
    """Who writes: the name of the service, and its mail address."""

    name: str
    email: str

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2]


def letter(
    *,
    to: str,
    subject: str,
    greeting: str,
    paragraphs: Sequence[str],
    link: Link | None = None,
    after: Sequence[str] = (),
    signed: str,
) -> Letter:
    """``paragraphs``, then the ``link``, then ``after``. Everything is text and is escaped."""
    _check_header(to)
    _check_header(subject)
    plain = [greeting, *paragraphs, *([link.url] if link else []), *after, signed]
    rows = [f"<p>{escape(text)}</p>" for text in (greeting, *paragraphs)]
    if link:
        rows.append(
            f'<p><a href="{escape(link.url)}" style="{_BUTTON}">{escape(link.label)}</a></p>'
            f'<p style="{_SMALL}">{escape(link.url)}</p>'
        )
    rows += [f"<p>{escape(text)}</p>" for text in (*after, signed)]
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(subject)}'
        f'</title></head><body style="{_BODY}">{"".join(rows)}</body></html>\n'
    )
    return Letter(to, subject, "\n\n".join(plain) + "\n", html)


def message(envelope: Envelope, sender: From) -> EmailMessage:
    """The mail of a letter: the same one, byte for byte but for its boundary, each time."""
    written = EmailMessage(policy=SMTP)
    written["From"] = Address(display_name=sender.name, addr_spec=sender.email)
    written["To"] = envelope.letter.recipient
    written["Subject"] = envelope.letter.subject
    written["Date"] = envelope.written_at
    written["Message-ID"] = f"<{envelope.letter_id}@{sender.domain}>"
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(envelope.letter.plain)
    written.add_alternative(envelope.letter.html, subtype="html")
    return written


def _check_header(text: str) -> None:
    if not text or any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in text):
        raise LetterInvalid("A header of a mail has one line and no control characters.")


_BODY = "font:16px/1.5 sans-serif;max-width:34em;margin:2em auto;padding:0 1em;color:#222"
_BUTTON = (
    "display:inline-block;padding:.6em 1.2em;border-radius:.4em;background:#222;color:#fff;"
    "text-decoration:none"
)
_SMALL = "font-size:13px;color:#666;word-break:break-all"
