"""The events of the log that tell of jobs, as a client of the API sees them."""

from typing import get_args

import msgspec

from cuemark.contracts.encoding.events import (
    EncodingFailed,
    JobCanceled,
    JobPrioritized,
    JobProgressed,
    JobRetried,
    VersionPublished,
)
from cuemark.contracts.encoding.jobs import JobEvent
from cuemark.kit.outbox import Entry

_OfJob = (
    VersionPublished | EncodingFailed | JobProgressed | JobCanceled | JobRetried | JobPrioritized
)
_KINDS = {kind.__name__ for kind in get_args(_OfJob)}


def job_of(entry: Entry) -> str:
    """The version that an entry tells of; empty where it is of no job."""
    return _decoded(entry).version_id if entry.kind in _KINDS else ""


def event_of(entry: Entry) -> JobEvent:
    """An entry for which ``job_of`` is not empty."""
    event = _decoded(entry)
    found = JobEvent(kind=entry.kind, at=entry.occurred_at)
    match event:
        case JobProgressed():
            return msgspec.structs.replace(
                found,
                stage=event.stage,
                done=event.done,
                total=event.total,
                percent=event.percent,
            )
        case VersionPublished():
            text = f"the {event.quality} version is published"
            return msgspec.structs.replace(found, quality=event.quality, text=text)
        case EncodingFailed():
            return msgspec.structs.replace(found, text=event.error)
        case JobCanceled():
            return msgspec.structs.replace(found, text=f"canceled by {event.by}")
        case JobPrioritized():
            return msgspec.structs.replace(found, text=f"its priority is {event.priority} now")
        case JobRetried():
            return msgspec.structs.replace(found, text="begun again")


def _decoded(entry: Entry) -> _OfJob:
    event: _OfJob = msgspec.json.decode(entry.body, type=_OfJob)
    return event
