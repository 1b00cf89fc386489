"""Passkeys against those who forge, replay and copy them, on a real PostgreSQL."""

import asyncio
import base64
from collections.abc import Callable

import msgspec
import pytest

from cuemark.contexts.identity.model.factors import CHALLENGE_LASTS, MOST_PASSKEYS
from cuemark.contracts.identity import Account, Authenticate, Login, LoginGranted
from cuemark.contracts.identity.factors import (
    ChallengeSpent,
    FactorExists,
    GiveFactor,
    ListFactors,
    PasskeyAnswer,
    Prove,
    WrongFactor,
)
from cuemark.contracts.identity.joining import TooManyTries
from cuemark.contracts.identity.passkeys import (
    AddPasskey,
    AskPasskey,
    BeginPasskey,
    LoginByPasskey,
    PasskeyAdded,
)
from cuemark.contracts.ids import LoginId
from tests.authenticators import Authenticator, b64
from tests.integration.identity.house import EMAIL, PASSWORD, House

Change = Callable[[Authenticator], None]


async def add(house: House, account: Account, device: Authenticator) -> PasskeyAdded:
    begun = await house.identity.begin_passkey(BeginPasskey(account_id=account.account_id))
    made = device.make(begun.challenge, begun.user_handle)
    return await house.identity.add_passkey(
        AddPasskey(account_id=account.account_id, login_id=LoginId(""), passkey=made)
    )


async def challenge(house: House) -> str:
    return (await house.identity.ask_passkey(AskPasskey())).challenge


async def enter(house: House, answer: PasskeyAnswer) -> LoginGranted:
    return await house.identity.login_by_passkey(LoginByPasskey(passkey=answer))


def moved(device: Authenticator) -> None:
    device.origin = "https://films.example.evil.example"


def plain(device: Authenticator) -> None:
    device.origin = "http://films.example"


def renamed(device: Authenticator) -> None:
    device.rp_id = "evil.example"


def careless(device: Authenticator) -> None:
    device.verifies = False


WRONG: list[Change] = [moved, plain, renamed, careless]


@pytest.mark.parametrize("change", WRONG)
async def test_a_passkey_of_another_place_or_of_nobody_seen_enters_nothing(
    house: House, change: Change
) -> None:
    account = await house.create()
    device = Authenticator()
    await add(house, account, device)
    change(device)
    with pytest.raises(WrongFactor):
        await enter(house, device.answer(await challenge(house)))


@pytest.mark.parametrize("change", WRONG)
async def test_none_is_kept_that_was_made_so(house: House, change: Change) -> None:
    account = await house.create()
    device = Authenticator()
    change(device)
    with pytest.raises(WrongFactor):
        await add(house, account, device)
    listed = await house.identity.list_factors(ListFactors(account_id=account.account_id))
    assert listed.passkeys == []


async def test_a_page_within_another_makes_nothing(house: House) -> None:
    account = await house.create()
    device = Authenticator()
    await add(house, account, device)
    answer = device.answer(await challenge(house))
    told = base64.urlsafe_b64decode(answer.client_data + "==")
    framed = told.replace(b'"crossOrigin": false', b'"crossOrigin": true')
    assert framed != told
    with pytest.raises(WrongFactor):
        await enter(house, msgspec.structs.replace(answer, client_data=b64(framed)))


async def test_an_answer_enters_once(house: House) -> None:
    account = await house.create()
    device = Authenticator(counts=False)
    await add(house, account, device)
    answer = device.answer(await challenge(house))
    tries = [
        process.login_by_passkey(LoginByPasskey(passkey=answer))
        for process in (house.identity, house.built(), house.built())
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, LoginGranted) for each in answers) == 1
    assert sum(isinstance(each, ChallengeSpent) for each in answers) == 2


