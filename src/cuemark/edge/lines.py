"""The line that telemetry gets of each request, made of the one that nginx wrote. Pure.

nginx knows what was asked and sent, and has what the agent told of a miss (``X-Fill-Source``,
``X-Fill-Trouble``) from its answer, which the client does not see.
"""

import contextlib
import gzip
from collections.abc import Sequence
from typing import get_args

import msgspec

from cuemark.contracts.ids import VersionId
from cuemark.contracts.telemetry import Line, Source
from cuemark.edge import cmcd
from cuemark.kit.errors import UNREADABLE

SOURCE_HEADER = "X-Fill-Source"
TROUBLE_HEADER = "X-Fill-Trouble"
_LEVEL = 3
_SOURCES: dict[str, Source] = {source: source for source in get_args(Source)}


class Logged(msgspec.Struct, frozen=True):
    """A line of nginx's log, as far as telemetry reads it."""

    at_s: float
    status: int
    method: str = ""
    bytes: int = 0
    request_time: float = 0.0
    trace_id: str = ""
    version: str = ""
    path: str = ""
    cache: str = ""
    refused: str = ""
    appliance: str = ""
    source: str = ""
    trouble: str = ""
    waited_s: str = ""
    cmsd: str = ""
    cmcd: str = ""
    cmcd_query: str = ""


_read = msgspec.json.Decoder(Logged)
_write = msgspec.json.Encoder()


def read(raw: bytes) -> tuple[list[Line], int]:
    """The lines of whole ``raw`` lines, and how many of those could not be read."""
    try:
        return [line_of(each) for each in _read.decode_lines(raw)], 0
    except UNREADABLE:
        pass
    lines, bad = [], 0
    for text in filter(None, raw.split(b"\n")):
        try:
            lines.append(line_of(_read.decode(text)))
        except UNREADABLE:
            bad += 1
    return lines, bad


def line_of(logged: Logged) -> Line:
    kind, _, name = logged.source.partition(" ")
    told = None
    if logged.cmcd_query:
        told = cmcd.parse_query(logged.cmcd_query)
    if logged.cmcd:
        told = cmcd.parse_headers(logged.cmcd) or told
    return Line(
        at_s=logged.at_s,
        sc_status=logged.status,
        sc_bytes=logged.bytes,
        time_taken_s=logged.request_time,
        cs_method=logged.method[:64],
        version_id=VersionId(logged.version),
        path=logged.path,
        trace_id=logged.trace_id,
        cache_status=logged.cache[:200],
        refused=logged.refused,
        source=_SOURCES.get(kind, ""),
        source_name=name[:64],
        trouble=logged.trouble[:64],
        waited_s=_seconds(logged.waited_s),
        rtt_ms=_round_trip_ms(logged.cmsd),
        asked_by=logged.appliance[:64],
        cmcd=told,
    )


def packed(lines: Sequence[Line]) -> bytes:
    """The lines as a batch has them: JSON, one in a line, as one member of gzip."""
    return gzip.compress(_write.encode_lines(lines), _LEVEL, mtime=0)


def _round_trip_ms(text: str) -> int | None:
    """Of what is told behind the name in CMSD-Dynamic: ``;rtt=12``."""
    told = text.removeprefix(";rtt=")
    return int(told) if told.isdecimal() and len(told) < len(text) <= 12 else None


def _seconds(text: str) -> float | None:
    """Of nginx's times of upstreams, the last; it writes a hyphen where there was none."""
    if not text or text == "-":
        return None
    with contextlib.suppress(ValueError):
        return float(text.rpartition(" ")[2])
    return None
