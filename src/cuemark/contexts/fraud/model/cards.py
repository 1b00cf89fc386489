"""Card testing: somebody tries stolen cards one after another to learn which of them work.

Members give one card, or two when the first is declined. Who tests gives many that are unlike, most
are declined, and accounts are changed as often as cards.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from cuemark.contracts.fraud import Reason, Step
from cuemark.contracts.ids import AccountId

WINDOW = timedelta(hours=24)
SLOW, PROOF, WAIT, LONG_WAIT = 20, 40, 65, 95
WAITS = timedelta(hours=1)
LONG_WAITS = timedelta(hours=24)
WAIT_S = 1.5
BITS = 17


class Given(NamedTuple):
    """Who gives a card, on which device (``login``), from where."""

    account_id: AccountId
    login: str
    address: str
    network: str


class Counts(NamedTuple):
    """Of one account, login, address or network, within ``WINDOW``: cards given, different ones,
    declined ones, accounts that gave them, and when the last was given."""

    given: int = 0
    cards: int = 0
    declined: int = 0
    accounts: int = 0
    last_at: datetime | None = None


class CardJudgement(NamedTuple):
    step: Step
    score: int
    reasons: tuple[Reason, ...]
    until: datetime | None = None


def judge(
    account: Counts,
    login: Counts,
    address: Counts,
    network: Counts,
    everyone: tuple[int, int],
    now: datetime,
) -> CardJudgement:
    """What is asked of somebody who is about to give one more card.

    ``everyone`` is how many cards all accounts gave, and how many were declined. A wait is counted
    from the last card, and after it a proof is asked for.
    """
    given, declined = everyone
    rush = given >= 20 and declined * 2 > given
    reasons = tuple(
        each
        for each in (
            _of("cards", (account.cards - 2) * 8, 48, f"{account.cards} cards in a day"),
            _of("declines", (account.declined - 1) * 10, 60, f"{account.declined} were declined"),
            _of("device", (login.declined - 2) * 5, 24, f"{login.declined} on this device"),
            _of(
                "address",
                (address.declined - 3) * 6 + (address.accounts - 4) * 6,
                70,
                f"{address.declined} declined from there, of {address.accounts} accounts",
            ),
            _of("network", (network.declined - 12) * 3, 40, f"{network.declined} around there"),
            _of("everyone", 20 * rush, 20, f"{declined} of {given} cards everywhere"),
        )
        if each.points
    )
    score = min(100, sum(each.points for each in reasons))
    if score < SLOW:
        return CardJudgement("pass", score, reasons)
    if score < PROOF:
        return CardJudgement("slow", score, reasons)
    last_at = max((each.last_at for each in (account, address) if each.last_at), default=now)
    until = last_at + (LONG_WAITS if score >= LONG_WAIT else WAITS)
    if score < WAIT or until <= now:
        return CardJudgement("proof", score, reasons)
    return CardJudgement("wait", score, reasons, until)


def _of(code: str, points: int, most: int, text: str) -> Reason:
    return Reason(code=code, points=max(0, min(most, points)), text=text)
