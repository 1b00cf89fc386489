"""What an account has beside its password, what is asked for it, and whether an answer is right."""

import contextlib
from collections.abc import AsyncIterator

import structlog

from cuemark.contexts.identity.model import credentials, factors, letters, limits, passkeys
from cuemark.contexts.identity.model.limits import Limit
from cuemark.contexts.identity.model.passkeys import RelyingParty
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts, challenges
from cuemark.contexts.identity.store import factors as store
from cuemark.contexts.identity.store import passkeys as passkey_store
from cuemark.contexts.identity.store.challenges import Purpose
from cuemark.contracts.identity.factors import (
    ChallengeSpent,
    FactorAsked,
    FactorKind,
    FactorList,
    KnownPasskey,
    PasskeyAnswer,
    PasskeysOff,
)
from cuemark.contracts.identity.joining import TooManyTries
from cuemark.contracts.ids import AccountId
from cuemark.kit.database import Transaction


class _CounterBack(Exception):
    """A passkey's signature is right, and its counter is none that comes after the last one."""

    def __init__(self, account_id: AccountId, passkey_id: str) -> None:
        super().__init__(passkey_id)
        self.account_id = account_id
        self.passkey_id = passkey_id


class Factors:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def describe(self, transaction: Transaction, account_id: AccountId) -> FactorList:
        totp = await store.totp_of(transaction, account_id)
        kept = await passkey_store.passkeys_of(transaction, account_id)
        return FactorList(
            totp_since=totp.confirmed_at if totp else None,
            passkeys=[each.told for each in kept],
            recovery_codes_left=await store.recovery_codes_left(transaction, account_id),
            passkeys_possible=self._parts.party is not None,
        )

    async def asked(
        self, transaction: Transaction, account_id: AccountId, purpose: Purpose
    ) -> FactorAsked | None:
        """A challenge for whoever enters or proves; None where the account has no second factor."""
        totp = await store.totp_of(transaction, account_id)
        kept = await passkey_store.passkeys_of(transaction, account_id)
        kinds: list[FactorKind] = []
        if totp is not None and totp.confirmed_at is not None:
            kinds.append("totp")
        party = self._parts.party
        if kept and party is not None:
            kinds.append("passkey")
        if not kept and not kinds:
            return None
        if await store.recovery_codes_left(transaction, account_id):
            kinds.append("recovery")
        challenge, now = credentials.new_token(), self._parts.clock.now()
        expires_at = now + factors.CHALLENGE_LASTS
        await challenges.add_challenge(
            transaction, credentials.digest_of(challenge), purpose, account_id, now, expires_at
        )
        return FactorAsked(
            challenge=challenge,
            expires_at=expires_at,
            kinds=kinds,
            rp_id=party.id if party and kept else "",
            passkeys=[
                KnownPasskey(
                    credential_id=passkeys.encoded(each.credential_id), transports=each.transports
                )
                for each in kept
                if party
            ],
        )

    async def guess(self, account_id: AccountId, typed: str) -> None:
        """Count a code that is to be tried; ``TooManyTries``.

        Recovery codes are counted for themselves: whoever knows the password can use up the tries
        of an app's codes, and must not keep the owner out by that.
        """
        if factors.recovery_code_of(typed):
            await self._parts.count(limits.RECOVERY_CODES, account_id)
            return
        for limit in (limits.FACTOR_CODES, limits.FACTOR_CODES_OF_A_DAY):
            await self._counted(limit, account_id)

    async def _counted(self, limit: Limit, account_id: AccountId) -> None:
        if await self._parts.tried(limit, account_id) <= limit.most:
            return
        if await self._parts.tried(limits.FACTOR_NOTICES, account_id) == 1:
            async with self._parts.database.transaction() as transaction:
                account = await accounts.lock(transaction, account_id)
                letter = account and letters.codes_guessed(self._parts.service, account.email)
                await self._parts.post.put(
                    transaction, letter or None, useless_after=letters.NOTICE_LASTS
                )
        raise TooManyTries(limit.sentence)

    async def spend_code(self, transaction: Transaction, account_id: AccountId, typed: str) -> None:
        """Take a code of the app or a recovery code, for good; ``WrongFactor``."""
        recovery = factors.recovery_code_of(typed)
        if recovery:
            digest = self._parts.keys.digest_of(recovery, account_id)
            if not await store.spend_recovery_code(transaction, account_id, digest):
                raise factors.wrong_factor()
            left = await store.recovery_codes_left(transaction, account_id)
            account = await accounts.account(transaction, account_id)
            letter = letters.recovery_code_used(self._parts.service, account.email, left)
            await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
            return
        for step in await self.steps(transaction, account_id, typed):
            if await store.take_step(transaction, account_id, step):
                return
        raise factors.wrong_factor()

    async def steps(self, transaction: Transaction, account_id: AccountId, typed: str) -> list[int]:
        """The time steps whose code of the account's app this is, whether taken or not."""
        totp = await store.totp_of(transaction, account_id)
        if totp is None:
            return []
        secret = self._parts.keys.open(totp.sealed_secret, account_id)
        return factors.steps_of(secret, typed, self._parts.clock.now())

    async def forget_guesses(self, account_id: AccountId) -> None:
        """A code was right. What was tried in the day stays counted."""
        await self._parts.forget(limits.FACTOR_CODES, account_id)
        await self._parts.forget(limits.RECOVERY_CODES, account_id)

    async def use_passkey(
        self,
        transaction: Transaction,
        answer: PasskeyAnswer,
        challenge: str,
        account_id: AccountId | None,
    ) -> AccountId:
        """Whose passkey answered: of ``account_id``, if given; ``WrongFactor``.

        To be called within ``suspecting``. A passkey that nobody has takes as long as one that is
        somebody's.
        """
        party = self.party()
        found = await passkey_store.key_of(transaction, passkeys.decoded(answer.credential_id))
        owner, passkey_id, public_key = found or (None, "", passkeys.NOBODYS_KEY)
        count = passkeys.checked(answer, challenge, party, public_key)
        handle = passkeys.decoded(answer.user_handle)
        if owner is None or account_id not in (None, owner) or handle not in (b"", owner.encode()):
            raise factors.wrong_factor()
        now = self._parts.clock.now()
        if not await passkey_store.take_count(transaction, passkey_id, count, now):
            raise _CounterBack(owner, passkey_id)
        return owner

    @contextlib.asynccontextmanager
    async def suspecting(self) -> AsyncIterator[None]:
        """A passkey whose counter went back is refused, noted, and told to its owner."""
        try:
            yield
        except _CounterBack as back:
            async with self._parts.database.transaction() as transaction:
                account = await accounts.lock(transaction, back.account_id)
                name = await passkey_store.suspect(transaction, back.passkey_id)
                if account and name is not None:
                    letter = letters.passkey_suspect(self._parts.service, account.email, name)
                    await self._parts.post.put(
                        transaction, letter, useless_after=letters.NOTICE_LASTS
                    )
            structlog.get_logger().warning("passkey_suspect", account_id=back.account_id)
            raise factors.wrong_factor() from back

    async def answered(
        self, answer: PasskeyAnswer, purpose: Purpose, account_id: AccountId | None
    ) -> str:
        """The challenge that a passkey answers, spent whatever comes of it; ``ChallengeSpent``."""
        challenge = passkeys.challenge_of(answer)
        if not credentials.is_token(challenge):
            raise challenge_spent()
        async with self._parts.database.transaction() as transaction:
            found = await challenges.spend_challenge(
                transaction, credentials.digest_of(challenge), purpose, self._parts.clock.now()
            )
        if found is None or found.account_id != account_id:
            raise challenge_spent()
        return challenge

    def party(self) -> RelyingParty:
        """To whom passkeys are bound; ``PasskeysOff``."""
        if self._parts.party is None:
            raise PasskeysOff(
                "Passkeys need an address with a name and https: this service is at another one."
            )
        return self._parts.party

    def new_codes(self, account_id: AccountId) -> tuple[list[str], list[bytes]]:
        """Recovery codes, and what is kept of them."""
        codes = factors.new_recovery_codes()
        plain = [factors.recovery_code_of(code) for code in codes]
        return codes, [self._parts.keys.digest_of(code, account_id) for code in plain]


def challenge_spent() -> ChallengeSpent:
    return ChallengeSpent("This took too long, or was answered before: begin again.")
