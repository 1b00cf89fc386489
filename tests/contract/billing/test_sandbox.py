"""What billing may rely on of every payment provider; today that is the sandbox, over HTTP."""

import asyncio
import json
from pathlib import Path

import pytest
import requests

from cuemark.contexts.billing.model.calls import (
    ActionRequired,
    Authorize,
    Capture,
    Declined,
    Found,
    GiveBack,
    Look,
    Movements,
    SetUp,
    Succeeded,
    Unknown,
)
from cuemark.contexts.billing.psp import Psp, made
from cuemark.contexts.billing.psp.sandbox import wire
from cuemark.contracts.billing import WebhookRejected
from cuemark.contracts.billing.plans import Money
from tests.contract.billing.conftest import (
    ASKS_EACH,
    ASKS_ONCE,
    GOOD,
    KEY,
    POOR,
    STOLEN,
    Sandbox,
    running,
)

MONEY = Money(amount_minor=1299, currency="EUR")


async def mandate(psp: Psp, number: str = GOOD, key: str = "acc_1:m1") -> str:
    token = await psp.tokenize(number)
    assert isinstance(token, Succeeded)
    done = await psp.setup_mandate(SetUp(key=key, card=token.ref, return_url="http://here/"))
    assert isinstance(done, Succeeded)
    return done.ref


async def authorized(psp: Psp, key: str = "inv_1:1") -> str:
    done = await psp.authorize(Authorize(key=key, mandate_ref=await mandate(psp), money=MONEY))
    assert isinstance(done, Succeeded)
    return done.ref


async def moved(psp: Psp) -> list[tuple[str, str, int]]:
    found = await psp.list_since("", 100)
    assert isinstance(found, Movements)
    return [(each.key, each.what, each.amount_minor) for each in found.movements]


async def found(psp: Psp, key: str) -> Found:
    answer = await psp.fetch(Look(key=key))
    assert isinstance(answer, Found)
    return answer


async def test_money_moves_at_the_capture_and_not_before(sandbox: Sandbox) -> None:
    ref = await authorized(sandbox.psp)
    assert await moved(sandbox.psp) == []
    assert (await found(sandbox.psp, "inv_1:1")).status == "authorized"
    done = await sandbox.psp.capture(Capture(key="inv_1:1", ref=ref, money=MONEY))
    assert isinstance(done, Succeeded)
    assert await moved(sandbox.psp) == [("inv_1:1", "capture", 1299)]
    assert (await found(sandbox.psp, "inv_1:1")).captured_minor == 1299


async def test_the_same_key_moves_money_once(sandbox: Sandbox) -> None:
    psp = sandbox.psp
    ref = await authorized(psp)
    again = Authorize(key="inv_1:1", mandate_ref="another", money=MONEY)
    assert await psp.authorize(again) == Succeeded(ref=ref)
    back = GiveBack(key="inv_1:r1", ref=ref, payment_key="inv_1:1", money=MONEY)
    for _ in range(3):
        assert await made(psp, Capture(key="inv_1:1", ref=ref, money=MONEY)) == Succeeded(ref=ref)
    for _ in range(3):
        assert isinstance(await made(psp, back), Succeeded)
    assert await moved(psp) == [("inv_1:1", "capture", 1299), ("inv_1:1", "refund", 1299)]
    assert (await found(psp, "inv_1:1")).refund_keys == ("inv_1:r1",)


async def test_more_than_was_paid_is_not_given_back(sandbox: Sandbox) -> None:
    ref = await authorized(sandbox.psp)
    await sandbox.psp.capture(Capture(key="inv_1:1", ref=ref, money=MONEY))
    half = Money(amount_minor=800, currency="EUR")
    asked = GiveBack(key="inv_1:r1", ref=ref, payment_key="inv_1:1", money=half)
    assert isinstance(await sandbox.psp.refund(asked), Succeeded)
    more = GiveBack(key="inv_1:r2", ref=ref, payment_key="inv_1:1", money=half)
    assert isinstance(await sandbox.psp.refund(more), Declined)
    assert (await found(sandbox.psp, "inv_1:1")).refunded_minor == 800


