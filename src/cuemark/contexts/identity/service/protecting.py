"""Factors are added to an account and taken off it; its owner gets a letter each time."""

from datetime import datetime

from cuemark.contexts.identity.model import credentials, devices, factors, letters, passkeys
from cuemark.contexts.identity.service.factors import Factors
from cuemark.contexts.identity.service.logins import VERIFIED
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts, challenges
from cuemark.contexts.identity.store import factors as store
from cuemark.contexts.identity.store import logins as login_store
from cuemark.contexts.identity.store import passkeys as passkey_store
from cuemark.contracts.identity import Account, AccountInvalid, NotLoggedIn
from cuemark.contracts.identity.factors import (
    BeginTotp,
    ConfirmTotp,
    FactorExists,
    FactorKind,
    FactorList,
    FactorMissing,
    KnownPasskey,
    ListFactors,
    Passkey,
    RecoveryCodes,
    RemoveTotp,
    RenewRecoveryCodes,
    ResetFactors,
    TotpBegun,
)
from cuemark.contracts.identity.joining import Done
from cuemark.contracts.identity.logins import LoginsEnded
from cuemark.contracts.identity.passkeys import (
    AddPasskey,
    BeginPasskey,
    PasskeyAdded,
    PasskeyBegun,
    RemovePasskey,
    RenamePasskey,
)
from cuemark.contracts.ids import AccountId, LoginId
from cuemark.kit.database import Transaction

PASSKEY = "psk"
UNNAMED = "A passkey"


