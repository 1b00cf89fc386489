"""Staff come and go, in roles; who may do it is held at every change."""

from datetime import timedelta

from cuemark.contexts.identity.model import credentials
from cuemark.contexts.identity.model.roles import Roles
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import staff as store
from cuemark.contracts.identity import AccountInvalid, IssueOperatorLink, LoginLink, OperatorGranted
from cuemark.contracts.identity.logins import LoginsEnded
from cuemark.contracts.identity.staff import (
    AddStaff,
    EndStaffLogins,
    IssueStaffToken,
    NotAllowed,
    RemoveStaff,
    SetStaffRole,
    StaffExists,
    StaffInvalid,
    StaffList,
    StaffMember,
    StaffToken,
    UnknownStaff,
)
from cuemark.contracts.ids import StaffId
from cuemark.kit.database import Transaction

STAFF = "stf"
SHORTEST_TOKEN, LONGEST_TOKEN = timedelta(hours=1), timedelta(days=365)
BROWSER_LASTS = timedelta(hours=12)


class Staff:
    """Nobody makes somebody who may do more than they, nor takes from one who may."""

    def __init__(self, parts: Parts, roles: Roles) -> None:
        self._parts = parts
        self._roles = roles

    async def add(self, request: AddStaff) -> StaffMember:
        try:
            email = credentials.checked_email(request.email)
        except AccountInvalid as error:
            raise StaffInvalid(error.message) from error
        self._check_role(request.role, request.by_role)
        member = StaffMember(
            staff_id=StaffId(self._parts.ids.new(STAFF)),
            email=email,
            role=request.role,
            created_at=self._parts.clock.now(),
        )
        async with self._parts.database.transaction() as transaction:
            if not await store.add(transaction, member):
                raise StaffExists(f"{email} is one of staff already.")
        return member

    async def list(self) -> StaffList:
        async with self._parts.database.transaction() as transaction:
            found = await store.all_there(transaction, self._parts.clock.now())
        return StaffList(
            staff=found, roles={name: self._roles.allowed(name) for name in self._roles.names}
        )

    async def set_role(self, request: SetStaffRole) -> StaffMember:
        self._check_role(request.role, request.by_role)
        async with self._parts.database.transaction() as transaction:
            await self._locked(transaction, request.staff_id, request.by_role)
            await store.set_role(transaction, request.staff_id, request.role)
        self._parts.remembered.end_staff(request.staff_id)
        return await self._listed(request.staff_id)

    async def remove(self, request: RemoveStaff) -> StaffMember:
        async with self._parts.database.transaction() as transaction:
            member = await self._locked(transaction, request.staff_id, request.by_role)
            await store.end_logins(transaction, request.staff_id)
            await store.end(transaction, request.staff_id, self._parts.clock.now())
        self._parts.remembered.end_staff(request.staff_id)
        return member

    async def issue_token(self, request: IssueStaffToken) -> StaffToken:
        lasts = min(max(timedelta(seconds=request.ttl_s), SHORTEST_TOKEN), LONGEST_TOKEN)
        now = self._parts.clock.now()
        token = StaffToken(token=credentials.new_token(), expires_at=now + lasts)
        async with self._parts.database.transaction() as transaction:
            await self._locked(transaction, request.staff_id, request.by_role)
            digest = credentials.digest_of(token.token)
            await store.add_login(transaction, digest, request.staff_id, now, token.expires_at)
        return token

    async def end_logins(self, request: EndStaffLogins) -> LoginsEnded:
        async with self._parts.database.transaction() as transaction:
            await self._locked(transaction, request.staff_id, request.by_role)
            ended = await store.end_logins(transaction, request.staff_id)
        self._parts.remembered.end_staff(request.staff_id)
        return LoginsEnded(ended=ended)

    async def issue_link(self, request: IssueOperatorLink, lasts: timedelta) -> LoginLink:
        now = self._parts.clock.now()
        link = LoginLink(code=credentials.new_token(), expires_at=now + lasts)
        async with self._parts.database.transaction() as transaction:
            await self._locked(transaction, request.staff_id, request.by_role)
            digest = credentials.digest_of(link.code)
            await store.add_link(transaction, digest, request.staff_id, now, link.expires_at)
        return link

    async def redeem(self, transaction: Transaction, code_sha256: bytes) -> OperatorGranted | None:
        """A browser's login for whose link this is; None where it is nobody's of staff."""
        now = self._parts.clock.now()
        staff_id = await store.spend_link(transaction, code_sha256, now)
        if staff_id is None:
            return None
        granted = OperatorGranted(token=credentials.new_token(), expires_at=now + BROWSER_LASTS)
        digest = credentials.digest_of(granted.token)
        await store.add_login(transaction, digest, staff_id, now, granted.expires_at)
        return granted

    async def _listed(self, staff_id: StaffId) -> StaffMember:
        for member in (await self.list()).staff:
            if member.staff_id == staff_id:
                return member
        raise _unknown()

    async def _locked(
        self, transaction: Transaction, staff_id: StaffId, by_role: str
    ) -> StaffMember:
        member = await store.lock(transaction, staff_id)
        if member is None:
            raise _unknown()
        if not self._roles.covers(by_role, member.role):
            raise NotAllowed(f"A {member.role} may do what a {by_role} may not: ask an owner.")
        return member

    def _check_role(self, role: str, by_role: str) -> None:
        if role not in self._roles.names:
            raise StaffInvalid(f"There is no such role: write {', '.join(self._roles.names)}.")
        if not self._roles.covers(by_role, role):
            raise NotAllowed(f"A {role} may do what a {by_role} may not: ask an owner.")


def _unknown() -> UnknownStaff:
    return UnknownStaff("There is nobody of staff with this id.")
