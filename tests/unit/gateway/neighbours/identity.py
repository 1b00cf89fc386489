"""Identity in memory."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from cuemark.contracts import identity
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.clock import Clock
from cuemark.kit.errors import Refusal, Unavailable
from cuemark.kit.passport import Passport, current_passport
from tests.unit.gateway.neighbours.neighbour import ANNA, BEN, OPERATOR, Neighbour

PASSWORD = "correct horse"
CODE = "code/with strange+signs"
OPERATOR_CODE = "the operator's code"


def account(name: str, clock: Clock) -> identity.Account:
    return identity.Account(
        account_id=AccountId(f"acc_{name}"),
        email=f"{name}@films.example",
        profile_id=ProfileId(f"prf_{name}"),
        profile_name=name.title(),
        created_at=clock.now(),
    )


@dataclass
class People(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = identity.Identity.refusals
    ended: set[str] = field(default_factory=set)
    passports: list[Passport | None] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    deaf: bool = False

    async def create_account(self, request: identity.CreateAccount) -> identity.Account:
        self.check()
        if "@" not in request.email:
            raise identity.AccountInvalid("This is no mail address.")
        return account(request.email.partition("@")[0], self.clock)

    async def get_accounts(self, request: identity.GetAccounts) -> identity.AccountList:
        self.check()
        if self.deaf:
            raise Unavailable("it takes too long")
        known = [account(name, self.clock) for name in ("anna", "ben")]
        return identity.AccountList(
            accounts=[each for each in known if each.account_id in request.account_ids]
        )

    async def login(self, request: identity.Login) -> identity.LoginGranted:
        self.check()
        if request.password != PASSWORD:
            raise identity.WrongCredentials("Mail and password do not match.")
        return self._grant()

    async def issue_login_link(self, request: identity.IssueLoginLink) -> identity.LoginLink:
        self.check()
        expires_at = self.clock.now() + timedelta(seconds=request.ttl_s)
        return identity.LoginLink(code=CODE, expires_at=expires_at)

    async def redeem_login_link(self, request: identity.RedeemLoginLink) -> identity.LoginGranted:
        self.check()
        if request.code != CODE:
            raise identity.WrongCredentials("The code is spent or late.")
        return self._grant()

    async def issue_operator_link(self, request: identity.IssueOperatorLink) -> identity.LoginLink:
        self.check()
        expires_at = self.clock.now() + timedelta(seconds=request.ttl_s)
        return identity.LoginLink(code=OPERATOR_CODE, expires_at=expires_at)

    async def redeem_operator_link(
        self, request: identity.RedeemOperatorLink
    ) -> identity.OperatorGranted:
        self.check()
        if request.code != OPERATOR_CODE:
            raise identity.WrongCredentials("The code is spent or late.")
        expires_at = self.clock.now() + timedelta(hours=12)
        return identity.OperatorGranted(token=OPERATOR, expires_at=expires_at)

    async def authenticate(self, request: identity.Authenticate) -> identity.Caller:
        self.check()
        self.shown.append(request.token)
        if request.token == OPERATOR:
            return identity.Caller(
                role="operator", account_id=AccountId(""), profile_id=ProfileId("")
            )
        name = {ANNA: "anna", BEN: "ben"}.get(request.token)
        if name is None or request.token in self.ended:
            raise identity.NotLoggedIn("Log in again.")
        who = account(name, self.clock)
        return identity.Caller(
            role="member",
            account_id=who.account_id,
            profile_id=who.profile_id,
            email=who.email,
            profile_name=who.profile_name,
        )

    async def logout(self, request: identity.Logout) -> identity.LoggedOut:
        self.check()
        self.passports.append(current_passport.get())
        self.ended.add(request.token)
        return identity.LoggedOut()

    def _grant(self) -> identity.LoginGranted:
        return identity.LoginGranted(
            token=ANNA,
            account=account("anna", self.clock),
            expires_at=self.clock.now() + timedelta(days=30),
        )
