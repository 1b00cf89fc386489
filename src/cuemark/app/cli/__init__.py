"""The command line. It speaks to a running install over HTTP only."""

from cuemark.app.cli.main import main

__all__ = ["main"]
