"""What operators see and do beside the films: accounts, login links, appliances."""

from urllib.parse import quote

from litestar import get, post
from litestar.params import JSONBody

from cuemark.contracts.identity import Account, CreateAccount, IssueLoginLink
from cuemark.contracts.steering import ApplianceList, ListAppliances
from cuemark.gateway.parts import Parts
from cuemark.gateway.views import API, AccountBody, LoginLinkBody, LoginLinkView


@post(f"{API}/accounts", opt={"access": "operator"}, tags=["operators"])
async def create_account(data: JSONBody[AccountBody], parts: Parts) -> Account:
    return await parts.identity.create_account(
        CreateAccount(email=data.email, password=data.password, profile_name=data.profile_name)
    )


@post(f"{API}/login-links", opt={"access": "operator"}, tags=["operators"])
async def issue_login_link(data: JSONBody[LoginLinkBody], parts: Parts) -> LoginLinkView:
    """The code stands in the URL's fragment, which no browser sends and no server logs."""
    link = await parts.identity.issue_login_link(
        IssueLoginLink(email=data.email, create=data.create, ttl_s=data.ttl_s)
    )
    url = f"{parts.base_url()}/login#code={quote(link.code, safe='')}"
    return LoginLinkView(code=link.code, url=url, expires_at=link.expires_at)


@get(f"{API}/appliances", opt={"access": "operator"}, tags=["operators"])
async def list_appliances(parts: Parts) -> ApplianceList:
    return await parts.steering.list_appliances(ListAppliances())
