"""A whole installation sells: somebody joins, pays and plays; control dies while the money moves; a
card fails, the plan is lost and mended. At the end the ledger is as the bank has it."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, wait_until
from tests.e2e.test_members import call

pytestmark = pytest.mark.slow

FILM = "For members who pay"
EMAIL, PASSWORD = "ada@example.org", "correct horse battery"
GOOD, POOR = "4242424242424242", "4000000000009995"
PRICE_MINOR = 799


class Member:
    """Somebody with a login, over the public API."""

    def __init__(self, install: Installation, token: str) -> None:
        self.install = install
        self.token = token

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return call(self.install, method, path, body, self.token)

    def told(self, path: str) -> Any:
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def card(self, number: str) -> str:
        return str(self.ask("POST", "/billing/test-cards", {"number": number})[1]["token"])

    def subscribe(self, card: str) -> tuple[int, Any]:
        order = {"plan_id": "standard", "territory": "DE", "card": card}
        return self.ask("POST", "/subscription", order)

    def state(self) -> str:
        return str(self.told("/subscription")["state"])

    def play(self, title_id: str) -> tuple[int, Any]:
        status, answer = self.ask("POST", "/plays", {"title_id": title_id})
        if status == 201:
            self.ask("DELETE", f"/plays/{answer['session_id']}")
        return status, answer


@pytest.fixture(scope="module")
def selling_cuemark(
    tmp_path_factory: pytest.TempPathFactory, small_film: Path
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("selling") / "data"
    folder.mkdir()
    settings = 'billing = "on"\nsign_up = "open"\nworkers = 1\nappliances = 1\n'
    (folder / "cuemark.toml").write_text(settings)
    installation = Installation(folder)
    installation.up()
    sold = ["--name", "Standard", "--price", "EUR=7.99", "--licence-type", "SVOD"]
    installation.cli("billing", "plan", "standard", *sold)
    installation.ingest(small_film, FILM, effort="fast", wait=False)
    wait_until(lambda: _plays(installation), 300, "there is something to play")
    yield installation
    installation.down()


@pytest.fixture
def member(selling_cuemark: Installation) -> Member:
    """Somebody who joined by mail."""
    assert call(selling_cuemark, "POST", "/sign-up", {"email": EMAIL})[0] == 202
    letters = selling_cuemark.folder / "mail"
    wait_until(lambda: bool(list(letters.glob("*.eml"))), 30, "the letter is there")
    letter = next(letters.glob("*.eml")).read_text()
    code = letter.replace("=\n", "").partition("/join#code=")[2].split()[0].removeprefix("3D")
    join = {"code": code, "password": PASSWORD}
    status, granted = call(selling_cuemark, "POST", "/sign-up/complete", join)
    assert status == 201, granted
    return Member(selling_cuemark, granted["token"])


def moved(install: Installation) -> list[tuple[str, int]]:
    """All money that moved at the bank, from its own memory."""
    file = install.folder / "sandbox" / "bank.sqlite"
    bank = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return bank.execute("select what, amount_minor from movement order by id").fetchall()
    finally:
        bank.close()


def at_the_bank(install: Installation) -> int:
    """What the bank keeps for us, by its own memory."""
    return sum(minor if what == "capture" else -minor for what, minor in moved(install))


def in_the_ledger(install: Installation) -> int:
    ledger = install.json("billing", "ledger")
    assert ledger["discrepancies"] == []
    balances = {each["account"]: each for each in ledger["balances"]}
    clearing = balances["clearing"]
    return int(clearing["debit_minor"]) - int(clearing["credit_minor"])


def passing(install: Installation, span: str) -> Callable[[], bool]:
    """Time goes on each time that it is asked, and what is due then is done."""

    def pass_on() -> bool:
        install.cli("billing", "clock", "--advance", span)
        return True

    return pass_on


def test_a_plan_is_bought_through_a_death_lost_mended_and_refunded(
    selling_cuemark: Installation, member: Member
) -> None:
    install, title_id = selling_cuemark, selling_cuemark.title_id(FILM)
    assert member.play(title_id)[1]["error"]["code"] == "not_entitled"
    assert "SVOD" in install.cli("billing", "plans").stdout

    # Control dies after the bank has captured, and before it has said so.
    install.cli("billing", "fault", "timeout_after_success", "--operation", "capture")
    card = member.card(GOOD)
    buying = threading.Thread(target=_broken_off, args=(member, card))
    buying.start()
    wait_until(lambda: len(moved(install)) == 1, 30, "the bank has captured")
    install.kill("control")
    buying.join()
    wait_until(lambda: _answers(member), 60, "control is back")
    passed = passing(install, "2m")
    wait_until(lambda: passed() and member.state() == "active", 60, "the plan runs")
    assert moved(install) == [("capture", PRICE_MINOR)]
    assert [each["status"] for each in member.told("/invoices")["invoices"]] == ["paid"]
    assert member.play(title_id)[0] == 201

    # A month later it is renewed by itself.
    install.cli("billing", "clock", "--advance", "32d")
    assert moved(install) == [("capture", PRICE_MINOR)] * 2

    # The next month the card fails: what is open stays open for a while, and is lost then.
    assert member.ask("PUT", "/subscription/card", {"card": member.card(POOR)})[0] == 200
    install.cli("billing", "clock", "--advance", "31d")
    assert member.state() == "past_due"
    assert member.play(title_id)[0] == 201
    passed = passing(install, "3d")
    wait_until(lambda: passed() and member.state() == "ended", 120, "the plan is lost")
    assert member.play(title_id)[1]["error"]["code"] == "not_entitled"
    assert member.told("/invoices")["invoices"][0]["status"] == "void"

    # Another card mends it, and then all of that is given back.
    assert member.subscribe(member.card(GOOD))[1]["state"] == "active"
    assert member.play(title_id)[0] == 201
    invoice = member.told("/invoices")["invoices"][0]["invoice_id"]
    install.cli("billing", "refund", invoice)
    assert member.play(title_id)[1]["error"]["code"] == "not_entitled"
    assert moved(install) == [("capture", PRICE_MINOR)] * 3 + [("refund", PRICE_MINOR)]
    assert in_the_ledger(install) == at_the_bank(install) == 2 * PRICE_MINOR


def _plays(install: Installation) -> bool:
    """Whether a first version of the film is there."""
    return [title["quality"] for title in install.json("titles")["titles"]] not in ([], ["none"])


def _broken_off(member: Member, card: str) -> None:
    """An order of which no answer comes, since who would give it dies."""
    try:
        member.subscribe(card)
    except OSError:
        return


def _answers(member: Member) -> bool:
    try:
        return member.ask("GET", "/me")[0] == 200
    except OSError:
        return False
