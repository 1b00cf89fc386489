"""The making of a title's versions, and what can be done about it."""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.encoding.versions import CaptionRole, Codec
from cuemark.contracts.ids import TitleId, UploadId, VersionId
from cuemark.kit.errors import Refusal

Effort = Literal["fast", "balanced", "best"]
"""What a title may cost: ``best`` gives fewer bits for the same quality and takes more CPU than
``balanced``, and ``fast`` the other way around."""

FilmGrain = Literal["auto", "off"]
"""Whether grain is synthesized by players where a film has it and a codec can: ``auto``; or all
codecs keep what they can of it: ``off``."""

Priority = Literal["premiere", "normal", "backlog"]
"""Whose turn it is among titles: all of a premiere goes before what is normal, and all of that
before the backlog. What is in hand is finished first."""

Stage = Literal[
    "inspect",
    "shots",
    "quick",
    "probes",
    "ladder",
    "encode",
    "verify",
    "audio",
    "captions",
    "package",
    "publish",
]


class MasterRejected(Refusal):
    code = "master_rejected"
    status = 422


class JobOver(Refusal):
    code = "job_over"
    status = 409


class JobNotOver(Refusal):
    code = "job_not_over"
    status = 409


class CaptionSource(msgspec.Struct, frozen=True, kw_only=True):
    """``language`` is BCP 47; the upload is SRT, WebVTT or TTML.

    A title has one for each language and role.
    """

    language: str
    upload_id: UploadId
    role: CaptionRole = "subtitles"


class Ingest(msgspec.Struct, frozen=True, kw_only=True):
    """Without an ``effort`` or ``codecs`` they are those that the install has set.

    ``codecs`` are what the full version is made in; H.264 is among them whether named or not.
    ``crypto_period_s`` is how long a key is used at most, 0 for the whole film; None is what the
    install has set. ``marked`` pictures are made in two variants, by which a copy tells the session
    that it was taken from.
    """

    title_id: TitleId
    upload_id: UploadId
    captions: list[CaptionSource] = []
    effort: Effort | None = None
    codecs: list[Codec] | None = None
    priority: Priority = "normal"
    crypto_period_s: float | None = None
    marked: bool = False


class GetJob(msgspec.Struct, frozen=True, kw_only=True):
    version_id: VersionId


class ListJobs(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200."""

    after: str = ""
    limit: int = 50


class StageProgress(msgspec.Struct, frozen=True, kw_only=True):
    """``done`` of ``total`` units of work; a stage that is not planned yet has no entry."""

    stage: Stage
    done: int
    total: int


class TaskFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The piece of work for which a job failed, and its log.

    ``kind`` is what was to be done ("encode", "score"), ``made_for`` what it was for; frames
    ``start`` to ``end`` (not included) of the film are ``from_s`` to ``to_s`` seconds, and all of
    them None where the work is not of one stretch. ``worker`` made the last of the ``attempts``
    and ``command`` is the command line that it ran, ``exit_code`` (negative for a signal) and
    ``stderr`` how that ended; all three are empty where the worker itself was ended.
    """

    kind: str
    stage: Stage
    made_for: str
    attempts: int
    worker: str
    start: int | None = None
    end: int | None = None
    from_s: float | None = None
    to_s: float | None = None
    command: list[str] = []
    exit_code: int | None = None
    stderr: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The making of a title's versions from one master.

    ``version_id`` names the full version and, with it, the job. ``watchable_s`` and ``good_s``
    are the seconds from ingest to the quick and the full version's publication. ``trace_id`` is
    that of the request which asked for it, and of all that was done for it. ``notes`` are
    sentences on what was done to the film that its owner may not expect. ``waiting`` says what
    keeps a running job from going on; it goes on by itself. ``codecs`` are what the full version is
    made in. ``canceled_by`` says who ended a failed job that nothing was wrong with, and
    ``failure`` has the log of the piece of work for which one failed, where it was one. ``tries``
    is how often it was begun again on request. ``marked`` is as in ``Ingest``.
    """

    version_id: VersionId
    title_id: TitleId
    state: Literal["waiting", "running", "done", "failed"]
    quick_version_id: VersionId | None
    stages: list[StageProgress]
    created_at: datetime
    watchable_s: float | None = None
    good_s: float | None = None
    error: str = ""
    trace_id: str = ""
    notes: list[str] = []
    waiting: str = ""
    effort: Effort = "balanced"
    codecs: list[Codec] = []
    priority: Priority = "normal"
    canceled_by: str = ""
    failure: TaskFailure | None = None
    tries: int = 0
    marked: bool = False


class JobPage(msgspec.Struct, frozen=True, kw_only=True):
    jobs: list[Job]
    next_cursor: str = ""


class SetPriority(msgspec.Struct, frozen=True, kw_only=True):
    """Raises ``JobOver``."""

    version_id: VersionId
    priority: Priority


class CancelJob(msgspec.Struct, frozen=True, kw_only=True):
    """``by`` is who wants it, for people to read. Of one that was canceled nothing changes.

    Raises ``JobOver``. A quick version that was published stays.
    """

    version_id: VersionId
    by: str


class RetryJob(msgspec.Struct, frozen=True, kw_only=True):
    """Begin a failed job again: what was made for it is found. Raises ``JobNotOver``."""

    version_id: VersionId


class ListJobEvents(msgspec.Struct, frozen=True, kw_only=True):
    """The oldest first. ``after`` is the ``next_cursor`` of the page before; ``limit`` 1 to 200."""

    version_id: VersionId
    after: str = ""
    limit: int = 50


class JobEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the log that tells of a job: ``kind`` names it as a message of this contract.

    Of ``JobProgressed`` it has ``stage``, ``done``, ``total`` and ``percent``; ``text`` is a
    sentence, where there is one to say.
    """

    kind: str
    at: datetime
    stage: str = ""
    done: int = 0
    total: int = 0
    percent: int = 0
    quality: str = ""
    text: str = ""


class JobEventPage(msgspec.Struct, frozen=True, kw_only=True):
    """``next_cursor`` is where the next page begins, also when there is nothing yet."""

    events: list[JobEvent]
    next_cursor: str