async def test_a_challenge_is_good_for_its_time_and_for_what_it_was_asked(house: House) -> None:
    account = await house.create()
    device = Authenticator()
    await add(house, account, device)
    late = await challenge(house)
    house.clock.advance(CHALLENGE_LASTS.total_seconds())
    registering = await house.identity.begin_passkey(BeginPasskey(account_id=account.account_id))
    begun = await house.identity.begin_login(Login(email=EMAIL, password=PASSWORD))
    assert begun.asked is not None
    for wrong in (late, registering.challenge, begun.asked.challenge, b64(bytes(32))):
        with pytest.raises(ChallengeSpent):
            await enter(house, device.answer(wrong))
    entering = await challenge(house)
    with pytest.raises(ChallengeSpent):
        await house.identity.give_factor(
            GiveFactor(challenge=entering, passkey=device.answer(entering))
        )
    with pytest.raises(ChallengeSpent):
        await house.identity.prove(
            Prove(
                account_id=account.account_id,
                login_id=LoginId(""),
                passkey=device.answer(await challenge(house)),
            )
        )


async def test_a_challenge_of_another_account_registers_and_enters_nothing(house: House) -> None:
    ada, eve = await house.create(), await house.create("eve@example.org")
    hers, evil = Authenticator(), Authenticator()
    await add(house, ada, hers)
    await add(house, eve, evil)
    begun = await house.identity.begin_passkey(BeginPasskey(account_id=ada.account_id))
    made = Authenticator().make(begun.challenge, begun.user_handle)
    with pytest.raises(ChallengeSpent):
        await house.identity.add_passkey(
            AddPasskey(account_id=eve.account_id, login_id=LoginId(""), passkey=made)
        )
    second = await house.identity.begin_login(Login(email=EMAIL, password=PASSWORD))
    assert second.asked is not None
    answer = evil.answer(second.asked.challenge)
    with pytest.raises(WrongFactor):
        await house.identity.give_factor(
            GiveFactor(challenge=second.asked.challenge, passkey=answer)
        )


async def test_a_passkey_that_claims_to_be_another_accounts_enters_neither(house: House) -> None:
    ada, eve = await house.create(), await house.create("eve@example.org")
    evil = Authenticator()
    await add(house, eve, evil)
    evil.held[-1].user_handle = b64(ada.account_id.encode())
    with pytest.raises(WrongFactor):
        await enter(house, evil.answer(await challenge(house)))


async def test_a_stranger_is_told_what_a_forger_is(house: House) -> None:
    account = await house.create()
    device, stranger = Authenticator(), Authenticator()
    await add(house, account, device)
    stranger.make(b64(bytes(32)))
    genuine = device.answer(await challenge(house))
    signature = bytearray(base64.urlsafe_b64decode(genuine.signature + "=="))
    signature[-1] ^= 1
    forged = msgspec.structs.replace(genuine, signature=b64(bytes(signature)))
    unknown = stranger.answer(await challenge(house))
    claimed = msgspec.structs.replace(
        stranger.answer(await challenge(house)), credential_id=b64(device.held[-1].credential_id)
    )
    told = []
    for answer in (forged, unknown, claimed):
        with pytest.raises(WrongFactor) as refused:
            await enter(house, answer)
        told.append(str(refused.value))
    assert len(set(told)) == 1


async def test_the_key_that_strangers_are_held_against_opens_nothing(house: House) -> None:
    """Its private half is 1: anybody can sign by it."""
    from cryptography.hazmat.primitives.asymmetric import ec

    from cuemark.contexts.identity.model.passkeys import NOBODYS_KEY

    await house.create()
    nobody = Authenticator()
    nobody.make(b64(bytes(32)))
    nobody.held[-1].key = ec.derive_private_key(1, ec.SECP256R1())
    assert nobody.held[-1].cose() == NOBODYS_KEY
    with pytest.raises(WrongFactor):
        await enter(house, nobody.answer(await challenge(house)))


async def test_a_counter_that_goes_back_is_refused_noted_and_told(house: House) -> None:
    account = await house.create()
    device = Authenticator()
    await add(house, account, device)
    await enter(house, device.answer(await challenge(house)))
    await enter(house, device.answer(await challenge(house)))
    device.held[-1].count = 0
    with pytest.raises(WrongFactor):
        await enter(house, device.answer(await challenge(house)))
    (kept,) = (
        await house.identity.list_factors(ListFactors(account_id=account.account_id))
    ).passkeys
    assert kept.suspect
    assert "may have been copied" in (await house.letter()).subject
    device.counts = False
    device.held[-1].count = 0
    with pytest.raises(WrongFactor):
        await enter(house, device.answer(await challenge(house)))


