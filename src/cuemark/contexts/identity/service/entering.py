"""The second step of a login, logins by passkey alone, and proofs of who uses a login."""

from cuemark.contexts.identity.model import credentials, devices, factors, limits
from cuemark.contexts.identity.service.factors import Factors, challenge_spent
from cuemark.contexts.identity.service.logins import PROVED, VERIFIED, Logins
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts, challenges
from cuemark.contexts.identity.store import logins as login_store
from cuemark.contracts.identity import LoginGranted, NotLoggedIn
from cuemark.contracts.identity.factors import (
    AskProof,
    ChallengeFound,
    FactorAsked,
    FactorMissing,
    FactorNeeded,
    FindChallenge,
    GiveFactor,
    Proof,
    Prove,
)
from cuemark.contracts.identity.passkeys import AskPasskey, LoginByPasskey, PasskeyAsked
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction


class Entering:
    def __init__(self, parts: Parts, logins: Logins, factors_: Factors) -> None:
        self._parts = parts
        self._logins = logins
        self._factors = factors_

    async def find_challenge(self, request: FindChallenge) -> ChallengeFound:
        """Whose second step it is: that counts as no try."""
        if not credentials.is_token(request.challenge):
            raise challenge_spent()
        async with self._parts.database.transaction() as transaction:
            email = await challenges.email_of(
                transaction, credentials.digest_of(request.challenge), self._parts.clock.now()
            )
        if email is None:
            raise challenge_spent()
        return ChallengeFound(email=email)

    async def give_factor(self, request: GiveFactor) -> LoginGranted:
        """A wrong answer leaves the challenge as it is, for a few tries."""
        if not credentials.is_token(request.challenge):
            raise challenge_spent()
        challenge_sha256, now = credentials.digest_of(request.challenge), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            tried = await challenges.try_challenge(
                transaction, challenge_sha256, "second_step", now, factors.TRIES_OF_A_CHALLENGE
            )
        if tried is None or tried.account_id is None:
            raise challenge_spent()
        account_id = tried.account_id
        if request.passkey is None:
            await self._factors.guess(account_id, request.code)
        async with (
            self._factors.suspecting(),
            self._parts.database.transaction() as transaction,
        ):
            account = await accounts.lock(transaction, account_id)
            if account is None or not await challenges.spend_challenge(
                transaction, challenge_sha256, "second_step", now
            ):
                raise challenge_spent()
            if request.passkey is None:
                await self._factors.spend_code(transaction, account_id, request.code)
            else:
                await self._factors.use_passkey(
                    transaction, request.passkey, request.challenge, account_id
                )
            network = devices.network_of(request.client_address)
            granted = await self._logins.open(
                transaction, account, request.device, network, VERIFIED
            )
        if request.passkey is None:
            await self._factors.forget_guesses(account_id)
        return granted

    async def ask_passkey(self, request: AskPasskey) -> PasskeyAsked:
        party = self._factors.party()
        await self._parts.count(limits.PASSKEYS, limits.client_of(request.client_address))
        challenge, now = credentials.new_token(), self._parts.clock.now()
        expires_at = now + factors.CHALLENGE_LASTS
        async with self._parts.database.transaction() as transaction:
            await challenges.add_challenge(
                transaction, credentials.digest_of(challenge), "enter", None, now, expires_at
            )
        return PasskeyAsked(challenge=challenge, rp_id=party.id, expires_at=expires_at)

    async def login_by_passkey(self, request: LoginByPasskey) -> LoginGranted:
        challenge = await self._factors.answered(request.passkey, "enter", None)
        async with (
            self._factors.suspecting(),
            self._parts.database.transaction() as transaction,
        ):
            owner = await self._factors.use_passkey(transaction, request.passkey, challenge, None)
            account = await accounts.lock(transaction, owner)
            if account is None:
                raise factors.wrong_factor()
            network = devices.network_of(request.client_address)
            return await self._logins.open(transaction, account, request.device, network, VERIFIED)

    async def ask_proof(self, request: AskProof) -> FactorAsked:
        async with self._parts.database.transaction() as transaction:
            asked = await self._factors.asked(transaction, request.account_id, "prove")
        if asked is None:
            raise FactorMissing("The account has no second factor: its password proves enough.")
        return asked

    async def prove(self, request: Prove) -> Proof:
        account_id = request.account_id
        if request.passkey is not None:
            challenge = await self._factors.answered(request.passkey, "prove", account_id)
            async with (
                self._factors.suspecting(),
                self._parts.database.transaction() as transaction,
            ):
                await self._factors.use_passkey(transaction, request.passkey, challenge, account_id)
                proof = await self._noted(transaction, request, VERIFIED)
        elif request.code:
            await self._factors.guess(account_id, request.code)
            async with self._parts.database.transaction() as transaction:
                await self._factors.spend_code(transaction, account_id, request.code)
                proof = await self._noted(transaction, request, VERIFIED)
            await self._factors.forget_guesses(account_id)
        else:
            await self._parts.confirmed(account_id, request.password)
            async with self._parts.database.transaction() as transaction:
                await self._alone(transaction, account_id)
                proof = await self._noted(transaction, request, PROVED)
        self._parts.remembered.end_all(account_id)
        return proof

    async def _alone(self, transaction: Transaction, account_id: AccountId) -> None:
        """That the password is all that the account has; ``FactorNeeded``."""
        await accounts.lock(transaction, account_id)
        found = await self._factors.describe(transaction, account_id)
        if found.totp_since or found.passkeys:
            raise FactorNeeded("The account has a second factor: prove yourself by that.")

    async def _noted(self, transaction: Transaction, request: Prove, level: int) -> Proof:
        now = self._parts.clock.now()
        if not await login_store.note_proof(
            transaction, request.account_id, request.login_id, level, now
        ):
            raise NotLoggedIn("The login has ended: log in again.")
        return Proof(level=level, proved_at=now)
