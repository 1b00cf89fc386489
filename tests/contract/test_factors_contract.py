"""Second factors, however identity is reached: each way once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import argon2
import pyotp
import pytest

from cuemark.contexts.identity import wiring
from cuemark.contexts.identity.model.factors import TRIES_OF_A_CHALLENGE
from cuemark.contracts.identity import (
    Account,
    Authenticate,
    CreateAccount,
    Identity,
    IssueLoginLink,
    Login,
    LoginBegun,
    LoginGranted,
    RedeemLoginLink,
)
from cuemark.contracts.identity.factors import (
    AskProof,
    BeginTotp,
    ChallengeSpent,
    ConfirmTotp,
    FactorAsked,
    FactorExists,
    FactorList,
    FactorMissing,
    FactorNeeded,
    FindChallenge,
    GiveFactor,
    ListFactors,
    PasskeysOff,
    Prove,
    RemoveTotp,
    RenewRecoveryCodes,
    ResetFactors,
    WrongFactor,
)
from cuemark.contracts.identity.passkeys import (
    AddPasskey,
    AskPasskey,
    BeginPasskey,
    LoginByPasskey,
    PasskeyAdded,
    RemovePasskey,
    RenamePasskey,
)
from cuemark.contracts.ids import AccountId, LoginId
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from tests.authenticators import Authenticator
from tests.contract.conftest import Reach
from tests.databases import opened

EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
STEP_S = 30


def built(database: Database, clock: ManualClock, base_url: str) -> Identity:
    return wiring.build(
        database,
        Log(clock),
        clock,
        Ids(clock),
        operator_token="operator",
        key=bytes(32),
        cost=argon2.profiles.CHEAPEST,
        signed_by=wiring.Service("Kino", base_url),
    ).service


@dataclass
class House:
    identity: Identity
    clock: ManualClock
    account: Account

    async def begin(self) -> LoginBegun:
        return await self.identity.begin_login(Login(email=EMAIL, password=PASSWORD))

    async def asked(self) -> FactorAsked:
        begun = await self.begin()
        assert begun.granted is None
        assert begun.asked is not None
        return begun.asked

    async def login_id(self, granted: LoginGranted) -> LoginId:
        return (await self.identity.authenticate(Authenticate(token=granted.token))).login_id

    async def with_app(self) -> tuple[pyotp.TOTP, list[str], LoginId]:
        """An app set up, with the recovery codes that came of it, by a login."""
        granted = await self.identity.login(Login(email=EMAIL, password=PASSWORD))
        login_id = await self.login_id(granted)
        begun = await self.identity.begin_totp(BeginTotp(account_id=self.account.account_id))
        app = pyotp.TOTP(begun.secret)
        confirm = ConfirmTotp(
            account_id=self.account.account_id, login_id=login_id, code=self.code(app)
        )
        codes = (await self.identity.confirm_totp(confirm)).codes
        self.clock.advance(STEP_S)
        return app, codes, login_id

    async def with_passkey(self, device: Authenticator, name: str = "My phone") -> PasskeyAdded:
        ask = self.identity
        begun = await ask.begin_passkey(BeginPasskey(account_id=self.account.account_id))
        return await ask.add_passkey(
            AddPasskey(
                account_id=self.account.account_id,
                login_id=LoginId(""),
                passkey=device.make(begun.challenge, begun.user_handle),
                name=name,
            )
        )

    async def by_passkey(self, device: Authenticator) -> LoginGranted:
        asked = await self.identity.ask_passkey(AskPasskey())
        return await self.identity.login_by_passkey(
            LoginByPasskey(passkey=device.answer(asked.challenge))
        )

    async def factors(self) -> FactorList:
        return await self.identity.list_factors(ListFactors(account_id=self.account.account_id))

    def code(self, app: pyotp.TOTP, steps: int = 0) -> str:
        return app.at(self.clock.now() + timedelta(seconds=STEP_S * steps))


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring, mail) as database:
        clock = ManualClock()
        ask = await reach(Identity, built(database, clock, "https://films.example"))
        account = await ask.create_account(CreateAccount(email=EMAIL, password=PASSWORD))
        yield House(ask, clock, account)


async def test_an_account_without_a_second_factor_is_entered_in_one_step(house: House) -> None:
    begun = await house.begin()
    assert begun.asked is None
    assert begun.granted is not None
    caller = await house.identity.authenticate(Authenticate(token=begun.granted.token))
    assert (caller.level, caller.proved_at, caller.two_steps) == (1, house.clock.now(), False)


async def test_an_app_asks_for_its_code_at_each_login(house: House) -> None:
    app, codes, _ = await house.with_app()
    assert len(set(codes)) == 10
    asked = await house.asked()
    assert asked.kinds == ["totp", "recovery"]
    granted = await house.identity.give_factor(
        GiveFactor(challenge=asked.challenge, code=house.code(app))
    )
    caller = await house.identity.authenticate(Authenticate(token=granted.token))
    assert (caller.level, caller.proved_at, caller.two_steps) == (2, house.clock.now(), True)
    with pytest.raises(ChallengeSpent):
        await house.identity.give_factor(
            GiveFactor(challenge=asked.challenge, code=house.code(app, 1))
        )


async def test_a_second_step_tells_whose_it_is_until_it_is_done(house: House) -> None:
    app, _, _ = await house.with_app()
    asked = await house.asked()
    for _ in range(2 * TRIES_OF_A_CHALLENGE):
        found = await house.identity.find_challenge(FindChallenge(challenge=asked.challenge))
        assert found.email == EMAIL
    give = GiveFactor(challenge=asked.challenge, code=house.code(app))
    await house.identity.give_factor(give)
    proof = await house.identity.ask_proof(AskProof(account_id=house.account.account_id))
    enter = await house.identity.ask_passkey(AskPasskey())
    for challenge in (asked.challenge, proof.challenge, enter.challenge, "x", "", "a\0b"):
        with pytest.raises(ChallengeSpent):
            await house.identity.find_challenge(FindChallenge(challenge=challenge))
    late = await house.asked()
    house.clock.advance(3600)
    with pytest.raises(ChallengeSpent):
        await house.identity.find_challenge(FindChallenge(challenge=late.challenge))


async def test_a_call_that_knows_no_second_step_opens_nothing(house: House) -> None:
    await house.with_app()
    with pytest.raises(FactorNeeded):
        await house.identity.login(Login(email=EMAIL, password=PASSWORD))
    link = await house.identity.issue_login_link(IssueLoginLink(email=EMAIL))
    with pytest.raises(FactorNeeded):
        await house.identity.redeem_login_link(RedeemLoginLink(code=link.code))


async def test_a_login_link_takes_the_place_of_the_password_alone(house: House) -> None:
    app, _, _ = await house.with_app()
    link = await house.identity.issue_login_link(IssueLoginLink(email=EMAIL))
    begun = await house.identity.begin_login_by_link(RedeemLoginLink(code=link.code))
    assert begun.granted is None
    assert begun.asked is not None
    give = GiveFactor(challenge=begun.asked.challenge, code=house.code(app))
    assert (await house.identity.give_factor(give)).account == house.account


async def test_a_recovery_code_is_good_once_and_typed_as_people_do(house: House) -> None:
    _, codes, _ = await house.with_app()
    typed = codes[3].lower().replace("-", " ").replace("0", "o")
    asked = await house.asked()
    await house.identity.give_factor(GiveFactor(challenge=asked.challenge, code=typed))
    asked = await house.asked()
    with pytest.raises(WrongFactor):
        await house.identity.give_factor(GiveFactor(challenge=asked.challenge, code=codes[3]))
    assert (await house.factors()).recovery_codes_left == 9


async def test_new_recovery_codes_void_those_of_before(house: House) -> None:
    with pytest.raises(FactorMissing):
        await house.identity.renew_recovery_codes(
            RenewRecoveryCodes(account_id=house.account.account_id)
        )
    _, old, _ = await house.with_app()
    renew = RenewRecoveryCodes(account_id=house.account.account_id)
    new = (await house.identity.renew_recovery_codes(renew)).codes
    assert len(set(old) | set(new)) == 20
    asked = await house.asked()
    with pytest.raises(WrongFactor):
        await house.identity.give_factor(GiveFactor(challenge=asked.challenge, code=old[0]))
    assert await house.identity.give_factor(GiveFactor(challenge=asked.challenge, code=new[0]))


async def test_an_app_holds_only_once_its_code_has_come_back(house: House) -> None:
    ask, account_id = house.identity, house.account.account_id
    first = await ask.begin_totp(BeginTotp(account_id=account_id))
    second = await ask.begin_totp(BeginTotp(account_id=account_id))
    assert "issuer=Kino" in second.uri
    assert (await house.begin()).granted is not None

    def confirm(secret: str) -> ConfirmTotp:
        code = house.code(pyotp.TOTP(secret))
        return ConfirmTotp(account_id=account_id, login_id=LoginId(""), code=code)

    with pytest.raises(WrongFactor):
        await ask.confirm_totp(confirm(first.secret))
    assert len((await ask.confirm_totp(confirm(second.secret))).codes) == 10
    with pytest.raises(FactorExists):
        await ask.begin_totp(BeginTotp(account_id=account_id))
    assert (await house.factors()).totp_since == house.clock.now()


async def test_an_app_is_taken_off_by_the_password_and_a_code(house: House) -> None:
    app, _, _ = await house.with_app()
    ask, account_id = house.identity, house.account.account_id
    with pytest.raises(WrongFactor):
        await ask.remove_totp(RemoveTotp(account_id=account_id, password=PASSWORD, code="000000"))
    await ask.remove_totp(
        RemoveTotp(account_id=account_id, password=PASSWORD, code=house.code(app))
    )
    assert await house.factors() == FactorList(passkeys_possible=True)
    assert (await house.begin()).granted is not None


async def test_a_passkey_enters_alone_and_is_the_second_step_too(house: House) -> None:
    device = Authenticator()
    added = await house.with_passkey(device)
    assert (added.passkey.name, len(added.recovery_codes)) == ("My phone", 10)
    granted = await house.by_passkey(device)
    caller = await house.identity.authenticate(Authenticate(token=granted.token))
    assert (caller.account_id, caller.level) == (house.account.account_id, 2)
    asked = await house.asked()
    assert (asked.kinds, asked.rp_id) == (["passkey", "recovery"], "films.example")
    (known,) = asked.passkeys
    assert known.transports == ["internal"]
    answer = device.answer(asked.challenge)
    assert answer.credential_id == known.credential_id
    await house.identity.give_factor(GiveFactor(challenge=asked.challenge, passkey=answer))


async def test_several_passkeys_have_names_and_go_one_by_one(house: House) -> None:
    phone, key = Authenticator(), Authenticator(algorithm="eddsa", counts=False)
    first = await house.with_passkey(phone)
    second = await house.with_passkey(key, name="")
    assert second.recovery_codes == []
    house.clock.advance(60)
    await house.by_passkey(key)
    await house.by_passkey(key)
    ask, account_id = house.identity, house.account.account_id
    rename = RenamePasskey(
        account_id=account_id, passkey_id=second.passkey.passkey_id, name="The key\n in the drawer"
    )
    await ask.rename_passkey(rename)
    kept = (await house.factors()).passkeys
    assert [(each.name, each.used_at) for each in kept] == [
        ("My phone", None),
        ("The key in the drawer", house.clock.now()),
    ]
    remove = RemovePasskey(account_id=account_id, passkey_id=first.passkey.passkey_id)
    await ask.remove_passkey(remove)
    with pytest.raises(FactorMissing):
        await ask.remove_passkey(remove)
    with pytest.raises(WrongFactor):
        await house.by_passkey(phone)
    await house.by_passkey(key)


async def test_a_proof_raises_the_login_and_says_when(house: House) -> None:
    app, _, login_id = await house.with_app()
    ask, account_id = house.identity, house.account.account_id
    house.clock.advance(3600)
    with pytest.raises(FactorNeeded):
        await ask.prove(Prove(account_id=account_id, login_id=login_id, password=PASSWORD))
    with pytest.raises(WrongFactor):
        await ask.prove(Prove(account_id=account_id, login_id=login_id, code="000000"))
    proof = await ask.prove(Prove(account_id=account_id, login_id=login_id, code=house.code(app)))
    assert (proof.level, proof.proved_at) == (2, house.clock.now())
    device = Authenticator()
    await house.with_passkey(device)
    asked = await ask.ask_proof(AskProof(account_id=account_id))
    passkey = device.answer(asked.challenge)
    assert await ask.prove(Prove(account_id=account_id, login_id=login_id, passkey=passkey))


async def test_a_password_proves_an_account_that_has_nothing_else(house: House) -> None:
    ask, account_id = house.identity, house.account.account_id
    login_id = await house.login_id(await ask.login(Login(email=EMAIL, password=PASSWORD)))
    house.clock.advance(3600)
    with pytest.raises(FactorMissing):
        await ask.ask_proof(AskProof(account_id=account_id))
    proof = await ask.prove(Prove(account_id=account_id, login_id=login_id, password=PASSWORD))
    assert (proof.level, proof.proved_at) == (1, house.clock.now())


async def test_the_operator_takes_everything_off(house: House) -> None:
    app, _, _ = await house.with_app()
    await house.with_passkey(Authenticator())
    ask = house.identity
    asked = await house.asked()
    await ask.reset_factors(ResetFactors(email=EMAIL))
    assert await house.factors() == FactorList(passkeys_possible=True)
    with pytest.raises(ChallengeSpent):
        await ask.give_factor(GiveFactor(challenge=asked.challenge, code=house.code(app)))
    assert (await house.begin()).granted is not None
    with pytest.raises(FactorMissing):
        await ask.reset_factors(ResetFactors(email=EMAIL))


async def test_where_the_address_is_none_for_passkeys_there_are_none(
    reach: Reach, database_url: str
) -> None:
    async with opened(database_url, wiring, mail) as database:
        ask = await reach(Identity, built(database, ManualClock(), "http://127.0.0.1:8080"))
        with pytest.raises(PasskeysOff):
            await ask.ask_passkey(AskPasskey())
        listed = await ask.list_factors(ListFactors(account_id=AccountId("acc_none")))
        assert not listed.passkeys_possible
