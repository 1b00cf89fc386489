"""A line's profile as the command line takes it: written out, or the name of a trace's file."""

import os
from pathlib import Path

import click

from cuemark.player import line


class LineProfile(click.ParamType[line.Line]):
    """Reads the file where there is one of that name, else the text itself."""

    name = "profile"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> line.Line:
        if isinstance(value, line.Line):
            return value
        text = str(value)
        try:
            # os.path: a profile may be longer than any name that pathlib asks a system about.
            written = Path(text).read_text(encoding="utf-8") if os.path.isfile(text) else text
            return line.parse(written)
        except (line.LineInvalid, OSError, UnicodeDecodeError) as error:
            self.fail(str(error), param, ctx)
