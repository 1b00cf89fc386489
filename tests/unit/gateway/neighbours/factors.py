"""The second factors of identity in memory."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from cuemark.contracts import identity
from cuemark.contracts.identity.factors import (
    AskProof,
    BeginTotp,
    ChallengeFound,
    ChallengeSpent,
    ConfirmTotp,
    FactorAsked,
    FactorList,
    FactorMissing,
    FindChallenge,
    GiveFactor,
    KnownPasskey,
    ListFactors,
    Passkey,
    Proof,
    Prove,
    RecoveryCodes,
    RemoveTotp,
    RenewRecoveryCodes,
    ResetFactors,
    TotpBegun,
    WrongFactor,
)
from cuemark.contracts.identity.joining import Done
from cuemark.contracts.identity.logins import LoginsEnded
from cuemark.contracts.identity.passkeys import (
    AddPasskey,
    AskPasskey,
    BeginPasskey,
    LoginByPasskey,
    PasskeyAdded,
    PasskeyAsked,
    PasskeyBegun,
    RemovePasskey,
    RenamePasskey,
)
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.clock import Clock
from tests.unit.gateway.neighbours.neighbour import ANNA, Neighbour

CHALLENGE, FACTOR_CODE, PASSKEY = "Y2hhbGxlbmdl", "123456", "psk_1"
CREDENTIAL = "Y3JlZA"


def account(name: str, clock: Clock) -> identity.Account:
    return identity.Account(
        account_id=AccountId(f"acc_{name}"),
        email=f"{name}@films.example",
        profile_id=ProfileId(f"prf_{name}"),
        profile_name=name.title(),
        created_at=clock.now(),
    )


@dataclass
class Protected(Neighbour):
    """``two_steps`` says of every account whether it has a second factor; ``level`` and
    ``proved_at`` are of every login."""

    two_steps: bool = False
    level: int = 1
    proved_at: datetime | None = None
    heard: list[msgspec.Struct] = field(default_factory=list)

    async def find_challenge(self, request: FindChallenge) -> ChallengeFound:
        self._done(request)
        if request.challenge != CHALLENGE:
            raise ChallengeSpent("This took too long.")
        return ChallengeFound(email="anna@films.example")

    async def give_factor(self, request: GiveFactor) -> identity.LoginGranted:
        self._done(request)
        if request.challenge != CHALLENGE:
            raise ChallengeSpent("This took too long.")
        if request.passkey is None and request.code != FACTOR_CODE:
            raise WrongFactor("That is not right.")
        return self._grant()

    async def ask_passkey(self, request: AskPasskey) -> PasskeyAsked:
        self._done(request)
        return PasskeyAsked(challenge=CHALLENGE, rp_id="films.example", expires_at=self._soon())

    async def login_by_passkey(self, request: LoginByPasskey) -> identity.LoginGranted:
        self._done(request)
        if request.passkey.credential_id != CREDENTIAL:
            raise WrongFactor("That is not right.")
        return self._grant()

    async def ask_proof(self, request: AskProof) -> FactorAsked:
        self._done(request)
        if not self.two_steps:
            raise FactorMissing("The password is all there is.")
        return self._asked()

    async def prove(self, request: Prove) -> Proof:
        self._done(request)
        self.level, self.proved_at = (2 if self.two_steps else 1), self.clock.now()
        return Proof(level=self.level, proved_at=self.proved_at)

    async def list_factors(self, request: ListFactors) -> FactorList:
        self._done(request)
        return FactorList(passkeys=[self._passkey()], recovery_codes_left=9)

    async def begin_totp(self, request: BeginTotp) -> TotpBegun:
        self._done(request)
        return TotpBegun(secret="JBSWY3DPEHPK3PXP", uri="otpauth://totp/Kino:anna?secret=JBSW")

    async def confirm_totp(self, request: ConfirmTotp) -> RecoveryCodes:
        self._done(request)
        return RecoveryCodes(codes=["AAAA-BBBB-CCCC-DDDD"])

    async def remove_totp(self, request: RemoveTotp) -> Done:
        return self._done(request)

    async def renew_recovery_codes(self, request: RenewRecoveryCodes) -> RecoveryCodes:
        self._done(request)
        return RecoveryCodes(codes=["AAAA-BBBB-CCCC-DDDD"])

    async def begin_passkey(self, request: BeginPasskey) -> PasskeyBegun:
        self._done(request)
        return PasskeyBegun(
            challenge=CHALLENGE,
            expires_at=self._soon(),
            rp_id="films.example",
            rp_name="Kino",
            user_handle="YWNjX2FubmE",
            user_name="anna@films.example",
            known=self._asked().passkeys,
        )

    async def add_passkey(self, request: AddPasskey) -> PasskeyAdded:
        self._done(request)
        return PasskeyAdded(passkey=self._passkey(), recovery_codes=[])

    async def rename_passkey(self, request: RenamePasskey) -> Done:
        return self._done(request)

    async def remove_passkey(self, request: RemovePasskey) -> Done:
        return self._done(request)

    async def reset_factors(self, request: ResetFactors) -> LoginsEnded:
        self._done(request)
        return LoginsEnded(ended=2)

    def _done(self, request: msgspec.Struct) -> Done:
        self.check()
        self.heard.append(request)
        return Done()

    def _begun(self) -> identity.LoginBegun:
        if self.two_steps:
            return identity.LoginBegun(asked=self._asked())
        return identity.LoginBegun(granted=self._grant())

    def _grant(self) -> identity.LoginGranted:
        return identity.LoginGranted(
            token=ANNA,
            account=account("anna", self.clock),
            expires_at=self.clock.now() + timedelta(days=30),
        )

    def _asked(self) -> FactorAsked:
        return FactorAsked(
            challenge=CHALLENGE,
            expires_at=self._soon(),
            kinds=["totp", "passkey", "recovery"],
            rp_id="films.example",
            passkeys=[KnownPasskey(credential_id="Y3JlZA", transports=["internal"])],
        )

    def _passkey(self) -> Passkey:
        return Passkey(passkey_id=PASSKEY, name="My phone", made_at=self.clock.now())

    def _soon(self) -> datetime:
        return self.clock.now() + timedelta(minutes=5)