async def test_of_two_copies_that_answer_at_once_one_enters(house: House) -> None:
    account = await house.create()
    device = Authenticator()
    await add(house, account, device)
    first, second = await challenge(house), await challenge(house)
    one = device.answer(first)
    device.held[-1].count = 0
    two = device.answer(second)
    answers = await asyncio.gather(
        enter(house, one),
        house.built().login_by_passkey(LoginByPasskey(passkey=two)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, LoginGranted) for each in answers) == 1
    assert sum(isinstance(each, WrongFactor) for each in answers) == 1


async def test_a_credential_is_kept_once_whoever_brings_it(house: House) -> None:
    ada, eve = await house.create(), await house.create("eve@example.org")
    device = Authenticator()
    await add(house, ada, device)
    known = device.held[-1]
    begun = await house.identity.begin_passkey(BeginPasskey(account_id=eve.account_id))
    thief = Authenticator()
    made = thief.make(begun.challenge, begun.user_handle)
    swapped = msgspec.structs.replace(made, credential_id=b64(known.credential_id))
    with pytest.raises(WrongFactor):
        await house.identity.add_passkey(
            AddPasskey(account_id=eve.account_id, login_id=LoginId(""), passkey=swapped)
        )
    granted = await enter(house, device.answer(await challenge(house)))
    assert granted.account == ada


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"null",
        b"[]",
        b'{"type": 1}',
        b'{"type": "webauthn.get", "challenge": "\\ud800", "origin": ""}',
        b'{"type": "webauthn.get", "challenge": "\xc3\xa9", "origin": "https://films.example"}',
        b'{"type": "webauthn.get", "challenge": "", "origin": "https://films.example"}',
        b'{"type":' + b"[" * 5000,
        bytes(range(256)),
    ],
)
async def test_nonsense_is_refused_as_what_is_wrong_is(house: House, told: bytes) -> None:
    account = await house.create()
    await add(house, account, Authenticator())
    answer = PasskeyAnswer(credential_id="", client_data=b64(told))
    with pytest.raises((WrongFactor, ChallengeSpent)):
        await enter(house, answer)
    begun = await house.identity.begin_login(Login(email=EMAIL, password=PASSWORD))
    assert begun.asked is not None
    with pytest.raises((WrongFactor, ChallengeSpent)):
        await house.identity.give_factor(
            GiveFactor(challenge=begun.asked.challenge, passkey=answer)
        )
    with pytest.raises((WrongFactor, ChallengeSpent)):
        await house.identity.give_factor(GiveFactor(challenge="\ud800", passkey=answer))


async def test_formats_of_vendors_are_refused_unread(house: House) -> None:
    account = await house.create()
    for name in ("tpm", "android-key", "android-safetynet", "fido-u2f", "apple", "none "):
        with pytest.raises(WrongFactor):
            await add(house, account, Authenticator(attestation=name))


async def test_an_account_has_so_many_passkeys_and_no_more(house: House) -> None:
    account = await house.create()
    for _ in range(MOST_PASSKEYS):
        await add(house, account, Authenticator())
    with pytest.raises(FactorExists):
        await add(house, account, Authenticator())


async def test_asking_for_challenges_is_limited_by_who_asks(house: House) -> None:
    ask = AskPasskey(client_address="192.0.2.1")
    for _ in range(300):
        await house.identity.ask_passkey(ask)
    with pytest.raises(TooManyTries):
        await house.identity.ask_passkey(ask)
    await house.identity.ask_passkey(AskPasskey(client_address="192.0.2.2"))


async def test_a_login_by_passkey_is_as_sure_as_one_in_two_steps(house: House) -> None:
    account = await house.create()
    device = Authenticator(algorithm="eddsa")
    await add(house, account, device)
    granted = await enter(house, device.answer(await challenge(house)))
    caller = await house.identity.authenticate(Authenticate(token=granted.token))
    assert (caller.level, caller.proved_at, caller.two_steps) == (2, house.clock.now(), True)
