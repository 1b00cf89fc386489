"""What billing may rely on of every payment provider: one suite for all of them, over HTTP."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cuemark.contexts.billing.model.calls import (
    ActionRequired,
    Authorize,
    Capture,
    Declined,
    Found,
    GiveBack,
    Look,
    Movements,
    Outcome,
    SetUp,
    Succeeded,
    Unknown,
)
from cuemark.contexts.billing.psp import made
from cuemark.contracts.billing import WebhookRejected
from cuemark.contracts.billing.plans import Money
from tests.contract.billing.providers import (
    CANNOT,
    Kind,
    Operation,
    Provider,
    able,
    opened_provider,
)

MONEY = Money(amount_minor=1299, currency="EUR")
BACK = "http://here.test/plan"


@pytest.fixture
async def provider(
    request: pytest.FixtureRequest, tmp_path: Path, localstripe: Callable[[], str]
) -> AsyncIterator[Provider]:
    async with opened_provider(request.param, tmp_path, localstripe) as provider:
        yield provider


async def set_up(provider: Provider, kind: Kind = "good", key: str = "acc_1:m1") -> Outcome:
    """A mandate, its owner having said yes wherever they were asked."""
    card = await provider.card(kind)
    call = SetUp(key=provider.key(key), card=card, return_url=BACK)
    done = await provider.psp.setup_mandate(call)
    if isinstance(done, ActionRequired):
        await provider.act(done.url, kind, "approve")
        found = await provider.psp.fetch(Look(key=call.key, card=card, ref=done.ref))
        assert isinstance(found, Found)
        assert found.status == "ready"
        return Succeeded(ref=found.ref)
    return done


async def mandate(provider: Provider, kind: Kind = "good") -> str:
    done = await set_up(provider, kind)
    assert isinstance(done, Succeeded), done
    return done.ref


async def authorization(provider: Provider, key: str = "inv_1:1") -> Authorize:
    return Authorize(key=provider.key(key), mandate_ref=await mandate(provider), money=MONEY)


async def found(provider: Provider, call: Authorize, ref: str = "") -> Found:
    look = Look(key=call.key, mandate_ref=call.mandate_ref, ref=ref)
    answer = await provider.psp.fetch(look)
    assert isinstance(answer, Found), answer
    return answer


async def captured(provider: Provider, call: Authorize) -> str:
    """The payment's ref, once its money is there."""
    done = await provider.psp.authorize(call)
    assert isinstance(done, Succeeded), done
    await provider.psp.capture(Capture(key=call.key, ref=done.ref, money=call.money))
    await provider.pass_days()
    assert (await found(provider, call, done.ref)).captured_minor == call.money.amount_minor
    return done.ref


async def end_of(provider: Provider) -> str:
    """The cursor after all that has moved so far."""
    cursor = ""
    while True:
        page = await provider.psp.list_since(cursor, 100)
        assert isinstance(page, Movements)
        if page.cursor == cursor:
            return cursor
        cursor = page.cursor


async def moved(provider: Provider, cursor: str) -> list[tuple[str, str, int]]:
    page = await provider.psp.list_since(cursor, 100)
    assert isinstance(page, Movements)
    return [(each.key, each.what, each.amount_minor) for each in page.movements]


def test_a_provider_that_cannot_do_something_says_why() -> None:
    assert all(reason for reasons in CANNOT.values() for reason in reasons.values())


@able()
async def test_money_moves_at_the_capture_and_not_before(provider: Provider) -> None:
    start, call = await end_of(provider), await authorization(provider)
    done = await provider.psp.authorize(call)
    assert isinstance(done, Succeeded)
    assert await moved(provider, start) == []
    assert (await found(provider, call)).status == "authorized"
    await provider.psp.capture(Capture(key=call.key, ref=done.ref, money=MONEY))
    await provider.pass_days()
    assert await moved(provider, start) == [(call.key, "capture", 1299)]
    standing = await found(provider, call, done.ref)
    assert (standing.status, standing.captured_minor) == ("captured", 1299)


