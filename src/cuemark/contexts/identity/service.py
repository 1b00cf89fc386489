"""Identity: accounts are made, logins open and end, tokens become callers."""

import contextlib
import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from cuemark.contexts.identity import model, store
from cuemark.contracts.identity import (
    TOPIC,
    Account,
    AccountCreated,
    AccountExists,
    AccountInvalid,
    AccountList,
    Authenticate,
    Caller,
    CreateAccount,
    GetAccounts,
    Identity,
    IssueLoginLink,
    IssueOperatorLink,
    LoggedOut,
    Login,
    LoginGranted,
    LoginLink,
    Logout,
    NotLoggedIn,
    OperatorGranted,
    RedeemLoginLink,
    RedeemOperatorLink,
    TooManyLogins,
    WrongCredentials,
)
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.bulkhead import Bulkhead, BulkheadFull, Place
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database, Transaction
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.pages import MOST_ROWS

ACCOUNT, PROFILE = "acc", "prf"
LOGIN_LASTS = timedelta(days=30)
EXTEND_AFTER = timedelta(hours=1)
LONGEST_LINK = timedelta(days=7)
OPERATOR_LOGIN_LASTS = timedelta(hours=12)
LONGEST_OPERATOR_LINK = timedelta(hours=1)
REMEMBER_S = 1.0
MOST_REMEMBERED = 4096

OPERATOR = Caller(role="operator", account_id=AccountId(""), profile_id=ProfileId(""))


