"""The structured log: one JSON object a line, a constant event name with ids as fields."""

import contextlib
import io
import logging
import os
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog

from cuemark.kit.tracing import current_trace_id


class _Appending(io.TextIOBase):
    """A file that takes each line in one write, so that lines of many processes stay whole.

    A line that the disk has no room for is lost: nothing that goes on without it may fail.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._torn = False

    def write(self, text: str) -> int:
        line = text.encode(errors="replace")
        with contextlib.suppress(OSError):
            written = os.write(self._file, b"\n" + line if self._torn else line)
            self._torn = written < len(line)
        return len(text)


def configure_logs(process: str, path: Path | None) -> None:
    """Write this process's events to ``path`` (appending), or to stderr without one."""
    stream = cast(TextIO, _Appending(path)) if path else sys.stderr

    def add_context(_: object, __: str, event: structlog.typing.EventDict) -> dict[str, object]:
        event["process"] = process
        if trace_id := current_trace_id():
            event["trace_id"] = trace_id
        return dict(event)

    structlog.configure(
        processors=[
            add_context,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