@pytest.mark.parametrize(("number", "retryable"), [(POOR, True), (STOLEN, False)])
async def test_a_card_is_declined_with_a_reason(
    sandbox: Sandbox, number: str, retryable: bool
) -> None:
    call = Authorize(key="inv_1:1", mandate_ref=await mandate(sandbox.psp, number), money=MONEY)
    declined = await sandbox.psp.authorize(call)
    assert isinstance(declined, Declined)
    assert declined.retryable is retryable
    assert (await found(sandbox.psp, "inv_1:1")).status == "declined"
    assert await moved(sandbox.psp) == []


async def test_a_card_that_there_is_not_is_declined(sandbox: Sandbox) -> None:
    assert isinstance(await sandbox.psp.tokenize("4111 1111 1111 1111"), Declined)
    call = SetUp(key="acc_1:m1", card="card_none", return_url="")
    assert isinstance(await sandbox.psp.setup_mandate(call), Declined)
    charge = Authorize(key="inv_1:1", mandate_ref="mandate_none", money=MONEY)
    assert isinstance(await sandbox.psp.authorize(charge), Declined)


@pytest.mark.parametrize("answer", ["approve", "refuse"])
async def test_the_owner_of_a_card_is_asked_on_a_page(sandbox: Sandbox, answer: str) -> None:
    token = await sandbox.psp.tokenize(ASKS_ONCE)
    assert isinstance(token, Succeeded)
    call = SetUp(key="acc_1:m1", card=token.ref, return_url="http://127.0.0.1:1/back")
    asked = await sandbox.psp.setup_mandate(call)
    assert isinstance(asked, ActionRequired)
    assert await found(sandbox.psp, "acc_1:m1") == Found(
        status="action", ref=asked.ref, url=asked.url
    )
    page = await _http("get", asked.url)
    assert "approve" in page.text
    said = await _http("post", asked.url, {"answer": answer})
    assert (said.status_code, said.headers["location"]) == (303, "http://127.0.0.1:1/back")
    status = (await found(sandbox.psp, "acc_1:m1")).status
    assert status == ("ready" if answer == "approve" else "declined")
    assert "<form" not in (await _http("get", asked.url)).text


async def test_what_nobody_approves_in_an_hour_is_declined(sandbox: Sandbox) -> None:
    call = Authorize(key="inv_1:1", mandate_ref=await mandate(sandbox.psp, ASKS_EACH), money=MONEY)
    assert isinstance(await sandbox.psp.authorize(call), ActionRequired)
    assert await sandbox.psp.ahead_s(3700) == 3700
    late = await found(sandbox.psp, "inv_1:1")
    assert (late.status, late.code) == ("declined", "expired")


async def test_a_key_that_was_never_heard_of_is_absent(sandbox: Sandbox) -> None:
    assert await found(sandbox.psp, "inv_none:1") == Found(status="absent")


@pytest.mark.parametrize("fault", ["timeout_after_success", "timeout_before", "unavailable"])
async def test_no_answer_is_unknown_and_is_resolved_by_a_look(
    sandbox: Sandbox, fault: wire.FaultName
) -> None:
    ref = await authorized(sandbox.psp)
    await sandbox.fault(fault, "capture")
    call = Capture(key="inv_1:1", ref=ref, money=MONEY)
    assert isinstance(await sandbox.psp.capture(call), Unknown)
    before = (await found(sandbox.psp, "inv_1:1")).status
    assert before == ("authorized" if fault == "timeout_before" else "captured")
    assert isinstance(await sandbox.psp.capture(call), Succeeded)
    assert await moved(sandbox.psp) == [("inv_1:1", "capture", 1299)]


