"""Identity: who someone is. Accounts pay, profiles view; a login opens a session.

Refusal
|-- WrongCredentials   mail and password do not match, or the code is spent or late
|-- NotLoggedIn        the session token is unknown, ended or past its time
|-- AccountExists      the mail address has an account already
|-- AccountInvalid     the mail address or the password is not acceptable, or too many accounts are
|                      asked for; says which
`-- TooManyLogins      more password checks wait than the bulkhead holds
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.errors import Refusal

TOPIC = "identity"


class WrongCredentials(Refusal):
    code = "wrong_credentials"
    status = 401


class NotLoggedIn(Refusal):
    code = "not_logged_in"
    status = 401


class AccountExists(Refusal):
    code = "account_exists"
    status = 409


class AccountInvalid(Refusal):
    code = "account_invalid"
    status = 422


class TooManyLogins(Refusal):
    code = "too_many_logins"
    status = 429


class Account(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    email: str
    profile_id: ProfileId
    profile_name: str
    created_at: datetime


class CreateAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Without a password the account is entered by login links only."""

    email: str
    password: str | None = None
    profile_name: str = ""


class GetAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """At most 200; those that there are not are left out."""

    account_ids: list[AccountId]


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    accounts: list[Account]


class Login(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    password: str


class LoginGranted(msgspec.Struct, frozen=True, kw_only=True):
    """``token`` is opaque: a cookie for browsers, a bearer token for devices and scripts."""

    token: str
    account: Account
    expires_at: datetime


class IssueLoginLink(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code for ``email``; ``create`` makes the account where there is none."""

    email: str
    create: bool = False
    ttl_s: int = 3600


class LoginLink(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    expires_at: datetime


class RedeemLoginLink(msgspec.Struct, frozen=True, kw_only=True):
    code: str


class IssueOperatorLink(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time code with which the operator's own browser logs in."""

    ttl_s: int = 300


class RedeemOperatorLink(msgspec.Struct, frozen=True, kw_only=True):
    code: str


class OperatorGranted(msgspec.Struct, frozen=True, kw_only=True):
    """``token`` is opaque, and ends at ``expires_at`` however much it is used."""

    token: str
    expires_at: datetime


class Authenticate(msgspec.Struct, frozen=True, kw_only=True):
    token: str


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a token names. The operator has no account: both ids are empty."""

    role: Literal["member", "operator"]
    account_id: AccountId
    profile_id: ProfileId
    email: str = ""
    profile_name: str = ""


class Logout(msgspec.Struct, frozen=True, kw_only=True):
    token: str


class LoggedOut(msgspec.Struct, frozen=True, kw_only=True):
    pass


class AccountCreated(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    account_id: AccountId
    profile_id: ProfileId


class Identity(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (
        WrongCredentials,
        NotLoggedIn,
        AccountExists,
        AccountInvalid,
        TooManyLogins,
    )

    async def create_account(self, request: CreateAccount) -> Account: ...

    async def get_accounts(self, request: GetAccounts) -> AccountList: ...

    async def login(self, request: Login) -> LoginGranted: ...

    async def issue_login_link(self, request: IssueLoginLink) -> LoginLink: ...

    async def redeem_login_link(self, request: RedeemLoginLink) -> LoginGranted: ...

    async def authenticate(self, request: Authenticate) -> Caller: ...

    async def logout(self, request: Logout) -> LoggedOut: ...

    async def issue_operator_link(self, request: IssueOperatorLink) -> LoginLink: ...

    async def redeem_operator_link(self, request: RedeemOperatorLink) -> OperatorGranted: ...