class Protecting:
    def __init__(self, parts: Parts, factors_: Factors) -> None:
        self._parts = parts
        self._factors = factors_

    async def describe(self, request: ListFactors) -> FactorList:
        async with self._parts.database.transaction() as transaction:
            return await self._factors.describe(transaction, request.account_id)

    async def begin_totp(self, request: BeginTotp) -> TotpBegun:
        """Whoever begins again gets another secret, and the one of before is void."""
        secret, account_id = factors.new_secret(), request.account_id
        async with self._parts.database.transaction() as transaction:
            account = await self._locked(transaction, account_id)
            sealed, now = self._parts.keys.seal(secret, account_id), self._parts.clock.now()
            if not await store.begin_totp(transaction, account_id, sealed, now):
                raise FactorExists("The account has an authenticator app: take that off first.")
        uri = factors.uri_of(secret, account.email, self._parts.service.name)
        return TotpBegun(secret=secret, uri=uri)

    async def confirm_totp(self, request: ConfirmTotp) -> RecoveryCodes:
        account_id, now = request.account_id, self._parts.clock.now()
        await self._factors.guess(account_id, request.code)
        async with self._parts.database.transaction() as transaction:
            account = await self._locked(transaction, account_id)
            totp = await store.totp_of(transaction, account_id)
            if totp is None or now - totp.begun_at > factors.SETUP_LASTS:
                raise FactorMissing("No authenticator app waits for its first code: begin again.")
            if totp.confirmed_at is not None:
                raise FactorExists("The account has this authenticator app already.")
            steps = await self._factors.steps(transaction, account_id, request.code)
            if not steps:
                raise factors.wrong_factor()
            await store.confirm_totp(transaction, account_id, steps[0], now)
            codes = await self._protected(transaction, account, request.login_id, "totp", now)
        await self._factors.forget_guesses(account_id)
        self._parts.remembered.end_all(account_id)
        return RecoveryCodes(codes=codes)

    async def remove_totp(self, request: RemoveTotp) -> Done:
        account = await self._parts.confirmed(request.account_id, request.password)
        await self._factors.guess(account.account_id, request.code)
        async with self._parts.database.transaction() as transaction:
            await self._locked(transaction, account.account_id)
            await self._factors.spend_code(transaction, account.account_id, request.code)
            if not await store.remove_totp(transaction, account.account_id):
                raise FactorMissing("The account has no authenticator app.")
            await self._taken_off(transaction, account, "totp")
        await self._factors.forget_guesses(account.account_id)
        self._parts.remembered.end_all(account.account_id)
        return Done()

    async def renew_recovery_codes(self, request: RenewRecoveryCodes) -> RecoveryCodes:
        async with self._parts.database.transaction() as transaction:
            account = await self._locked(transaction, request.account_id)
            found = await self._factors.describe(transaction, request.account_id)
            if not found.totp_since and not found.passkeys:
                raise FactorMissing("Recovery codes stand in for a second factor: add one first.")
            codes, digests = self._factors.new_codes(request.account_id)
            await store.set_recovery_codes(transaction, request.account_id, digests)
            letter = letters.factor_added(self._parts.service, account.email, "recovery")
            await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        return RecoveryCodes(codes=codes)

    async def begin_passkey(self, request: BeginPasskey) -> PasskeyBegun:
        party, account_id = self._factors.party(), request.account_id
        challenge, now = credentials.new_token(), self._parts.clock.now()
        expires_at = now + factors.CHALLENGE_LASTS
        async with self._parts.database.transaction() as transaction:
            account = await self._locked(transaction, account_id)
            kept = await passkey_store.passkeys_of(transaction, account_id)
            if len(kept) >= factors.MOST_PASSKEYS:
                raise _enough()
            await challenges.add_challenge(
                transaction,
                credentials.digest_of(challenge),
                "register",
                account_id,
                now,
                expires_at,
            )
        return PasskeyBegun(
            challenge=challenge,
            expires_at=expires_at,
            rp_id=party.id,
            rp_name=party.name,
            user_handle=passkeys.encoded(account_id.encode()),
            user_name=account.email,
            known=[
                KnownPasskey(
                    credential_id=passkeys.encoded(each.credential_id), transports=each.transports
                )
                for each in kept
            ],
        )

    async def add_passkey(self, request: AddPasskey) -> PasskeyAdded:
        account_id, now = request.account_id, self._parts.clock.now()
        challenge = await self._factors.answered(request.passkey, "register", account_id)
        made = passkeys.made(request.passkey, challenge, self._factors.party())
        passkey = Passkey(
            passkey_id=self._parts.ids.new(PASSKEY), name=_checked_name(request.name), made_at=now
        )
        async with self._parts.database.transaction() as transaction:
            account = await self._locked(transaction, account_id)
            kept = await passkey_store.passkeys_of(transaction, account_id)
            if len(kept) >= factors.MOST_PASSKEYS:
                raise _enough()
            if not await passkey_store.add_passkey(transaction, account_id, passkey, made):
                raise factors.wrong_factor()
            codes = await self._protected(
                transaction, account, request.login_id, "passkey", now, passkey.name
            )
        self._parts.remembered.end_all(account_id)
        return PasskeyAdded(passkey=passkey, recovery_codes=codes)

    async def rename_passkey(self, request: RenamePasskey) -> Done:
        name = _checked_name(request.name)
        async with self._parts.database.transaction() as transaction:
            if not await passkey_store.rename(
                transaction, request.account_id, request.passkey_id, name
            ):
                raise _no_passkey()
        return Done()

    async def remove_passkey(self, request: RemovePasskey) -> Done:
        async with self._parts.database.transaction() as transaction:
            account = await self._locked(transaction, request.account_id)
            name = await passkey_store.remove(transaction, request.account_id, request.passkey_id)
            if name is None:
                raise _no_passkey()
            await self._taken_off(transaction, account, "passkey", name)
        self._parts.remembered.end_all(request.account_id)
        return Done()

    async def reset(self, request: ResetFactors) -> LoginsEnded:
        """Every login ends too: whoever has one may be who the factors were to keep out."""
        email = credentials.checked_email(request.email)
        async with self._parts.database.transaction() as transaction:
            found = await accounts.account_by_email(transaction, email)
            account = found and await accounts.lock(transaction, found[0].account_id)
            if not account:
                raise AccountInvalid(f"No account has the mail address {email}.")
            if not await store.remove_all(transaction, account.account_id):
                raise FactorMissing(f"The account {email} has no second factor.")
            ended = await self._parts.end_logins(transaction, account.account_id)
            letter = letters.factors_reset(self._parts.service, account.email)
            await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        self._parts.remembered.end_all(account.account_id)
        await self._factors.forget_guesses(account.account_id)
        return LoginsEnded(ended=ended)

    async def _locked(self, transaction: Transaction, account_id: AccountId) -> Account:
        account = await accounts.lock(transaction, account_id)
        if account is None:
            raise NotLoggedIn("The account is no more.")
        return account

    async def _protected(
        self,
        transaction: Transaction,
        account: Account,
        login_id: LoginId,
        kind: FactorKind,
        now: datetime,
        name: str = "",
    ) -> list[str]:
        """What follows on a new factor; recovery codes where the account has none left."""
        await login_store.note_proof(transaction, account.account_id, login_id, VERIFIED, now)
        letter = letters.factor_added(self._parts.service, account.email, kind, name)
        await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        if await store.recovery_codes_left(transaction, account.account_id):
            return []
        codes, digests = self._factors.new_codes(account.account_id)
        await store.set_recovery_codes(transaction, account.account_id, digests)
        return codes

    async def _taken_off(
        self, transaction: Transaction, account: Account, kind: FactorKind, name: str = ""
    ) -> None:
        """What follows on a factor that is gone; with the last one recovery codes go too."""
        letter = letters.factor_removed(self._parts.service, account.email, kind, name)
        await self._parts.post.put(transaction, letter, useless_after=letters.NOTICE_LASTS)
        left = await self._factors.describe(transaction, account.account_id)
        if not left.totp_since and not left.passkeys:
            await store.set_recovery_codes(transaction, account.account_id, [])


def _checked_name(told: str) -> str:
    return devices.name_of(told) if told.strip() else UNNAMED


def _enough() -> FactorExists:
    return FactorExists(
        f"The account has {factors.MOST_PASSKEYS} passkeys, and may have no more: remove one first."
    )


def _no_passkey() -> FactorMissing:
    return FactorMissing("The account has no such passkey.")
