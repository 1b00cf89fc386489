"""What the commands print: tables and progress on stderr's console, JSON on stdout."""

import sys

import click
import msgspec
from rich.console import Console
from rich.markup import escape

REPLACED = "\N{REPLACEMENT CHARACTER}"
console = Console(stderr=True, highlight=False)
plain = Console(highlight=False)


def print_json(value: object) -> None:
    """One object on one line of stdout."""
    click.echo(msgspec.json.encode(value).decode())
    sys.stdout.flush()


def as_is(text: str) -> str:
    """Text that somebody else wrote, for a table or a line: no markup, nothing a terminal obeys."""
    return escape(printable(text))


def printable(text: str) -> str:
    """``text`` with a mark in place of each character that is none to be seen."""
    return "".join(letter if letter.isprintable() else REPLACED for letter in text)


def duration(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
