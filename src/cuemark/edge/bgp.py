"""What an ExaBGP process tells of its session with a router, line by line; no input or output here.

The lines are the JSON of ExaBGP 5 (its wiki, "Controlling ExaBGP: API for received messages").
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from cuemark.kit.errors import UNREADABLE

FAMILIES = ("ipv4 unicast", "ipv6 unicast")
MOST_LINE_BYTES = 4 << 20
"""A BGP message has up to 64 KiB (RFC 8654): its JSON is shorter than this."""
_SEQUENCE = "as-sequence"
_SET = "as-set"


class LineInvalid(Exception):
    """A line is not what ExaBGP writes: what it told is lost."""


@dataclass(frozen=True)
class SessionUp:
    """The session is established; the router tells all its routes now."""


@dataclass(frozen=True)
class SessionDown:
    """The session is over, and with it all that was announced in it."""

    reason: str


@dataclass(frozen=True)
class PathFacts:
    """What an announcement says of its path; ``as_path`` has the ASes of sequences and sets in
    order, and ``hops`` is its length as RFC 4271, section 9.1.2.2, counts it: a set is one."""

    as_path: tuple[int, ...] = ()
    hops: int = 0
    local_preference: int | None = None
    med: int = 0


@dataclass(frozen=True)
class Update:
    withdrawn: Sequence[str] = ()
    announced: Sequence[str] = ()
    facts: PathFacts = field(default_factory=PathFacts)


class _Segment(msgspec.Struct, frozen=True):
    element: str
    value: list[int]


class _Attributes(msgspec.Struct, frozen=True, rename="kebab"):
    as_path: dict[str, _Segment] | list[int] = msgspec.field(default_factory=dict)
    local_preference: int | None = None
    med: int = 0


class _Nlri(msgspec.Struct, frozen=True):
    nlri: str


class _Update(msgspec.Struct, frozen=True):
    attribute: _Attributes = _Attributes()
    announce: dict[str, dict[str, list[_Nlri]]] = {}
    withdraw: dict[str, list[_Nlri]] = {}


class _Message(msgspec.Struct, frozen=True):
    update: _Update | None = None


class _Neighbor(msgspec.Struct, frozen=True):
    state: str = ""
    reason: str = ""
    message: _Message | None = None


class _Line(msgspec.Struct, frozen=True):
    type: str
    neighbor: _Neighbor = _Neighbor()


_LINES = msgspec.json.Decoder(_Line)


def heard(line: bytes) -> SessionUp | SessionDown | Update | None:
    """What a line tells; None where it is nothing that changes routes. Raises ``LineInvalid``."""
    try:
        said = _LINES.decode(line)
    except UNREADABLE as error:
        raise LineInvalid(f"ExaBGP wrote a line that cannot be read: {error}") from error
    if said.type == "state":
        if said.neighbor.state == "up":
            return SessionUp()
        return SessionDown(said.neighbor.reason) if said.neighbor.state == "down" else None
    message = said.neighbor.message
    if said.type != "update" or message is None or message.update is None:
        return None
    return _update(message.update)


def _update(said: _Update) -> Update:
    return Update(
        withdrawn=[
            each.nlri
            for family, gone in said.withdraw.items()
            if family in FAMILIES
            for each in gone
        ],
        announced=[
            each.nlri
            for family, by_hop in said.announce.items()
            if family in FAMILIES
            for several in by_hop.values()
            for each in several
        ],
        facts=_facts(said.attribute),
    )


def _facts(said: _Attributes) -> PathFacts:
    segments = (
        list(said.as_path.values())
        if isinstance(said.as_path, dict)
        else [_Segment(_SEQUENCE, said.as_path)]
    )
    path: list[int] = []
    hops = 0
    for segment in segments:
        if segment.element == _SEQUENCE:
            hops += len(segment.value)
        elif segment.element == _SET:
            hops += 1
        path += segment.value
    return PathFacts(tuple(path), hops, said.local_preference, said.med)