@able("pays_at_once")
async def test_a_capture_is_answered_with_success(provider: Provider) -> None:
    call = await authorization(provider)
    done = await provider.psp.authorize(call)
    assert isinstance(done, Succeeded)
    capture = Capture(key=call.key, ref=done.ref, money=MONEY)
    assert isinstance(await provider.psp.capture(capture), Succeeded)


@able()
async def test_the_same_key_moves_money_once(provider: Provider) -> None:
    start, call = await end_of(provider), await authorization(provider)
    refs = {getattr(await provider.psp.authorize(call), "ref", "") for _ in range(3)}
    (ref,) = refs
    for _ in range(3):
        await made(provider.psp, Capture(key=call.key, ref=ref, money=MONEY))
    await provider.pass_days()
    back = GiveBack(key=provider.key("inv_1:r1"), ref=ref, payment_key=call.key, money=MONEY)
    for _ in range(3):
        assert isinstance(await made(provider.psp, back), Succeeded)
    assert await moved(provider, start) == [
        (call.key, "capture", 1299),
        (call.key, "refund", 1299),
    ]
    assert (await found(provider, call, ref)).refund_keys == (back.key,)


@able()
async def test_a_payment_is_given_back_in_parts(provider: Provider) -> None:
    call = await authorization(provider)
    ref = await captured(provider, call)
    for number, amount in ((1, 800), (2, 499)):
        part = Money(amount_minor=amount, currency="EUR")
        key = provider.key(f"inv_1:r{number}")
        asked = GiveBack(key=key, ref=ref, payment_key=call.key, money=part)
        assert isinstance(await provider.psp.refund(asked), Succeeded)
    standing = await found(provider, call, ref)
    assert (standing.refunded_minor, len(standing.refund_keys)) == (1299, 2)


@able("bounds_refunds")
async def test_more_than_was_paid_is_not_given_back(provider: Provider) -> None:
    call = await authorization(provider)
    ref = await captured(provider, call)
    more = Money(amount_minor=1300, currency="EUR")
    asked = GiveBack(key=provider.key("inv_1:r1"), ref=ref, payment_key=call.key, money=more)
    assert isinstance(await provider.psp.refund(asked), Declined)
    assert (await found(provider, call, ref)).refunded_minor == 0


async def declined(provider: Provider, kind: Kind) -> Declined | Found:
    """The no of what pays not, at the step at which this provider hears of it."""
    done = await set_up(provider, kind)
    if isinstance(done, Succeeded):
        call = Authorize(key=provider.key("inv_1:1"), mandate_ref=done.ref, money=MONEY)
        done = await provider.psp.authorize(call)
        if isinstance(done, Succeeded):
            await provider.psp.capture(Capture(key=call.key, ref=done.ref, money=MONEY))
            await provider.pass_days()
            return await found(provider, call, done.ref)
        assert (await found(provider, call)).status == "declined"
    assert isinstance(done, Declined), done
    return done


@able()
async def test_who_has_no_money_is_declined_and_may_be_asked_again(provider: Provider) -> None:
    start = await end_of(provider)
    no = await declined(provider, "poor")
    assert (bool(no.code), no.retryable) == (True, True)
    assert await moved(provider, start) == []


@able("tells_why")
async def test_what_is_gone_for_good_is_not_to_be_asked_again(provider: Provider) -> None:
    assert (await declined(provider, "closed")).retryable is False


@able()
async def test_what_there_is_not_is_declined(provider: Provider) -> None:
    call = SetUp(key=provider.key("acc_1:m1"), card="pm_none", return_url=BACK)
    assert isinstance(await provider.psp.setup_mandate(call), Declined)
    key = provider.key("inv_1:1")
    charge = Authorize(key=key, mandate_ref="cus_none/pm_none", money=MONEY)
    assert isinstance(await provider.psp.authorize(charge), Declined)


@able("tokens")
async def test_a_number_has_a_token(provider: Provider) -> None:
    assert isinstance(await provider.psp.tokenize("4242 4242 4242 4242"), Succeeded)
    assert isinstance(await provider.psp.tokenize("4111 1111 1111 1111"), Declined)


