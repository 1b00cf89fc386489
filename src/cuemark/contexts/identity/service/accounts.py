"""Accounts are made by the operator or from a letter, and entered by links."""

from datetime import timedelta

from cuemark.contexts.identity.model import credentials, devices
from cuemark.contexts.identity.service.factors import Factors
from cuemark.contexts.identity.service.logins import Logins, alone
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.service.staff import Staff
from cuemark.contexts.identity.store import accounts as store
from cuemark.contexts.identity.store import codes, links, profiles
from cuemark.contexts.identity.store.codes import Code, Purpose
from cuemark.contracts.identity import (
    TOPIC,
    Account,
    AccountCreated,
    AccountExists,
    AccountInvalid,
    AccountList,
    CreateAccount,
    GetAccounts,
    IssueLoginLink,
    IssueOperatorLink,
    LoginBegun,
    LoginGranted,
    LoginLink,
    NotLoggedIn,
    OperatorGranted,
    RedeemLoginLink,
    RedeemOperatorLink,
    WrongCredentials,
)
from cuemark.contracts.identity.changing import AccountDescription, DescribeAccount
from cuemark.contracts.identity.joining import CodeSpent
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.database import Transaction
from cuemark.kit.pages import MOST_ROWS

ACCOUNT, PROFILE = "acc", "prf"
LONGEST_LINK = timedelta(days=7)
OPERATOR_LOGIN_LASTS = timedelta(hours=12)
LONGEST_OPERATOR_LINK = timedelta(hours=1)


class Accounts:
    def __init__(self, parts: Parts, logins: Logins, factors: Factors, staff: Staff) -> None:
        self._parts = parts
        self._logins = logins
        self._factors = factors
        self._staff = staff

    async def create(self, request: CreateAccount) -> Account:
        email = credentials.checked_email(request.email)
        name = credentials.checked_profile_name(request.profile_name, email)
        password_hash = None
        if request.password is not None:
            password = credentials.checked_new_password(request.password, email)
            password_hash = await self._parts.hashed(password)
        async with self._parts.database.transaction() as transaction:
            account = await add_account(self._parts, transaction, email, name, password_hash)
        if account is None:
            raise AccountExists(f"The mail address {email} has an account already.")
        return account

    async def get(self, request: GetAccounts) -> AccountList:
        if len(request.account_ids) > MOST_ROWS:
            raise AccountInvalid(f"Ask for {MOST_ROWS} accounts at most.")
        async with self._parts.database.transaction() as transaction:
            return AccountList(accounts=await store.accounts(transaction, request.account_ids))

    async def describe(self, request: DescribeAccount) -> AccountDescription:
        async with self._parts.database.transaction() as transaction:
            found = await store.with_hash(transaction, request.account_id)
            if found is None:
                raise NotLoggedIn("The account is no more.")
            household = await profiles.of_account(transaction, request.account_id)
            factors = await self._factors.describe(transaction, request.account_id)
        account, password_hash = found
        return AccountDescription(
            account_id=account.account_id,
            email=account.email,
            created_at=account.created_at,
            has_password=password_hash is not None,
            profiles=household,
            factors=factors,
        )

    async def issue_login_link(self, request: IssueLoginLink) -> LoginLink:
        """``ttl_s`` is taken as 1 s at least and 7 days at most."""
        email = credentials.checked_email(request.email)
        now = self._parts.clock.now()
        lasts_s = min(max(request.ttl_s, 1), LONGEST_LINK.total_seconds())
        link = LoginLink(code=credentials.new_token(), expires_at=now + timedelta(seconds=lasts_s))
        async with self._parts.database.transaction() as transaction:
            account_id = await self._account_for_link(transaction, email, create=request.create)
            await links.add_link(
                transaction, credentials.digest_of(link.code), account_id, now, link.expires_at
            )
        return link

    async def redeem_login_link(self, request: RedeemLoginLink) -> LoginGranted:
        """For callers who know no second step; ``FactorNeeded``, and the link is spent."""
        return alone(await self.begin_by_link(request))

    async def begin_by_link(self, request: RedeemLoginLink) -> LoginBegun:
        if not credentials.is_token(request.code):
            raise _link_spent()
        code_sha256 = credentials.digest_of(request.code)
        async with self._parts.database.transaction() as transaction:
            account_id = await links.spend_link(transaction, code_sha256, self._parts.clock.now())
            if account_id is None:
                raise _link_spent()
            account = await store.account(transaction, account_id)
            network = devices.network_of(request.client_address)
            return await self._logins.enter(transaction, account, request.device, network)

    async def issue_operator_link(self, request: IssueOperatorLink) -> LoginLink:
        """``ttl_s`` is taken as 1 s at least and ``LONGEST_OPERATOR_LINK`` at most."""
        now = self._parts.clock.now()
        lasts_s = min(max(request.ttl_s, 1), LONGEST_OPERATOR_LINK.total_seconds())
        if request.staff_id:
            return await self._staff.issue_link(request, timedelta(seconds=lasts_s))
        link = LoginLink(code=credentials.new_token(), expires_at=now + timedelta(seconds=lasts_s))
        async with self._parts.database.transaction() as transaction:
            code_sha256 = credentials.digest_of(link.code)
            await links.add_operator_link(transaction, code_sha256, now, link.expires_at)
        return link

    async def redeem_operator_link(self, request: RedeemOperatorLink) -> OperatorGranted:
        if not credentials.is_token(request.code):
            raise _link_spent()
        now = self._parts.clock.now()
        granted = OperatorGranted(
            token=credentials.new_token(), expires_at=now + OPERATOR_LOGIN_LASTS
        )
        async with self._parts.database.transaction() as transaction:
            code_sha256 = credentials.digest_of(request.code)
            staffs = await self._staff.redeem(transaction, code_sha256)
            if staffs is not None:
                return staffs
            if not await links.spend_operator_link(transaction, code_sha256, now):
                raise _link_spent()
            token_sha256 = credentials.digest_of(granted.token)
            await links.add_operator_login(transaction, token_sha256, now, granted.expires_at)
        return granted

    async def _account_for_link(
        self, transaction: Transaction, email: str, *, create: bool
    ) -> AccountId:
        if create:
            name = credentials.checked_profile_name("", email)
            account = await add_account(self._parts, transaction, email, name, None)
            if account is not None:
                return account.account_id
        found = await store.account_by_email(transaction, email)
        if found is None:
            raise AccountInvalid(f"No account has the mail address {email}: create it first.")
        return found[0].account_id


