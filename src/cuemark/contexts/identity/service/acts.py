"""What staff do: asked, answered and written down in one transaction."""

import hmac
from typing import NamedTuple

import structlog

from cuemark.contexts.identity.model import chain, credentials
from cuemark.contexts.identity.model.roles import Roles
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import acts as store
from cuemark.contexts.identity.store import links, staff
from cuemark.contracts.identity import NotLoggedIn
from cuemark.contracts.identity.staff import (
    OWNER,
    Act,
    ActBegun,
    ActEnded,
    ActPage,
    BeginAct,
    EndAct,
    ListActs,
    NotAllowed,
    Verdict,
    VerifyActs,
)
from cuemark.contracts.ids import StaffId
from cuemark.kit.database import Transaction
from cuemark.kit.pages import checked_limit

TOKEN_OF_THE_INSTALLATION = "token of the installation"
OWNERS_BROWSER = "browser of the owner"
LONGEST = 200
_AT_ONCE = 500


class _Who(NamedTuple):
    staff_id: StaffId
    name: str
    role: str


class Acts:
    """``key`` makes the digests of the log, and is in no database."""

    def __init__(self, parts: Parts, roles: Roles, operator_sha256: bytes, key: bytes) -> None:
        self._parts = parts
        self._roles = roles
        self._operator_sha256 = operator_sha256
        self._key = key

    async def begin(self, request: BeginAct) -> ActBegun:
        """Whose token it is and what the role allows is read here, with the entry: a token that was
        ended, or a role that was taken, allows nothing from that moment, in any process.

        Looks of the owner's are not written down: who has the token of the installation has its
        database too.
        """
        if not credentials.is_token(request.token):
            raise _ended()
        digest = credentials.digest_of(request.token)
        if not request.writes and hmac.compare_digest(digest, self._operator_sha256):
            allowed = self._roles.allowed(OWNER)
            if request.action in allowed:
                return ActBegun(number=0, staff_id=StaffId(""), role=OWNER, allowed=allowed)
        async with self._parts.database.transaction() as transaction:
            who = await self._who(transaction, digest)
            allowed = self._roles.allowed(who.role)
            may = request.action in allowed
            number = 0
            if request.writes or who.staff_id or not may:
                act = await self._write(transaction, _begun(self._parts, who, request, may))
                number = act.number
        if not may:
            raise NotAllowed(f"The role {who.role} does not allow {request.action}: ask an owner.")
        return ActBegun(number=number, staff_id=who.staff_id, role=who.role, allowed=allowed)

    async def end(self, request: EndAct) -> ActEnded:
        async with self._parts.database.transaction() as transaction:
            begun = await store.entry(transaction, request.number)
            if begun is None or begun.result != "begun":
                return ActEnded()
            act = Act(
                number=0,
                at=self._parts.clock.now(),
                staff_id=begun.staff_id,
                who=begun.who,
                role=begun.role,
                action=begun.action,
                subject=_text(request.subject) or begun.subject,
                result="done" if request.status < 400 else "failed",
                of=request.number,
                status=request.status,
                client_address=begun.client_address,
                trace_id=begun.trace_id,
                digest="",
            )
            await self._write(transaction, act)
        return ActEnded()

    async def list(self, request: ListActs) -> ActPage:
        limit = checked_limit(request.limit)
        async with self._parts.database.transaction() as transaction:
            found = await store.before(transaction, request.before, limit + 1, request.staff_id)
        more = len(found) > limit
        return ActPage(acts=found[:limit], next_before=found[limit - 1].number if more else 0)

    async def verify(self, request: VerifyActs) -> Verdict:
        checker = chain.Checker(self._key)
        fault = ""
        while checker.fault is None:
            async with self._parts.database.transaction() as transaction:
                found = await store.after(transaction, checker.read, _AT_ONCE)
                checker.take(found)
                if any(act.number == request.number for act in found):
                    noted = next(act for act in found if act.number == request.number)
                    if noted.digest != request.digest:
                        fault = "This entry is not the one that was noted."
                if not found:
                    # Entries and the head are committed together: what came since is there now.
                    head = await store.head(transaction)
                    grown = head is not None and head.number > checker.read
                    if grown and await store.after(transaction, checker.read, 1):
                        continue
                    checker.finish(head or _empty(self._key, checker.read))
                    break
        if checker.fault is None and request.number > checker.read:
            fault = "The entry that was noted is missing: the log was put back to an older one."
        if checker.fault:
            wrong, fault = checker.fault
        else:
            wrong = request.number if fault else 0
        if fault:
            structlog.get_logger().error("acts_are_not_whole", first_wrong=wrong, fault=fault)
        return Verdict(
            entries=checker.read, head=checker.head.hex(), first_wrong=wrong, fault=fault
        )

    async def _who(self, transaction: Transaction, token_sha256: bytes) -> _Who:
        if hmac.compare_digest(token_sha256, self._operator_sha256):
            return _Who(StaffId(""), TOKEN_OF_THE_INSTALLATION, OWNER)
        now = self._parts.clock.now()
        found = await staff.login(transaction, token_sha256, now)
        if found is not None:
            member, _ = found
            return _Who(member.staff_id, member.email, member.role)
        if await links.operator_login(transaction, token_sha256, now) is not None:
            return _Who(StaffId(""), OWNERS_BROWSER, OWNER)
        raise _ended()

    async def _write(self, transaction: Transaction, act: Act) -> Act:
        """Append to the log, and tell number and digest where the log of the machine is kept: who
        puts the database back to an older state would have to change that, too."""
        written = await store.add(transaction, self._key, act)
        structlog.get_logger().info(
            "staff_act",
            number=written.number,
            action=written.action,
            result=written.result,
            digest=written.digest,
        )
        return written


def _begun(parts: Parts, who: _Who, request: BeginAct, allowed: bool) -> Act:
    return Act(
        number=0,
        at=parts.clock.now(),
        staff_id=who.staff_id,
        who=who.name,
        role=who.role,
        action=request.action,
        subject=_text(request.subject),
        result="begun" if allowed else "refused",
        of=0,
        status=0,
        client_address=_text(request.client_address),
        trace_id=_text(request.trace_id),
        digest="",
    )


def _empty(key: bytes, read: int) -> chain.Head | None:
    """The head of a log in which nothing was ever written: there is none yet."""
    return chain.sealed(key, 0, chain.BEGINNING) if read == 0 else None


def _text(text: str) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()[:LONGEST]


def _ended() -> NotLoggedIn:
    return NotLoggedIn("You are not logged in, or your login has ended: log in again.")