@pytest.mark.parametrize(
    "provider", sorted(n for n in CANNOT if "tokens" in CANNOT[n] and n != "stripe"), indirect=True
)
async def test_a_number_is_not_taken_where_it_is_given_elsewhere(provider: Provider) -> None:
    assert isinstance(await provider.psp.tokenize("4242 4242 4242 4242"), Declined)


@able("acts")
@pytest.mark.parametrize("answer", ["approve", "refuse"])
async def test_an_owner_is_asked_on_a_page(provider: Provider, answer: str) -> None:
    card = await provider.card("asks_once")
    call = SetUp(key=provider.key("acc_1:m1"), card=card, return_url=BACK)
    asked = await provider.psp.setup_mandate(call)
    assert isinstance(asked, ActionRequired)
    look = Look(key=call.key, card=card, ref=asked.ref)
    waiting = await provider.psp.fetch(look)
    assert waiting == Found(status="action", ref=asked.ref, url=asked.url)
    assert await provider.act(asked.url, "asks_once", answer) == BACK
    after = await provider.psp.fetch(look)
    assert isinstance(after, Found)
    assert after.status == ("ready" if answer == "approve" else "declined")


@able("asks_at_payments")
@pytest.mark.parametrize("answer", ["approve", "refuse"])
async def test_an_owner_is_asked_at_a_payment(provider: Provider, answer: str) -> None:
    ref = await mandate(provider, "asks_each")
    call = Authorize(key=provider.key("inv_1:1"), mandate_ref=ref, money=MONEY)
    asked = await provider.psp.authorize(call)
    assert isinstance(asked, ActionRequired)
    assert (await found(provider, call)).status == "action"
    await provider.act(asked.url, "asks_each", answer)
    after = await found(provider, call, asked.ref)
    assert after.status == ("authorized" if answer == "approve" else "declined")
    if answer == "approve":
        capture = Capture(key=call.key, ref=asked.ref, money=MONEY)
        assert isinstance(await provider.psp.capture(capture), Succeeded)


@able()
async def test_a_key_that_was_never_heard_of_is_absent(provider: Provider) -> None:
    call = await authorization(provider)
    assert await found(provider, call) == Found(status="absent")
    look = Look(key=provider.key("acc_9:m1"), card=await provider.card("good"))
    assert await provider.psp.fetch(look) == Found(status="absent")


@able("sets_up_unasked")
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_to_a_set_up_is_found_again(provider: Provider, when: str) -> None:
    card = await provider.card("good")
    call = SetUp(key=provider.key("acc_1:m1"), card=card, return_url=BACK)
    await lose(provider, "mandate", when)
    assert isinstance(await provider.psp.setup_mandate(call), Unknown)
    standing = await provider.psp.fetch(Look(key=call.key, card=card))
    assert isinstance(standing, Found)
    assert standing.status == ("absent" if when == "before" else "ready")
    again = await provider.psp.setup_mandate(call)
    assert isinstance(again, Succeeded)
    assert when == "before" or again.ref == standing.ref


@pytest.mark.parametrize(
    "provider", sorted(n for n in CANNOT if "sets_up_unasked" in CANNOT[n]), indirect=True
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_page_whose_address_was_lost_is_found_again(provider: Provider, when: str) -> None:
    card = await provider.card("good")
    call = SetUp(key=provider.key("acc_1:m1"), card=card, return_url=BACK)
    await lose(provider, "mandate", when)
    assert isinstance(await provider.psp.setup_mandate(call), Unknown)
    standing = await provider.psp.fetch(Look(key=call.key, card=card))
    assert isinstance(standing, Found)
    assert standing.status == ("absent" if when == "before" else "action")
    again = await provider.psp.setup_mandate(call)
    assert isinstance(again, ActionRequired)
    assert when == "before" or (again.ref, again.url) == (standing.ref, standing.url)


@able()
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["authorize", "capture", "refund"])
async def test_a_lost_answer_moves_money_once_and_is_found_again(
    provider: Provider, operation: Operation, when: str
) -> None:
    start, call = await end_of(provider), await authorization(provider)
    asked = await once_lost(provider, call, operation == "authorize", "authorize", when)
    assert isinstance(asked, Succeeded)
    capture = Capture(key=call.key, ref=asked.ref, money=MONEY)
    await once_lost(provider, capture, operation == "capture", "capture", when)
    await provider.pass_days()
    assert (await found(provider, call, asked.ref)).captured_minor == 1299
    back = GiveBack(key=provider.key("inv_1:r1"), ref=asked.ref, payment_key=call.key, money=MONEY)
    assert isinstance(
        await once_lost(provider, back, operation == "refund", "refund", when), Succeeded
    )
    assert [(what, minor) for _, what, minor in await moved(provider, start)] == [
        ("capture", 1299),
        ("refund", 1299),
    ]


