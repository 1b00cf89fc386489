"""Who holds the streams of a plan.

A play holds one by a lease: from when its player was last heard of, for ``LEASE``. A lease that ran
out takes nothing away. It is when another play needs the place that the play is ended, its tokens
and licences with it, so that never more plays of an account can go on than its plan allows: not
one that is paused, not one whose player keeps silent, and not one that is past its end by the clock
of who decides, and not yet by another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cuemark.contexts.playback.model.session import Session
from cuemark.contracts.ids import PlaySessionId
from cuemark.contracts.playback.streams import HeldStream, StreamsHeld

LEASE = timedelta(minutes=2)
"""A play that was not heard of for so long gives its place to whoever asks: its device may have
died."""
ANY_NUMBER = 0


@dataclass(frozen=True)
class Place:
    """What a play asks for: one of ``streams`` places, on a device that gives up what it plays."""

    streams: int = ANY_NUMBER
    device_id: str = ""
    instead_of: PlaySessionId | None = None


def given_up(running: Sequence[Session], place: Place, now: datetime) -> list[Session] | None:
    """Which of an account's plays end so that one more has its place; None where those that would
    be left are too many.

    Those past their end go in any case, its own device's, and what it shall be instead of; then as
    many as must of those whose lease ran out, the longest silent first.
    """
    going = [each for each in running if each.expires_at <= now or _makes_way(each, place)]
    if not place.streams:
        return going
    staying = [each for each in running if each not in going]
    surplus = len(staying) + 1 - place.streams
    if surplus <= 0:
        return going
    silent = sorted((each for each in staying if not holds(each, now)), key=heard_at)
    return [*going, *silent[:surplus]] if len(silent) >= surplus else None


def holds(session: Session, now: datetime) -> bool:
    """Whether its lease runs."""
    return now - heard_at(session) < LEASE


def heard_at(session: Session) -> datetime:
    return session.heard_at or session.started_at


def held(running: Sequence[Session], now: datetime) -> StreamsHeld:
    """The plays that hold a stream, as the account is told of them."""
    latest = sorted(running, key=lambda each: each.started_at, reverse=True)
    return StreamsHeld(
        plays=[
            HeldStream(
                session_id=each.session_id,
                title_id=each.title_id,
                title=each.title,
                device=each.device,
                started_at=each.started_at,
                login_id=each.login_id,
            )
            for each in latest
            if holds(each, now) and each.expires_at > now
        ]
    )


def beside(staying: Sequence[Session], now: datetime) -> list[str]:
    """The logins of the plays that hold a stream."""
    return sorted({each.login_id for each in held(staying, now).plays if each.login_id})


def _makes_way(session: Session, place: Place) -> bool:
    if session.session_id == place.instead_of:
        return True
    return bool(place.streams and place.device_id) and session.device_id == place.device_id
