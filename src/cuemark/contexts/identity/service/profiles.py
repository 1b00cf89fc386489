"""The profiles of an account: made, changed, taken away, and chosen by a login."""

from cuemark.contexts.identity.model import limits
from cuemark.contexts.identity.model import profiles as rules
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts
from cuemark.contexts.identity.store import profiles as store
from cuemark.contracts.identity import TOPIC, NotLoggedIn
from cuemark.contracts.identity.joining import Done
from cuemark.contracts.identity.profiles import (
    MOST_PROFILES,
    ChangeProfile,
    ChooseProfile,
    CreateProfile,
    DeleteProfile,
    ListProfiles,
    MaturitySet,
    PasswordNeeded,
    PinNeeded,
    Profile,
    ProfileDeleted,
    ProfileList,
    WrongPin,
)
from cuemark.contracts.ids import AccountId, LoginId, ProfileId
from cuemark.kit.database import Transaction

PROFILE = "prf"


class Profiles:
    """A PIN is hashed as passwords are, and its tries are counted for each profile."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def listed(self, request: ListProfiles) -> ProfileList:
        async with self._parts.database.transaction() as transaction:
            profiles = await store.of_account(transaction, request.account_id)
        return ProfileList(profiles=profiles, most=MOST_PROFILES)

    async def create(self, request: CreateProfile) -> Profile:
        profile = rules.created(request, ProfileId(self._parts.ids.new(PROFILE)))
        by = rules.found(await self._household(request.account_id), request.by)
        if rules.create_needs_password(by):
            await self._with_password(request.account_id, request.password)
        pin_hash = await self._hashed(request.pin)
        async with self._parts.database.transaction() as transaction:
            household = await self._locked(transaction, request.account_id)
            rules.check_household([*household, profile])
            await store.add(transaction, request.account_id, profile, pin_hash)
        return profile

    async def change(self, request: ChangeProfile) -> Profile:
        household = await self._household(request.account_id)
        profile = rules.found(household, request.profile_id)
        by = rules.found(household, request.by)
        proven = rules.change_needs_password(by, profile, request)
        if proven:
            await self._with_password(request.account_id, request.password)
        pin = request.pin if isinstance(request.pin, str) else None
        pin_hash = await self._hashed(pin or "")
        async with self._parts.database.transaction() as transaction:
            household = await self._locked(transaction, request.account_id)
            before = rules.found(household, request.profile_id)
            by = rules.found(household, request.by)
            if rules.change_needs_password(by, before, request) and not proven:
                raise _password_needed()
            after = rules.changed(before, request)
            others = [each for each in household if each.profile_id != after.profile_id]
            rules.check_household([*others, after])
            await store.change(transaction, after)
            if pin is not None:
                await store.set_pin_hash(transaction, after.profile_id, pin_hash)
            if after.maturity != before.maturity:
                told = MaturitySet(
                    account_id=request.account_id,
                    profile_id=after.profile_id,
                    maturity=after.maturity,
                    set_at=self._parts.clock.now(),
                )
                await self._parts.log.append(transaction, TOPIC, request.account_id, told)
        self._parts.remembered.end_all(request.account_id)
        if pin is not None:
            await self._forget_tries(after.profile_id)
        return after

    async def delete(self, request: DeleteProfile) -> Done:
        household = await self._household(request.account_id)
        profile = rules.found(household, request.profile_id)
        proven = rules.delete_needs_password(rules.found(household, request.by), profile)
        if proven:
            await self._with_password(request.account_id, request.password)
        async with self._parts.database.transaction() as transaction:
            household = await self._locked(transaction, request.account_id)
            profile = rules.found(household, request.profile_id)
            by = rules.found(household, request.by)
            if rules.delete_needs_password(by, profile) and not proven:
                raise _password_needed()
            others = [each for each in household if each.profile_id != profile.profile_id]
            rules.check_household(others)
            ended = await store.remove(transaction, request.account_id, profile, others)
            await self._parts.tell_ended(transaction, request.account_id, ended)
            deleted = ProfileDeleted(account_id=request.account_id, profile_id=profile.profile_id)
            await self._parts.log.append(transaction, TOPIC, request.account_id, deleted)
        self._parts.remembered.end_all(request.account_id)
        return Done()

    async def choose(self, request: ChooseProfile) -> Profile:
        """What was shown counts for the profiles as they are when the login is put on one."""
        account_id = request.account_id
        household = await self._household(account_id)
        wanted = rules.found(household, request.profile_id)
        async with self._parts.database.transaction() as transaction:
            current = await self._current(transaction, account_id, request.login_id, household)
        proof = rules.to_enter(current, wanted)
        right_hash = None
        if proof != "nothing" and request.password:
            await self._parts.confirmed(account_id, request.password)
        elif proof == "pin":
            right_hash = await self._with_pin(account_id, wanted, request.pin)
        elif proof == "password":
            raise _password_needed()
        async with self._parts.database.transaction() as transaction:
            household = await self._locked(transaction, account_id)
            wanted = rules.found(household, request.profile_id)
            current = await self._current(transaction, account_id, request.login_id, household)
            needed = rules.to_enter(current, wanted)
            pin_hash = await store.pin_hash_of(transaction, account_id, wanted.profile_id)
            if needed == "pin" and proof == "pin" and right_hash not in (None, pin_hash):
                raise _pin_needed(wanted)
            if needed not in ("nothing", proof):
                raise _pin_needed(wanted) if needed == "pin" else _password_needed()
            await store.put_on(transaction, request.login_id, wanted.profile_id)
        self._parts.remembered.end_all(account_id)
        return wanted

    async def _household(self, account_id: AccountId) -> list[Profile]:
        async with self._parts.database.transaction() as transaction:
            return await store.of_account(transaction, account_id)

    async def _locked(self, transaction: Transaction, account_id: AccountId) -> list[Profile]:
        """The profiles of an account, which nobody else changes meanwhile."""
        if await accounts.lock(transaction, account_id) is None:
            raise NotLoggedIn("The account is no more.")
        return await store.of_account(transaction, account_id)

    async def _current(
        self,
        transaction: Transaction,
        account_id: AccountId,
        login_id: LoginId,
        household: list[Profile],
    ) -> Profile | None:
        """The profile that the login is on; raises ``NotLoggedIn`` where it is not open."""
        on = await store.current(transaction, account_id, login_id)
        if on is None:
            raise NotLoggedIn("Your login has ended: log in again.")
        return next((each for each in household if each.profile_id == on.profile_id), None)

    async def _with_password(self, account_id: AccountId, password: str) -> None:
        if not password:
            raise _password_needed()
        await self._parts.confirmed(account_id, password)

    async def _with_pin(self, account_id: AccountId, profile: Profile, pin: str) -> str | None:
        """The hash of the PIN that was right; raises ``PinNeeded``, ``WrongPin`` and
        ``TooManyTries``."""
        if not pin:
            raise _pin_needed(profile)
        for limit in (limits.PINS, limits.PINS_IN_A_DAY):
            await self._parts.count(limit, profile.profile_id)
        async with self._parts.database.transaction() as transaction:
            pin_hash = await store.pin_hash_of(transaction, account_id, profile.profile_id)
        with self._parts.place() as place:
            right = await place.run(lambda: self._parts.passwords.matches(pin_hash, pin))
        if not right:
            raise WrongPin("This is not the PIN.")
        await self._forget_tries(profile.profile_id)
        return pin_hash

    async def _forget_tries(self, profile_id: ProfileId) -> None:
        for limit in (limits.PINS, limits.PINS_IN_A_DAY):
            await self._parts.forget(limit, profile_id)

    async def _hashed(self, pin: str) -> str | None:
        return await self._parts.hashed(rules.checked_pin(pin)) if pin else None


def _pin_needed(profile: Profile) -> PinNeeded:
    return PinNeeded(f"{profile.name} has a PIN: type it, or the account's password.")


def _password_needed() -> PasswordNeeded:
    return PasswordNeeded("This takes the account's password.")
