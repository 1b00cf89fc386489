"""Which of the two variants of a marked version a copy shows that somebody found."""

from typing import Literal

import msgspec

from cuemark.contracts.ids import UploadId, VersionId
from cuemark.kit.errors import Refusal


class NotMarked(Refusal):
    code = "not_marked"
    status = 409


class UnknownMarkSearch(Refusal):
    code = "unknown_mark_search"
    status = 404


class FindMark(msgspec.Struct, frozen=True, kw_only=True):
    """Look into an uploaded copy for the mark of a version.

    Raises ``UnknownVersion``, ``NotMarked``, ``UnknownUpload`` and ``UploadIncomplete``. Asked
    again for the same copy it is the same search; one that failed is begun again.
    """

    version_id: VersionId
    upload_id: UploadId


class GetMarkSearch(msgspec.Struct, frozen=True, kw_only=True):
    """Raises ``UnknownMarkSearch``."""

    search_id: str


class MarkEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy shows: from the version's segment ``first_segment`` (0 on) on, for each segment
    how much it is like variant a (above 0) or b (below), in code values of luma of 8 bits; 0 where
    it shows too little of one.

    ``agreement`` is how sure it is that this is the film at all, up to 1.
    """

    first_segment: int
    values: list[float]
    agreement: float


class MarkSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A search ``failed`` with a sentence in ``error`` where the copy is no film that can be read,
    or shows nothing of this one; ``evidence`` is there when it is ``done``."""

    search_id: str
    version_id: VersionId
    state: Literal["running", "done", "failed"]
    error: str = ""
    evidence: MarkEvidence | None = None
