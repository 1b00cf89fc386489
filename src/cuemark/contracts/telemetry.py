"""Telemetry: what appliances delivered, one line for each request, and what that adds up to.

Refusal
|-- LinesInvalid       a batch that cannot be read, or is larger than one may be
|-- ApplianceUnknown   lines of an appliance that is not enrolled here
|-- TrafficInvalid     a span of time that is none, or too long
`-- PageInvalid        the limit or the cursor of a list is not acceptable
"""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Protocol

import msgspec
from msgspec import Meta

from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

MOST_LINES = 5_000
"""Of a batch."""
MOST_BATCH_BYTES = 1 << 20
"""Of a batch as it is sent, compressed."""
MOST_RAW_BYTES = 8 << 20
"""Of a batch's lines as text."""

Outcome = Literal["hit", "content", "health", "other", "refused", "error", "peer"]
Source = Literal["", "peer", "storage", "origin"]

_Word = Annotated[str, Meta(max_length=64)]
_Count = Annotated[int, Meta(ge=0, le=1 << 53)]
_Seconds = Annotated[float, Meta(ge=0, le=1e10)]


class LinesInvalid(Refusal):
    code = "lines_invalid"
    status = 422


class ApplianceUnknown(Refusal):
    code = "appliance_unknown"
    status = 404


class TrafficInvalid(Refusal):
    code = "traffic_invalid"
    status = 422


class Cmcd(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a player told with a request, by the keys and in the units of CTA-5004: rates in
    kbit/s, times in ms. None, and empty, is what it did not tell, or not in the form of its key."""

    bl: _Count | None = None
    br: _Count | None = None
    bs: bool = False
    cid: _Word = ""
    d: _Count | None = None
    dl: _Count | None = None
    mtp: _Count | None = None
    nor: Annotated[str, Meta(max_length=260)] = ""
    nrr: _Word = ""
    ot: _Word = ""
    pr: Annotated[float, Meta(ge=0, le=1000)] | None = None
    rtp: _Count | None = None
    sf: _Word = ""
    sid: _Word = ""
    st: _Word = ""
    su: bool = False
    tb: _Count | None = None
    v: _Count | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request that an appliance answered.

    ``cs_method``, ``sc_status``, ``sc_bytes`` and ``time_taken_s`` are of W3C's extended log
    format, ``cache_status`` of RFC 9211, ``rtt_ms`` as CMSD (CTA-5006) told it to the client.
    ``at_s`` is when the answer was over, in seconds since 1970. ``refused`` is the verdict about
    the token that shut the door. Of a miss, ``source`` sent the first bytes (``source_name`` where
    that was an appliance) after ``waited_s``; ``trouble`` says why it brought none. ``asked_by`` is
    the appliance that asked, empty where a client did.
    """

    at_s: _Seconds
    sc_status: Annotated[int, Meta(ge=0, le=999)]
    sc_bytes: _Count = 0
    time_taken_s: _Seconds = 0.0
    cs_method: _Word = ""
    version_id: Annotated[VersionId, Meta(max_length=64)] = VersionId("")
    path: Annotated[str, Meta(max_length=260)] = ""
    trace_id: Annotated[str, Meta(max_length=32)] = ""
    cache_status: Annotated[str, Meta(max_length=200)] = ""
    refused: _Word = ""
    source: Source = ""
    source_name: _Word = ""
    trouble: _Word = ""
    waited_s: _Seconds | None = None
    rtt_ms: _Count | None = None
    asked_by: _Word = ""
    cmcd: Cmcd | None = None


class TakeLines(msgspec.Struct, frozen=True, kw_only=True):
    """A batch. ``body`` is one gzip member of ``count`` lines, each a ``Line`` in JSON.

    ``sequence`` ascends within an ``epoch``, which begins with each start of an agent; a batch that
    is sent twice counts once. ``lost_lines`` were dropped before this batch for want of room.
    """

    appliance_id: ApplianceId
    epoch: _Word
    sequence: _Count
    count: Annotated[int, Meta(ge=1, le=MOST_LINES)]
    first_at_s: _Seconds
    last_at_s: _Seconds
    body: bytes
    lost_lines: _Count = 0


class LinesTaken(msgspec.Struct, frozen=True, kw_only=True):
    """``taken``: the appliance may forget the batch. Else it is to come again after ``wait_s``."""

    taken: bool
    wait_s: float = 0.0


class GetTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """From ``since`` on; of these versions alone, where there are any, and of one appliance."""

    since: datetime
    appliance_id: ApplianceId | None = None
    version_ids: list[VersionId] = []


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What became of so many requests. ``outcome`` says how, ``source`` who sent a miss.

    ``wait_p50_s`` and ``wait_p95_s`` are the seconds until a miss had its first byte: upper bounds
    of the step of a histogram; None where nothing was waited for.
    """

    outcome: Outcome
    source: Source
    requests: int
    sent_bytes: int
    wait_p50_s: float | None = None
    wait_p95_s: float | None = None


class ApplianceTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """``told`` requests came with CMCD, ``starved`` of them after the player's buffer ran dry."""

    appliance_id: ApplianceId
    shares: list[Share]
    told: int = 0
    starved: int = 0
    lost_lines: int = 0


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    since: datetime
    appliances: list[ApplianceTraffic]


class ListLines(msgspec.Struct, frozen=True, kw_only=True):
    """Those that came in after ``after``, or the last ones; ``limit`` 1 to 200."""

    after: str = ""
    limit: int = 50
    appliance_id: ApplianceId | None = None


class ToldLine(msgspec.Struct, frozen=True, kw_only=True):
    appliance_id: ApplianceId
    outcome: Outcome
    line: Line


class LinePage(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first. ``newest`` is the cursor to ask on with, also when there are no more."""

    lines: list[ToldLine]
    newest: str = ""


class Telemetry(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        LinesInvalid,
        ApplianceUnknown,
        TrafficInvalid,
        PageInvalid,
    )
    for_appliances: ClassVar[frozenset[str]] = frozenset({"take_lines"})

    async def take_lines(self, request: TakeLines) -> LinesTaken: ...

    async def get_traffic(self, request: GetTraffic) -> Traffic: ...

    async def list_lines(self, request: ListLines) -> LinePage: ...
