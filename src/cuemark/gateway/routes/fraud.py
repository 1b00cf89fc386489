"""What speaks against logins, cards and households: to operators, and to a member of their own."""

from typing import Annotated

from litestar import get, post
from litestar.params import FromPath, QueryParameter

from cuemark.contracts.fraud import (
    ExplainAccount,
    Explanation,
    FindingPage,
    Forgive,
    Forgiven,
    Kind,
    ListFindings,
)
from cuemark.contracts.identity import GetAccounts
from cuemark.contracts.ids import AccountId
from cuemark.gateway.errors import NotFound
from cuemark.gateway.parts import AnyRequest, GatewayParts, Parts
from cuemark.gateway.views import API, Cursor, Limit

KindAsked = Annotated[Kind | None, QueryParameter()]


@get(f"{API}/fraud/findings", opt={"access": "operator", "staff": "fraud.read"}, tags=["fraud"])
async def list_findings(
    parts: Parts, kind: KindAsked = None, after: Cursor = "", limit: Limit = 50
) -> FindingPage:
    """Those that hold, the newest first."""
    return await parts.fraud.list_findings(ListFindings(kind=kind, after=after, limit=limit))


@get(
    f"{API}/accounts/{{account_id:str}}/fraud",
    opt={"access": "operator", "staff": "fraud.read"},
    tags=["fraud"],
)
async def explain_account(account_id: FromPath[str], parts: Parts) -> Explanation:
    """All that speaks against an account, with its reasons, and where it was seen."""
    email = await _email_of(parts, AccountId(account_id))
    return await parts.fraud.explain(ExplainAccount(account_id=AccountId(account_id), email=email))


@post(
    f"{API}/accounts/{{account_id:str}}/fraud/forgiveness",
    opt={"access": "operator", "staff": "fraud.forgive"},
    status_code=200,
    tags=["fraud"],
)
async def forgive_account(account_id: FromPath[str], parts: Parts) -> Forgiven:
    """Nothing speaks against the account any more, and counting begins anew."""
    email = await _email_of(parts, AccountId(account_id))
    return await parts.fraud.forgive(Forgive(account_id=AccountId(account_id), email=email))


@get(f"{API}/account/findings", opt={"access": "member"}, tags=["fraud"])
async def list_own_findings(parts: Parts, request: AnyRequest) -> Explanation:
    """What is kept of the caller."""
    caller = request.user
    return await parts.fraud.explain(
        ExplainAccount(account_id=caller.account_id, email=caller.email)
    )


async def _email_of(parts: GatewayParts, account_id: AccountId) -> str:
    found = await parts.identity.get_accounts(GetAccounts(account_ids=[account_id]))
    if not found.accounts:
        raise NotFound("There is no such account.")
    return found.accounts[0].email
