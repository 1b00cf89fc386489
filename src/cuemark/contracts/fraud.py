"""Fraud: what speaks against a login or a card, what is asked for in return, and why.

Nobody is locked out. A verdict lets pass, slows, or asks for a proof; each says its reasons, those
that weigh are kept as findings until they expire, and an operator can forgive them.

Refusal
`-- PageInvalid       the limit or the cursor of a list is not acceptable

While fraud is away its callers go on without it, under the rate limits of the gateway alone.
"""

from datetime import datetime
from typing import ClassVar, Literal, Protocol

import msgspec

from cuemark.contracts.ids import AccountId
from cuemark.kit.errors import Refusal
from cuemark.kit.pages import PageInvalid

TOPIC = "fraud"

Step = Literal["pass", "notice", "slow", "proof", "letter", "wait"]
"""``notice``: the member is told; ``slow``: after ``wait_s``; ``proof``: with an answer to
``challenge``; ``letter``: by a link in a letter to the account's mail; ``wait``: not before
``until``."""

By = Literal["password", "factor", "passkey"]
"""What is shown at a login: a password, the second factor after it, or a passkey alone."""

Kind = Literal["stuffing", "cards", "sharing"]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things that add up to a score of at most 100; ``text`` is for people."""

    code: str
    points: int
    text: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``proven``: the answer that came with the question was right, and is spent.

    ``bits`` is how much work ``challenge`` is (``kit.puzzle``).
    """

    step: Step
    score: int = 0
    reasons: list[Reason] = []
    proven: bool = False
    wait_s: float = 0.0
    challenge: str = ""
    bits: int = 0
    until: datetime | None = None


class JudgeLogin(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` is the id of a device that logged in with this mail address before, or empty;
    ``answer`` is ``challenge:number``, where one was asked for. ``email`` is empty of a passkey,
    which says only then whose it is. Of a second factor no verdict is ``letter``: who was asked for
    one may have come by a letter."""

    email: str
    client_address: str = ""
    device: str = ""
    answer: str = ""
    by: By = "password"


class NoteLogin(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an attempt that passed, as its ``JudgeLogin`` had it.

    ``opened``: what was shown is right; ``email`` is known then. ``asked`` of a right password: it
    opened nothing yet, since the account has a second factor.
    """

    email: str
    client_address: str = ""
    device: str = ""
    proven: bool = False
    opened: bool
    by: By = "password"
    asked: bool = False


class JudgeCard(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is to give a card. ``login`` names the device on which they are logged in."""

    account_id: AccountId
    login: str = ""
    client_address: str = ""
    answer: str = ""


class NoteCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card was given; ``card`` is the payment provider's token for it."""

    account_id: AccountId
    login: str = ""
    client_address: str = ""
    card: str = ""


class NotePlay(msgspec.Struct, frozen=True, kw_only=True):
    """A play was started on the device of ``login``, or was one too many. ``beside`` are the logins
    of those plays of the account that ran at that time. ``email`` is where a notice goes, and is
    not kept."""

    account_id: AccountId
    login: str = ""
    client_address: str = ""
    territory: str = ""
    email: str = ""
    beside: list[str] = []


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """``letter``, of a password or a passkey that is right: the account is used in several homes,
    and this device is new. It is to come in by a login link that was sent to the account's mail."""

    letter: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was found and done. ``subject`` is an account's id, a network, ``everyone``, or a tag of
    a mail address, which tells nobody what the address is. ``account_id`` is empty where the
    finding is about no account."""

    finding_id: str
    kind: Kind
    subject: str
    account_id: AccountId
    step: Step
    score: int
    reasons: list[Reason]
    found_at: datetime
    expires_at: datetime
    forgiven_at: datetime | None = None


class ListFindings(msgspec.Struct, frozen=True, kw_only=True):
    """Those that hold, the newest first. ``after`` is the ``next_cursor`` of the page before;
    ``limit`` 1 to 200."""

    kind: Kind | None = None
    after: str = ""
    limit: int = 50


class FindingPage(msgspec.Struct, frozen=True, kw_only=True):
    findings: list[Finding]
    next_cursor: str = ""


class ExplainAccount(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of an account, and of logins with its mail address where that is given."""

    account_id: AccountId
    email: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of an account, forgiven ones too, the newest first; 200 at most. ``places`` are
    the networks in which it was seen lately."""

    account_id: AccountId
    findings: list[Finding]
    places: "list[Place]" = []


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """On ``days`` different days, on ``devices`` different devices."""

    network: str
    territory: str
    days: int
    devices: int
    first_at: datetime
    last_at: datetime


class Forgive(msgspec.Struct, frozen=True, kw_only=True):
    """Take back what was found of an account and of logins with its mail address, and begin to
    count anew."""

    account_id: AccountId
    email: str = ""


class Forgiven(msgspec.Struct, frozen=True, kw_only=True):
    forgiven: int


class Fraud(Protocol):
    refusals: ClassVar[tuple[type[Refusal], ...]] = (PageInvalid,)

    async def judge_login(self, request: JudgeLogin) -> Verdict: ...

    async def note_login(self, request: NoteLogin) -> Noted: ...

    async def judge_card(self, request: JudgeCard) -> Verdict: ...

    async def note_card(self, request: NoteCard) -> Noted: ...

    async def note_play(self, request: NotePlay) -> Noted: ...

    async def list_findings(self, request: ListFindings) -> FindingPage: ...

    async def explain(self, request: ExplainAccount) -> Explanation: ...

    async def forgive(self, request: Forgive) -> Forgiven: ...