async def add_account(
    parts: Parts, transaction: Transaction, email: str, profile_name: str, password_hash: str | None
) -> Account | None:
    """A new account, told to the log; None where the mail address has one."""
    account = Account(
        account_id=AccountId(parts.ids.new(ACCOUNT)),
        email=email,
        profile_id=ProfileId(parts.ids.new(PROFILE)),
        profile_name=profile_name,
        created_at=parts.clock.now(),
    )
    if not await store.add_account(transaction, account, password_hash):
        return None
    created = AccountCreated(account_id=account.account_id, profile_id=account.profile_id)
    await parts.log.append(transaction, TOPIC, account.account_id, created)
    return account


async def awaited(parts: Parts, code: str, purpose: Purpose) -> Code:
    """What a code is good for, without spending it; ``CodeSpent``."""
    found = None
    if credentials.is_token(code):
        async with parts.database.transaction() as transaction:
            code_sha256 = credentials.digest_of(code)
            found = await codes.find_code(transaction, code_sha256, purpose, parts.clock.now())
    if found is None:
        raise code_spent()
    return found


async def spent(parts: Parts, transaction: Transaction, code: str, purpose: Purpose) -> Code:
    """Spend a code that came by mail; ``CodeSpent``."""
    found = None
    if credentials.is_token(code):
        code_sha256 = credentials.digest_of(code)
        found = await codes.spend_code(transaction, code_sha256, purpose, parts.clock.now())
    if found is None:
        raise code_spent()
    return found


def code_spent() -> CodeSpent:
    return CodeSpent("This link was used already or is past its time: ask for another letter.")


def _link_spent() -> WrongCredentials:
    return WrongCredentials(
        "This login link was used already or is past its time: ask for another."
    )
