"""Staff, their roles and tokens, and the log of what they did."""

from typing import Annotated
from urllib.parse import quote

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from cuemark.contracts.identity import IssueOperatorLink
from cuemark.contracts.identity.logins import LoginsEnded
from cuemark.contracts.identity.staff import (
    ActPage,
    AddStaff,
    EndStaffLogins,
    IssueStaffToken,
    ListActs,
    ListStaff,
    RemoveStaff,
    SetStaffRole,
    StaffList,
    StaffMember,
    StaffToken,
    Verdict,
    VerifyActs,
)
from cuemark.contracts.ids import StaffId
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.staff.acting import name_subject
from cuemark.gateway.views import API, IdText, Limit, Line, OperatorLinkView, View

_STAFF = f"{API}/staff/{{staff_id:str}}"
_READ = {"access": "operator", "staff": "staff.read"}
_WRITE = {"access": "operator", "staff": "staff.write"}
_AUDIT = {"access": "operator", "staff": "audit.read"}

Number = Annotated[int, QueryParameter(ge=0, le=2**62)]
Digest = Annotated[str, QueryParameter(max_length=64, pattern=r"^([0-9a-f]{64})?\Z")]
StaffText = Annotated[str, QueryParameter(max_length=64, pattern=r"^[A-Za-z0-9_]*\Z")]


class StaffBody(View, frozen=True):
    email: Line
    role: IdText


class RoleBody(View, frozen=True):
    role: IdText


class TokenBody(View, frozen=True):
    """From an hour to a year."""

    ttl_s: Annotated[int, Meta(ge=3600, le=365 * 86_400)] = 30 * 86_400


@get(f"{API}/staff", opt=_READ, tags=["staff"])
async def list_staff(parts: Parts) -> StaffList:
    return await parts.identity.list_staff(ListStaff())


@post(f"{API}/staff", opt=_WRITE, tags=["staff"])
async def add_staff(data: JSONBody[StaffBody], parts: Parts, request: AnyRequest) -> StaffMember:
    name_subject(request, f"{data.email} {data.role}")
    by_role = request.user.staff_role
    return await parts.identity.add_staff(
        AddStaff(email=data.email, role=data.role, by_role=by_role)
    )


@put(f"{_STAFF}/role", opt=_WRITE, tags=["staff"])
async def set_staff_role(
    staff_id: FromPath[str], data: JSONBody[RoleBody], parts: Parts, request: AnyRequest
) -> StaffMember:
    name_subject(request, data.role)
    by_role = request.user.staff_role
    return await parts.identity.set_staff_role(
        SetStaffRole(staff_id=StaffId(staff_id), role=data.role, by_role=by_role)
    )


@delete(_STAFF, opt=_WRITE, status_code=200, tags=["staff"])
async def remove_staff(staff_id: FromPath[str], parts: Parts, request: AnyRequest) -> StaffMember:
    by_role = request.user.staff_role
    return await parts.identity.remove_staff(
        RemoveStaff(staff_id=StaffId(staff_id), by_role=by_role)
    )


@post(f"{_STAFF}/tokens", opt=_WRITE, tags=["staff"])
async def issue_staff_token(
    staff_id: FromPath[str], data: JSONBody[TokenBody], parts: Parts, request: AnyRequest
) -> StaffToken:
    by_role = request.user.staff_role
    return await parts.identity.issue_staff_token(
        IssueStaffToken(staff_id=StaffId(staff_id), ttl_s=data.ttl_s, by_role=by_role)
    )


@delete(f"{_STAFF}/logins", opt=_WRITE, status_code=200, tags=["staff"])
async def end_staff_logins(
    staff_id: FromPath[str], parts: Parts, request: AnyRequest
) -> LoginsEnded:
    """Every token and browser of one of staff: no act is begun with them from now on."""
    by_role = request.user.staff_role
    return await parts.identity.end_staff_logins(
        EndStaffLogins(staff_id=StaffId(staff_id), by_role=by_role)
    )


@post(f"{_STAFF}/link", opt=_WRITE, tags=["staff"])
async def issue_staff_link(
    staff_id: FromPath[str], parts: Parts, request: AnyRequest
) -> OperatorLinkView:
    """A link with which one of staff logs in to the pages of operations once, within an hour."""
    link = await parts.identity.issue_operator_link(
        IssueOperatorLink(staff_id=StaffId(staff_id), by_role=request.user.staff_role, ttl_s=3600)
    )
    url = f"{parts.base_url()}/operations/login#code={quote(link.code, safe='')}"
    return OperatorLinkView(url=url, expires_at=link.expires_at)


@get(f"{API}/acts", opt=_AUDIT, tags=["staff"])
async def list_acts(
    parts: Parts,
    before: Number = 0,
    limit: Limit = 50,
    staff_id: StaffText = "",
) -> ActPage:
    """What staff did, the latest first."""
    return await parts.identity.list_acts(
        ListActs(before=before, limit=limit, staff_id=StaffId(staff_id))
    )


@get(f"{API}/acts/verdict", opt=_AUDIT, tags=["staff"])
async def verify_acts(parts: Parts, number: Number = 0, digest: Digest = "") -> Verdict:
    """Whether the log is what was written, and still has an entry that was noted elsewhere."""
    return await parts.identity.verify_acts(VerifyActs(number=number, digest=digest))
