"""What every caller of fraud may rely on, however it is reached."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text

from cuemark.contexts.fraud import wiring
from cuemark.contracts.fraud import (
    By,
    ExplainAccount,
    Forgive,
    Fraud,
    JudgeCard,
    JudgeLogin,
    ListFindings,
    NoteCard,
    NoteLogin,
    NotePlay,
    Verdict,
)
from cuemark.contracts.ids import AccountId
from cuemark.kit import mail
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.pages import PageInvalid, cursor_of
from cuemark.kit.puzzle import solve
from tests.contract.conftest import Reach
from tests.databases import opened

ANNA, BEN = AccountId("acc_anna"), AccountId("acc_ben")
EMAIL = "anna@films.example"


@dataclass(frozen=True)
class House:
    """Fraud as its callers see it, with the clock and the database behind it."""

    fraud: Fraud
    clock: ManualClock
    database: Database

    async def judge(self, *, email: str = EMAIL, answer: str = "", device: str = "") -> Verdict:
        return await self.fraud.judge_login(
            JudgeLogin(email=email, client_address="203.0.113.7", answer=answer, device=device)
        )

    async def fail(self, count: int, *, email: str = "", proven: bool = False) -> None:
        for number in range(count):
            await self.fraud.note_login(
                NoteLogin(
                    email=email or f"x{number}@films.example",
                    client_address=f"198.18.{number % 200}.{number // 200}",
                    proven=proven,
                    opened=False,
                )
            )

    async def give_cards(self, count: int, account_id: AccountId = ANNA) -> None:
        for number in range(count):
            await self.fraud.note_card(
                NoteCard(
                    account_id=account_id,
                    login="lgn_1",
                    client_address="203.0.113.7",
                    card=f"card_{number}",
                )
            )
            self.clock.advance(60)

    async def card(self, answer: str = "", account_id: AccountId = ANNA) -> Verdict:
        return await self.fraud.judge_card(
            JudgeCard(
                account_id=account_id,
                login="lgn_1",
                client_address="203.0.113.7",
                answer=answer,
            )
        )

    async def watch(self, days: int, *homes: tuple[str, str], at_once: bool = False) -> None:
        """Each day a play in each home, a device and its address; written when it is asked for."""
        logins = [login for login, _ in homes] if at_once else []
        for _ in range(days):
            for login, address in homes:
                await self.fraud.note_play(
                    NotePlay(
                        account_id=ANNA,
                        login=login,
                        client_address=address,
                        territory="DE",
                        email=EMAIL,
                        beside=[each for each in logins if each != login],
                    )
                )
            await self.fraud.explain(ExplainAccount(account_id=ANNA))
            self.clock.advance(86_400)

    async def count(self, table: str) -> int:
        async with self.database.transaction() as transaction:
            found = await transaction.execute(text(f"select count(*) from {table}"))
            return int(found.scalar_one())


@pytest.fixture
async def house(reach: Reach, database_url: str) -> AsyncIterator[House]:
    async with opened(database_url, wiring, mail) as database:
        clock = ManualClock()
        room = wiring.build(database, Log(clock), clock, Ids(clock), key=b"k" * 32)
        yield House(await reach(Fraud, room.service), clock, database)


async def test_in_peace_a_login_passes_and_nothing_is_kept(house: House) -> None:
    await house.fail(3, email=EMAIL)
    assert await house.judge() == Verdict(step="pass")
    assert (await house.fraud.list_findings(ListFindings())).findings == []


async def test_under_attack_a_login_passes_with_a_proof_that_is_good_once(house: House) -> None:
    await house.fail(200)
    asked = await house.judge()
    assert (asked.step, asked.proven) == ("proof", False)
    answer = f"{asked.challenge}:{solve(asked.challenge, asked.bits)}"
    other = await house.judge(email="ben@films.example", answer=answer)
    assert (other.step, other.proven) == ("proof", False)
    passed = await house.judge(answer=answer)
    assert (passed.step, passed.proven) == ("pass", True)
    again = await house.judge(answer=answer)
    assert (again.step, again.proven) == ("proof", False)


async def test_a_device_that_is_known_passes_before_everything_else(house: House) -> None:
    await house.fail(500)
    assert await house.judge(device="d1") == Verdict(step="pass")


async def test_an_attack_is_one_finding_with_its_reasons_that_ends(house: House) -> None:
    await house.fail(200)
    for number in range(3):
        await house.judge(email=f"y{number}@films.example")
    (found,) = (await house.fraud.list_findings(ListFindings())).findings
    assert (found.kind, found.subject, found.step) == ("stuffing", "everyone", "proof")
    assert [each.code for each in found.reasons] == ["everyone"]
    assert found.score == sum(each.points for each in found.reasons)
    house.clock.advance((found.expires_at - found.found_at).total_seconds())
    assert (await house.fraud.list_findings(ListFindings())).findings == []


async def test_what_is_kept_of_a_mail_address_does_not_tell_it(house: House) -> None:
    await house.fail(12, email=EMAIL)
    assert (await house.judge()).step == "proof"
    (found,) = (await house.fraud.list_findings(ListFindings(kind="stuffing"))).findings
    assert found.subject.startswith("mail_")
    assert "anna" not in found.subject
    explained = await house.fraud.explain(ExplainAccount(account_id=ANNA, email=EMAIL))
    assert explained.findings == [found]
    assert (await house.fraud.explain(ExplainAccount(account_id=BEN))).findings == []


async def test_what_is_forgiven_counts_no_more_and_is_told_still(house: House) -> None:
    await house.fail(12, email=EMAIL)
    await house.judge()
    await house.give_cards(6)
    assert (await house.card()).step != "pass"
    forgiven = await house.fraud.forgive(Forgive(account_id=ANNA, email=EMAIL))
    assert forgiven.forgiven == 2
    assert (await house.judge()).step == "pass"
    assert (await house.card()).step == "pass"
    assert (await house.fraud.list_findings(ListFindings())).findings == []
    explained = await house.fraud.explain(ExplainAccount(account_id=ANNA, email=EMAIL))
    assert all(each.forgiven_at for each in explained.findings)
    assert (await house.fraud.forgive(Forgive(account_id=ANNA, email=EMAIL))).forgiven == 0


async def test_each_card_more_asks_for_more_and_a_wait_ends(house: House) -> None:
    steps = []
    for _ in range(9):
        steps.append((await house.card()).step)
        await house.give_cards(1)
    assert steps[:3] == ["pass", "pass", "pass"]
    await house.give_cards(12)
    verdict = await house.card()
    assert verdict.step in ("slow", "proof", "wait")
    assert verdict.reasons
    house.clock.advance(timedelta(hours=24).total_seconds())
    assert (await house.card()).step == "pass"


async def test_a_card_that_was_to_be_proven_is_taken_with_the_proof(house: House) -> None:
    await house.give_cards(7)
    asked = await house.card()
    assert asked.step == "proof"
    answer = f"{asked.challenge}:{solve(asked.challenge, asked.bits)}"
    assert (await house.card(answer, BEN)).proven is False
    passed = await house.card(answer)
    assert (passed.step, passed.proven) == ("pass", True)


async def test_two_homes_at_once_are_told_to_the_member_once_and_not_refused(house: House) -> None:
    await house.watch(12, ("lgn_tv", "192.0.2.1"), ("lgn_other", "198.51.100.1"))
    (found,) = (await house.fraud.list_findings(ListFindings(kind="sharing"))).findings
    assert (found.account_id, found.step) == (ANNA, "notice")
    assert "198.51.100.0/24" in found.reasons[0].text or "192.0.2.0/24" in found.reasons[0].text
    assert await house.count("mail.letter") == 1


async def test_plays_of_two_homes_at_once_are_a_reason_that_is_told(house: House) -> None:
    homes = ("lgn_tv", "192.0.2.1"), ("lgn_other", "198.51.100.1")
    await house.watch(6, *homes, at_once=True)
    await house.watch(6, *homes)
    (found,) = (await house.fraud.list_findings(ListFindings(kind="sharing"))).findings
    assert [each.code for each in found.reasons] == ["household", "overlap"]
    assert found.reasons[1].text == "days with plays at once there and at home: 6"
    explained = await house.fraud.explain(ExplainAccount(account_id=ANNA))
    assert explained.findings[0].reasons == found.reasons


async def test_new_devices_of_an_account_in_many_homes_come_in_by_a_letter(house: House) -> None:
    homes = [(f"lgn_{number}", f"192.0.{number}.1") for number in range(5)]
    await house.watch(14, *homes)
    (found,) = (await house.fraud.list_findings(ListFindings(kind="sharing"))).findings
    assert found.step == "letter"
    opened = NoteLogin(email=EMAIL, client_address="203.0.113.7", opened=True)
    assert (await house.fraud.note_login(opened)).letter is True
    known = NoteLogin(email=EMAIL, device="d1", opened=True)
    assert (await house.fraud.note_login(known)).letter is False
    other = NoteLogin(email="ben@films.example", opened=True)
    assert (await house.fraud.note_login(other)).letter is False
    assert (await house.judge()).step == "pass"
    await house.fraud.forgive(Forgive(account_id=ANNA, email=EMAIL))
    assert (await house.fraud.note_login(opened)).letter is False


@pytest.mark.parametrize(
    ("by", "asked", "letter"),
    [("password", True, True), ("factor", False, False), ("passkey", False, True)],
)
async def test_of_two_steps_the_first_asks_for_the_letter_and_the_second_does_not_again(
    house: House, by: By, asked: bool, letter: bool
) -> None:
    homes = [(f"lgn_{number}", f"192.0.{number}.1") for number in range(5)]
    await house.watch(14, *homes)
    note = NoteLogin(email=EMAIL, opened=True, asked=asked, by=by)
    assert (await house.fraud.note_login(note)).letter is letter


async def test_wrong_second_factors_are_slowed_then_challenged_and_forgiven_by_a_right_one(
    house: House,
) -> None:
    steps = []
    for number in range(12):
        address = f"198.18.{number}.1"
        judge = JudgeLogin(email=EMAIL, client_address=address, by="factor")
        steps.append((await house.fraud.judge_login(judge)).step)
        wrong = NoteLogin(email=EMAIL, client_address=address, opened=False, by="factor")
        await house.fraud.note_login(wrong)
        # The password that is known already is no way to begin anew.
        await house.fraud.note_login(NoteLogin(email=EMAIL, opened=True, asked=True))
    assert list(dict.fromkeys(steps)) == ["pass", "slow", "proof"]
    assert (await house.judge()).step == "pass"
    found = (await house.fraud.list_findings(ListFindings(kind="stuffing"))).findings[0]
    assert found.subject.startswith("mail_")
    assert [each.code for each in found.reasons] == ["codes"]
    await house.fraud.note_login(NoteLogin(email=EMAIL, opened=True, by="factor"))
    judge = JudgeLogin(email=EMAIL, client_address="203.0.113.7", by="factor")
    assert (await house.fraud.judge_login(judge)).step == "pass"


async def test_a_household_that_travels_is_not_told_anything(house: House) -> None:
    await house.watch(12, ("lgn_tv", "192.0.2.1"), ("lgn_phone", "192.0.2.1"))
    await house.watch(12, ("lgn_tv", "192.0.2.1"), ("lgn_phone", "198.51.100.1"))
    assert (await house.fraud.list_findings(ListFindings())).findings == []
    explained = await house.fraud.explain(ExplainAccount(account_id=ANNA))
    assert [(each.network, each.days, each.devices) for each in explained.places] == [
        ("192.0.2.0/24", 24, 2),
        ("198.51.100.0/24", 12, 1),
    ]


async def test_findings_come_in_pages_the_newest_first(house: House) -> None:
    for number in range(5):
        account_id = AccountId(f"acc_{number}")
        await house.fraud.note_card(NoteCard(account_id=account_id, card="c"))
        for card in range(7):
            await house.fraud.note_card(NoteCard(account_id=account_id, card=f"c{card}"))
        await house.fraud.judge_card(JudgeCard(account_id=account_id))
        house.clock.advance(1)
    seen, after = [], ""
    for _ in range(3):
        page = await house.fraud.list_findings(ListFindings(after=after, limit=2))
        seen += [each.account_id for each in page.findings]
        after = page.next_cursor
    assert after == ""
    assert seen == [f"acc_{number}" for number in (4, 3, 2, 1, 0)]


async def test_a_page_that_cannot_be_is_refused(house: House) -> None:
    for after in ("x", cursor_of("a"), cursor_of("soon", "b"), cursor_of("2026-01-01", "b")):
        with pytest.raises(PageInvalid):
            await house.fraud.list_findings(ListFindings(after=after))
    for limit in (0, 201):
        with pytest.raises(PageInvalid):
            await house.fraud.list_findings(ListFindings(limit=limit))


async def test_nonsense_is_judged_as_any_other(house: House) -> None:
    for bad in (
        "",
        "a\0b",
        "' or 1=1 --",
        "x" * 100_000,
        "é\udcff".encode(errors="replace").decode(),
    ):
        assert (await house.judge(email=bad, answer=bad, device="")).step == "pass"
        verdict = await house.fraud.judge_login(JudgeLogin(email=EMAIL, client_address=bad))
        assert verdict.step == "pass"
