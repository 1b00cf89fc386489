"""The streams of a plan: how many plays of an account may run at once, and which of them do."""

from datetime import datetime

import msgspec

from cuemark.contracts.ids import PlaySessionId, TitleId
from cuemark.kit.errors import Refusal


class HeldStream(msgspec.Struct, frozen=True, kw_only=True):
    """A play that holds a stream. ``title`` is the name of what it plays, and ``device`` what its
    device calls itself; ``login_id`` is the login by which it began, where that is known."""

    session_id: PlaySessionId
    title_id: TitleId
    title: str
    device: str
    started_at: datetime
    login_id: str = ""


class StreamsHeld(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first."""

    plays: list[HeldStream]


class TooManyStreams(Refusal):
    """Its ``details`` are the plays in whose place this one may begin."""

    code = "too_many_streams"
    status = 409
    tells = StreamsHeld
