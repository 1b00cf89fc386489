"""What the commands print: tables and progress on stderr's console, JSON on stdout."""

import sys

import click
import msgspec
from rich.console import Console

console = Console(stderr=True, highlight=False)
plain = Console(highlight=False)


def print_json(value: object) -> None:
    """One object on one line of stdout."""
    click.echo(msgspec.json.encode(value).decode())
    sys.stdout.flush()


def duration(seconds: float) -> str:
    """``1:02:03`` or ``2:03``."""
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
