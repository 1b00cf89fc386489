"""The last errors of an install, from the end of its structured log.

This reads a file of this machine, as much of it as ``TAIL_BYTES``: an error that lies further
back is not found, and one of another machine is not either. The telemetry plane will keep what
must be kept longer.
"""

from pathlib import Path

import msgspec

from cuemark.kit.log_lines import LogLine, LogSource, read

TAIL_BYTES = 8 << 20
_MARKS = (b'"level": "error"', b'"level": "critical"', b'"status": 5', b'"child_ended"')
_REASONS = ("reason", "error", "exception", "message")


class LoggedError(msgspec.Struct, frozen=True, kw_only=True):
    """What a person needs to begin with; ``trace_id``, where there is one, leads to the rest."""

    at: str
    process: str
    event: str
    message: str
    trace_id: str


def last_errors(path: Path, limit: int) -> list[LoggedError]:
    """The latest first: errors, answers of 500 and more, and children that ended by themselves.

    An answer stands for itself only where nothing else of its trace is an error. Reads a file:
    call it in a thread.
    """
    found = read([LogSource("cuemark", path)], _is_error, holding=_MARKS, tail_bytes=TAIL_BYTES)
    explained = {line.trace_id for line in found if line.event != "request" and line.trace_id}
    told = [line for line in found if line.event != "request" or line.trace_id not in explained]
    return [_error_of(line) for line in reversed(told[-limit:])]


def _is_error(line: LogLine) -> bool:
    return line.level in ("error", "critical") or line.event == "child_ended"


def _error_of(line: LogLine) -> LoggedError:
    return LoggedError(
        at=line.began_at.isoformat(timespec="milliseconds"),
        process=line.process,
        event=line.event,
        message=_message(line),
        trace_id=line.trace_id,
    )


def _message(line: LogLine) -> str:
    fields = line.fields
    if line.event == "request":
        return f"{fields.get('method')} {fields.get('route')} answered {fields.get('status')}"
    if line.event == "child_ended":
        return f"{fields.get('child')} ended by itself with status {fields.get('status')}"
    for name in _REASONS:
        if isinstance(said := fields.get(name), str) and said.strip():
            return said.strip().splitlines()[-1][:300]
    return msgspec.json.encode(fields).decode()[:300]