async def test_a_provider_that_is_away_is_unknown(tmp_path: Path) -> None:
    async with running(tmp_path / "bank.sqlite") as sandbox:
        psp, line = sandbox.psp, sandbox.line
    assert isinstance(await psp.fetch(Look(key="x")), Unknown)
    assert isinstance(await psp.list_since("", 10), Unknown)
    assert isinstance(await psp.tokenize(GOOD), Unknown)
    assert await psp.ahead_s() is None
    await line.close()


async def test_what_was_done_outlives_the_providers_process(tmp_path: Path) -> None:
    async with running(tmp_path / "bank.sqlite") as sandbox:
        ref = await authorized(sandbox.psp)
        await sandbox.psp.capture(Capture(key="inv_1:1", ref=ref, money=MONEY))
        await sandbox.psp.ahead_s(60)
    async with running(tmp_path / "bank.sqlite") as sandbox:
        assert await moved(sandbox.psp) == [("inv_1:1", "capture", 1299)]
        assert await sandbox.psp.ahead_s() == 60


async def test_movements_are_listed_from_a_cursor_on(sandbox: Sandbox) -> None:
    psp = sandbox.psp
    for number in range(3):
        ref = await authorized(psp, f"inv_{number}:1")
        await psp.capture(Capture(key=f"inv_{number}:1", ref=ref, money=MONEY))
    first = await psp.list_since("", 2)
    assert isinstance(first, Movements)
    rest = await psp.list_since(first.cursor, 2)
    assert isinstance(rest, Movements)
    keys = [each.key for each in [*first.movements, *rest.movements]]
    assert keys == ["inv_0:1", "inv_1:1", "inv_2:1"]
    end = await psp.list_since(rest.cursor, 2)
    assert end == Movements(movements=[], cursor=rest.cursor)


async def test_a_chargeback_takes_back_what_is_left(sandbox: Sandbox) -> None:
    ref = await authorized(sandbox.psp)
    await sandbox.psp.capture(Capture(key="inv_1:1", ref=ref, money=MONEY))
    assert await sandbox.ask("/v1/chargebacks", wire.KeyAsked(key="inv_1:1")) == 200
    assert (await found(sandbox.psp, "inv_1:1")).charged_back_minor == 1299
    assert await moved(sandbox.psp) == [
        ("inv_1:1", "capture", 1299),
        ("inv_1:1", "chargeback", 1299),
    ]


async def test_a_webhook_counts_when_the_provider_has_signed_it(sandbox: Sandbox) -> None:
    body = json.dumps({"event_id": "evt_1", "key": "inv_1:1"}).encode()
    notice = sandbox.psp.parse_webhook(body, wire.signature_of(KEY, body))
    assert (notice.event_id, notice.key) == ("evt_1", "inv_1:1")
    for signature in ("", "0" * 64, wire.signature_of(b"another", body), "ü"):
        with pytest.raises(WebhookRejected):
            sandbox.psp.parse_webhook(body, signature)
    with pytest.raises(WebhookRejected):
        sandbox.psp.parse_webhook(b"[]", wire.signature_of(KEY, b"[]"))


async def test_nobody_without_the_secret_is_answered(sandbox: Sandbox) -> None:
    reply = await _http("post", f"{sandbox.at.url}/v1/find", json_={"key": "x"})
    assert reply.status_code == 401
    assert await sandbox.ask("/v1/nothing", wire.Done()) == 404
    assert await sandbox.ask("/v1/clock", wire.ClockAsked(advance_s=-5)) == 422


async def _http(
    method: str, url: str, data: dict[str, str] | None = None, json_: dict[str, str] | None = None
) -> requests.Response:
    def send() -> requests.Response:
        with requests.Session() as session:
            return session.request(
                method, url, data=data, json=json_, allow_redirects=False, timeout=5
            )

    return await asyncio.to_thread(send)