class IdentityService(Identity):
    """A login lasts 30 days from its last use, written at most once an hour.

    An authenticated token is remembered for ``REMEMBER_S``; a logout takes effect at once in
    this process, and after that time in every other.
    """

    def __init__(
        self,
        database: Database,
        log: Log,
        clock: Clock,
        ids: Ids,
        *,
        operator_sha256: bytes,
        passwords: model.Passwords,
        bulkhead: Bulkhead,
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock
        self._ids = ids
        self._operator_sha256 = operator_sha256
        self._passwords = passwords
        self._bulkhead = bulkhead
        self._remembered = _Remembered(clock)

    async def create_account(self, request: CreateAccount) -> Account:
        email = model.checked_email(request.email)
        name = model.checked_profile_name(request.profile_name, email)
        password_hash = None
        if request.password is not None:
            password = model.checked_password(request.password)
            with self._place() as place:
                password_hash = await place.run(lambda: self._passwords.hash(password))
        async with self._database.transaction() as transaction:
            account = await self._add_account(transaction, email, name, password_hash)
        if account is None:
            raise AccountExists(f"The mail address {email} has an account already.")
        return account

    async def get_accounts(self, request: GetAccounts) -> AccountList:
        if len(request.account_ids) > MOST_ROWS:
            raise AccountInvalid(f"Ask for {MOST_ROWS} accounts at most.")
        async with self._database.transaction() as transaction:
            return AccountList(accounts=await store.accounts(transaction, request.account_ids))

    async def login(self, request: Login) -> LoginGranted:
        try:
            email = model.checked_email(request.email)
            password = model.checked_password(request.password)
        except AccountInvalid as error:
            raise _wrong_credentials() from error
        with self._place() as place:
            async with self._database.transaction() as transaction:
                found = await store.account_by_email(transaction, email)
            account, password_hash = found or (None, None)
            right, fresh_hash = await place.run(lambda: self._check(password_hash, password))
        if account is None or password_hash is None or not right:
            raise _wrong_credentials()
        async with self._database.transaction() as transaction:
            if fresh_hash is not None:
                await store.replace_password_hash(
                    transaction, account.account_id, password_hash, fresh_hash
                )
            return await self._open_login(transaction, account)

    async def issue_login_link(self, request: IssueLoginLink) -> LoginLink:
        """``ttl_s`` is taken as 1 s at least and 7 days at most."""
        email = model.checked_email(request.email)
        now = self._clock.now()
        lasts_s = min(max(request.ttl_s, 1), LONGEST_LINK.total_seconds())
        link = LoginLink(code=model.new_token(), expires_at=now + timedelta(seconds=lasts_s))
        async with self._database.transaction() as transaction:
            account_id = await self._account_for_link(transaction, email, create=request.create)
            await store.add_link(
                transaction, model.digest_of(link.code), account_id, now, link.expires_at
            )
        return link

    async def redeem_login_link(self, request: RedeemLoginLink) -> LoginGranted:
        if not model.is_token(request.code):
            raise _link_spent()
        code_sha256 = model.digest_of(request.code)
        async with self._database.transaction() as transaction:
            account_id = await store.spend_link(transaction, code_sha256, self._clock.now())
            if account_id is None:
                raise _link_spent()
            account = await store.account(transaction, account_id)
            return await self._open_login(transaction, account)

    async def issue_operator_link(self, request: IssueOperatorLink) -> LoginLink:
        """``ttl_s`` is taken as 1 s at least and ``LONGEST_OPERATOR_LINK`` at most."""
        now = self._clock.now()
        lasts_s = min(max(request.ttl_s, 1), LONGEST_OPERATOR_LINK.total_seconds())
        link = LoginLink(code=model.new_token(), expires_at=now + timedelta(seconds=lasts_s))
        async with self._database.transaction() as transaction:
            code_sha256 = model.digest_of(link.code)
            await store.add_operator_link(transaction, code_sha256, now, link.expires_at)
        return link

    async def redeem_operator_link(self, request: RedeemOperatorLink) -> OperatorGranted:
        if not model.is_token(request.code):
            raise _link_spent()
        now = self._clock.now()
        granted = OperatorGranted(token=model.new_token(), expires_at=now + OPERATOR_LOGIN_LASTS)
        async with self._database.transaction() as transaction:
            code_sha256 = model.digest_of(request.code)
            if not await store.spend_operator_link(transaction, code_sha256, now):
                raise _link_spent()
            token_sha256 = model.digest_of(granted.token)
            await store.add_operator_login(transaction, token_sha256, now, granted.expires_at)
        return granted

    async def authenticate(self, request: Authenticate) -> Caller:
        if not model.is_token(request.token):
            raise _not_logged_in()
        token_sha256 = model.digest_of(request.token)
        if hmac.compare_digest(token_sha256, self._operator_sha256):
            return OPERATOR
        if caller := self._remembered.caller(token_sha256):
            return caller
        ended_before = self._remembered.ended
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            found = await store.login(transaction, token_sha256, now)
            if found is None:
                ends = await store.operator_login(transaction, token_sha256, now)
                if ends is None:
                    raise _not_logged_in()
                caller, expires_at = OPERATOR, ends
            else:
                account, expires_at = found
                caller, until = _caller_of(account), now + LOGIN_LASTS
                if until - expires_at > EXTEND_AFTER:
                    await store.extend_login(transaction, token_sha256, until)
        if ended_before == self._remembered.ended:
            self._remembered.keep(token_sha256, caller, expires_at)
        return caller

    async def logout(self, request: Logout) -> LoggedOut:
        """Ending a login that is not there is no error: it is ended."""
        if model.is_token(request.token):
            token_sha256 = model.digest_of(request.token)
            async with self._database.transaction() as transaction:
                await store.remove_login(transaction, token_sha256)
                await store.remove_operator_login(transaction, token_sha256)
            self._remembered.end(token_sha256)
        return LoggedOut()

    @contextlib.contextmanager
    def _place(self) -> Iterator[Place]:
        try:
            with self._bulkhead.place() as place:
                yield place
        except BulkheadFull as error:
            raise TooManyLogins("Too many logins at once: try again in a moment.") from error

    def _check(self, password_hash: str | None, password: str) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash of it where the kept one is stale."""
        right = self._passwords.matches(password_hash, password)
        if right and password_hash is not None and self._passwords.is_stale(password_hash):
            return True, self._passwords.hash(password)
        return right, None

    async def _add_account(
        self, transaction: Transaction, email: str, profile_name: str, password_hash: str | None
    ) -> Account | None:
        account = Account(
            account_id=AccountId(self._ids.new(ACCOUNT)),
            email=email,
            profile_id=ProfileId(self._ids.new(PROFILE)),
            profile_name=profile_name,
            created_at=self._clock.now(),
        )
        if not await store.add_account(transaction, account, password_hash):
            return None
        created = AccountCreated(account_id=account.account_id, profile_id=account.profile_id)
        await self._log.append(transaction, TOPIC, account.account_id, created)
        return account

    async def _account_for_link(
        self, transaction: Transaction, email: str, *, create: bool
    ) -> AccountId:
        if create:
            name = model.checked_profile_name("", email)
            account = await self._add_account(transaction, email, name, None)
            if account is not None:
                return account.account_id
        found = await store.account_by_email(transaction, email)
        if found is None:
            raise AccountInvalid(f"No account has the mail address {email}: create it first.")
        return found[0].account_id

    async def _open_login(self, transaction: Transaction, account: Account) -> LoginGranted:
        token = model.new_token()
        now = self._clock.now()
        granted = LoginGranted(token=token, account=account, expires_at=now + LOGIN_LASTS)
        await store.add_login(
            transaction, model.digest_of(token), account.account_id, now, granted.expires_at
        )
        return granted


class _Known(NamedTuple):
    caller: Caller
    until_s: float
    expires_at: datetime


class _Remembered:
    """Tokens that were authenticated a moment ago: at most ``MOST_REMEMBERED``, oldest out first.

    ``ended`` counts logouts. Who read a login from the database keeps it only where none came
    meanwhile, since it may be that very login which has ended.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self.ended = 0

    def caller(self, token_sha256: bytes) -> Caller | None:
        known = self._known.get(token_sha256)
        if known is None:
            return None
        if known.until_s <= self._clock.monotonic_s() or known.expires_at <= self._clock.now():
            del self._known[token_sha256]
            return None
        return known.caller

    def keep(self, token_sha256: bytes, caller: Caller, expires_at: datetime) -> None:
        self._known.pop(token_sha256, None)
        while len(self._known) >= MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        until_s = self._clock.monotonic_s() + REMEMBER_S
        self._known[token_sha256] = _Known(caller, until_s, expires_at)

    def end(self, token_sha256: bytes) -> None:
        self.ended += 1
        self._known.pop(token_sha256, None)


def _caller_of(account: Account) -> Caller:
    return Caller(
        role="member",
        account_id=account.account_id,
        profile_id=account.profile_id,
        email=account.email,
        profile_name=account.profile_name,
    )


def _wrong_credentials() -> WrongCredentials:
    return WrongCredentials("The mail address and the password do not match.")


def _link_spent() -> WrongCredentials:
    return WrongCredentials(
        "This login link was used already or is past its time: ask for another."
    )


def _not_logged_in() -> NotLoggedIn:
    return NotLoggedIn("You are not logged in, or your login has ended: log in again.")
