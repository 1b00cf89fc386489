"""How the command line fails: one sentence on stderr, and an exit code."""

import contextlib
import sys
import traceback
from collections.abc import Iterator

import click

from cuemark.kit.errors import ContractError, OperatorError


class Failure(click.ClickException):
    """Ends the command with a sentence: what is wrong, where, what to do."""

    def show(self, file: object = None) -> None:
        click.echo(f"cuemark: {self.message}", err=True)


class Down(Failure):
    """The install does not run, or does not answer."""

    exit_code = 3


@contextlib.contextmanager
def sentences(verbose: bool) -> Iterator[None]:
    """Turn the errors that are expected of a command into ``Failure``."""
    try:
        yield
    except (ContractError, OperatorError) as error:
        if verbose:
            traceback.print_exc(file=sys.stderr)
        raise Failure(str(error)) from error