async def lose(provider: Provider, operation: Operation, when: str) -> None:
    await provider.lose(operation, "before" if when == "before" else "after")


async def once_lost(
    provider: Provider,
    call: Authorize | Capture | GiveBack,
    lost: bool,
    operation: Operation,
    when: str,
) -> Outcome | Found:
    """The answer to a call: the second one, where the first was lost."""
    if not lost:
        return await made(provider.psp, call)
    await lose(provider, operation, when)
    first = await made(provider.psp, call)
    if isinstance(call, Authorize):
        assert isinstance(first, Unknown)
        status = (await found(provider, call)).status
        assert status == ("absent" if when == "before" else "authorized")
    return await made(provider.psp, call)


@able()
async def test_a_provider_that_is_away_is_unknown(provider: Provider) -> None:
    psp = provider.dead_psp
    card = await provider.card("good")
    for call in (
        SetUp(key="acc_1:m1", card=card, return_url=BACK),
        Authorize(key="inv_1:1", mandate_ref="cus_1/pm_1", money=MONEY),
        Capture(key="inv_1:1", ref="pi_1", money=MONEY),
        GiveBack(key="inv_1:r1", ref="pi_1", payment_key="inv_1:1", money=MONEY),
        Look(key="inv_1:1", ref="pi_1"),
    ):
        assert isinstance(await made(psp, call), Unknown)
    assert isinstance(await psp.list_since("", 10), Unknown)


@able()
async def test_movements_are_listed_from_a_cursor_on(provider: Provider) -> None:
    cursor = await end_of(provider)
    ref = await mandate(provider)
    keys = [provider.key(f"inv_{number}:1") for number in range(3)]
    for key in keys:
        await captured(provider, Authorize(key=key, mandate_ref=ref, money=MONEY))
    first = await provider.psp.list_since(cursor, 2)
    assert isinstance(first, Movements)
    rest = await provider.psp.list_since(first.cursor, 2)
    assert isinstance(rest, Movements)
    assert [each.key for each in [*first.movements, *rest.movements]] == keys
    assert {each.currency for each in rest.movements} == {"EUR"}
    end = await provider.psp.list_since(rest.cursor, 2)
    assert end == Movements(movements=[], cursor=rest.cursor)


@able("charges_back")
async def test_what_a_bank_takes_back_is_seen(provider: Provider) -> None:
    start, call = await end_of(provider), await authorization(provider)
    ref = await captured(provider, call)
    await provider.charge_back(call.key)
    assert (await found(provider, call, ref)).charged_back_minor == 1299
    assert (call.key, "chargeback", 1299) in await moved(provider, start)


@able()
async def test_a_webhook_counts_when_the_provider_has_signed_it(provider: Provider) -> None:
    body, signature = provider.signed("evt_1", "inv_1:1")
    for _ in range(2):
        notice = provider.psp.parse_webhook(body, signature)
        assert (notice.event_id, notice.key) == ("evt_1", "inv_1:1")
    other, other_signature = provider.signed("evt_2", "inv_2:1")
    assert provider.psp.parse_webhook(other, other_signature).event_id == "evt_2"
    forged = ["", "0" * 64, "ü", "t=1,v1=0", "t=x", other_signature, signature + "0"]
    for wrong in forged:
        with pytest.raises(WebhookRejected):
            provider.psp.parse_webhook(body, wrong)
    with pytest.raises(WebhookRejected):
        provider.psp.parse_webhook(body + b" ", signature)
    with pytest.raises(WebhookRejected):
        provider.psp.parse_webhook(b"\xff", signature)
