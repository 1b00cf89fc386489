"""The structured log: one JSON object a line, a constant event name with ids as fields."""

import logging
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog

from cuemark.kit.log_file import LogFile
from cuemark.kit.tracing import current_trace_id


def configure_logs(process: str, path: Path | None) -> None:
    """Write this process's events to ``path`` (see ``LogFile``), or to stderr without one."""
    stream = cast(TextIO, LogFile(path)) if path else sys.stderr

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
