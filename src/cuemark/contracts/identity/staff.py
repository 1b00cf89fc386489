"""Staff: who runs the service, in which role, and what they did.

A role allows actions, whose names are the gateway's (``noun.verb``). Whoever has the token of the
installation is its owner, and so is a browser that was let in by a link of that.

``begin_act`` asks whether somebody may do something and writes the answer into the log of acts, in
one transaction: where the log cannot be written, the answer is no. ``end_act`` adds what came of
it. Nothing in the log is ever changed; ``verify_acts`` says whether that held.
"""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.ids import StaffId
from cuemark.kit.errors import Refusal

OWNER = "owner"


class StaffInvalid(Refusal):
    code = "staff_invalid"
    status = 422


class StaffExists(Refusal):
    code = "staff_exists"
    status = 409


class UnknownStaff(Refusal):
    code = "unknown_staff"
    status = 404


class NotAllowed(Refusal):
    code = "not_allowed"
    status = 403


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """``logins`` are the browsers and tokens that are open now."""

    staff_id: StaffId
    email: str
    role: str
    created_at: datetime
    logins: int = 0


class AddStaff(msgspec.Struct, frozen=True, kw_only=True):
    """``by_role`` is the role of who adds: nobody gives a role that may do what theirs may not."""

    email: str
    role: str
    by_role: str = OWNER


class ListStaff(msgspec.Struct, frozen=True, kw_only=True):
    pass


class StaffList(msgspec.Struct, frozen=True, kw_only=True):
    """Those who are there, by mail address, and every role with what it allows."""

    staff: list[StaffMember]
    roles: dict[str, list[str]]


class SetStaffRole(msgspec.Struct, frozen=True, kw_only=True):
    """``by_role`` as in ``AddStaff``; it has to allow what the role before did, too."""

    staff_id: StaffId
    role: str
    by_role: str = OWNER


class RemoveStaff(msgspec.Struct, frozen=True, kw_only=True):
    """What they did stays in the log."""

    staff_id: StaffId
    by_role: str = OWNER


class IssueStaffToken(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token for the API; ``ttl_s`` from an hour to a year."""

    staff_id: StaffId
    ttl_s: int = 30 * 86_400
    by_role: str = OWNER


class StaffToken(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    expires_at: datetime


class EndStaffLogins(msgspec.Struct, frozen=True, kw_only=True):
    """Every token and browser of one of staff: nothing that is begun after it is allowed."""

    staff_id: StaffId
    by_role: str = OWNER


class BeginAct(msgspec.Struct, frozen=True, kw_only=True):
    """``token`` says who asks. ``subject`` is what it is done to, and ``writes`` whether it may
    change anything; ``client_address`` is kept as it is."""

    token: str
    action: str
    subject: str = ""
    writes: bool = True
    client_address: str = ""
    trace_id: str = ""


class ActBegun(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` is that of the entry, 0 where none was needed: a look of the owner's.

    ``allowed`` is all that the role may do.
    """

    number: int
    staff_id: StaffId
    role: str
    allowed: list[str]


class EndAct(msgspec.Struct, frozen=True, kw_only=True):
    """``status`` is the answer's, by HTTP; ``subject`` what was found out about it meanwhile."""

    number: int
    status: int
    subject: str = ""


class ActEnded(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the log. ``begun`` and ``refused`` are the answers of ``begin_act``; ``done`` and
    ``failed`` are what came of the entry ``of``, with the answer's ``status``.

    ``digest`` is an HMAC over the entry and the digest before, in hex.
    """

    number: int
    at: datetime
    staff_id: StaffId
    who: str
    role: str
    action: str
    subject: str
    result: Literal["begun", "refused", "done", "failed"]
    of: int
    status: int
    client_address: str
    trace_id: str
    digest: str


class ListActs(msgspec.Struct, frozen=True, kw_only=True):
    """The latest first; ``before`` is a number, 0 for the end of the log."""

    before: int = 0
    limit: int = 50
    staff_id: StaffId = StaffId("")


class ActPage(msgspec.Struct, frozen=True, kw_only=True):
    """``next_before`` is 0 at the log's beginning."""

    acts: list[Act]
    next_before: int = 0


class VerifyActs(msgspec.Struct, frozen=True, kw_only=True):
    """``number`` and ``digest`` are of an entry that was noted elsewhere, if one was: it has to be
    there still. A log that was put back to an older one as a whole shows by nothing else."""

    number: int = 0
    digest: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``fault`` says what is wrong, and ``first_wrong`` with which number it begins; both are empty
    where nothing is. ``head`` is the digest of the last entry, to be noted elsewhere."""

    entries: int
    head: str
    first_wrong: int = 0
    fault: str = ""
