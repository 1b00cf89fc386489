"""What operators see and do beside the films: accounts, login links, appliances."""

import asyncio
from urllib.parse import quote

from litestar import get, post
from litestar.params import FromPath, JSONBody

from cuemark.contracts.identity import (
    Account,
    CreateAccount,
    IssueLoginLink,
    IssueOperatorLink,
)
from cuemark.contracts.identity.logins import EndLogins, LoginsEnded
from cuemark.contracts.ids import PlaySessionId
from cuemark.contracts.playback import ListPlays, PlayEnded, PlayPage, StopPlay
from cuemark.contracts.steering import ApplianceList, ListAppliances
from cuemark.gateway.account_views import EmailBody
from cuemark.gateway.parts import AnyRequest, Parts
from cuemark.gateway.staff.acting import name_subject
from cuemark.gateway.views import (
    API,
    AccountBody,
    Cursor,
    ErrorListView,
    Limit,
    LoginLinkBody,
    LoginLinkView,
    OperatorLinkView,
)


@post(f"{API}/accounts", opt={"access": "operator", "staff": "members.create"}, tags=["operators"])
async def create_account(data: JSONBody[AccountBody], parts: Parts, request: AnyRequest) -> Account:
    name_subject(request, data.email)
    return await parts.identity.create_account(
        CreateAccount(email=data.email, password=data.password, profile_name=data.profile_name)
    )


@post(
    f"{API}/accounts/log-out",
    opt={"access": "operator", "staff": "members.log_out"},
    status_code=200,
    tags=["operators"],
)
async def log_account_out(
    data: JSONBody[EmailBody], parts: Parts, request: AnyRequest
) -> LoginsEnded:
    """Every login of the account ends, within a second everywhere."""
    name_subject(request, data.email)
    return await parts.identity.end_logins(EndLogins(email=data.email))


@post(
    f"{API}/login-links", opt={"access": "operator", "staff": "members.enter"}, tags=["operators"]
)
async def issue_login_link(
    data: JSONBody[LoginLinkBody], parts: Parts, request: AnyRequest
) -> LoginLinkView:
    """The code stands in the URL's fragment, which no browser sends and no server logs."""
    name_subject(request, data.email)
    link = await parts.identity.issue_login_link(
        IssueLoginLink(email=data.email, create=data.create, ttl_s=data.ttl_s)
    )
    url = f"{parts.base_url()}/login#code={quote(link.code, safe='')}"
    return LoginLinkView(code=link.code, url=url, expires_at=link.expires_at)


@get(
    f"{API}/appliances", opt={"access": "operator", "staff": "appliances.read"}, tags=["operators"]
)
async def list_appliances(parts: Parts) -> ApplianceList:
    return await parts.steering.list_appliances(ListAppliances())


@get(f"{API}/plays", opt={"access": "operator", "staff": "plays.read"}, tags=["operators"])
async def list_plays(parts: Parts, after: Cursor = "", limit: Limit = 50) -> PlayPage:
    return await parts.playback.list_plays(ListPlays(after=after, limit=limit))


@post(
    f"{API}/plays/{{session_id:str}}/stop",
    opt={"access": "operator", "staff": "plays.stop"},
    status_code=200,
    tags=["operators"],
)
async def stop_play(session_id: FromPath[str], parts: Parts) -> PlayEnded:
    """The play of any account: its media and its keys are refused from within a second on."""
    return await parts.playback.stop(StopPlay(session_id=PlaySessionId(session_id)))


@get(f"{API}/errors", opt={"access": "operator", "staff": "errors.read"}, tags=["operators"])
async def list_errors(parts: Parts, limit: Limit = 20) -> ErrorListView:
    """From the end of the structured log of the machine that the gateway runs on."""
    return ErrorListView(errors=await asyncio.to_thread(parts.last_errors, limit))


@post(
    f"{API}/operator-links", opt={"access": "operator", "staff": "self.enter"}, tags=["operators"]
)
async def issue_operator_link(parts: Parts, request: AnyRequest) -> OperatorLinkView:
    """A link with which a browser logs in to the pages of operations once, within five minutes, as
    who asks for it."""
    caller = request.user
    link = await parts.identity.issue_operator_link(
        IssueOperatorLink(staff_id=caller.staff_id, by_role=caller.staff_role)
    )
    url = f"{parts.base_url()}/operations/login#code={quote(link.code, safe='')}"
    return OperatorLinkView(url=url, expires_at=link.expires_at)
