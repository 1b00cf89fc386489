"""A device without a keyboard is let in by a code that its owner types elsewhere (RFC 8628)."""

from datetime import timedelta

from cuemark.contexts.identity.model import credentials, devices, limits
from cuemark.contexts.identity.service.logins import Logins
from cuemark.contexts.identity.service.parts import Parts
from cuemark.contexts.identity.store import accounts
from cuemark.contexts.identity.store import devices as store
from cuemark.contexts.identity.store.devices import AskingDevice
from cuemark.contracts.identity.devices import (
    AnswerDevice,
    AuthorizeDevice,
    DeviceAuthorization,
    DevicePolled,
    LookUpDevice,
    PollDevice,
    UserCodeUnknown,
    WaitingDevice,
)
from cuemark.contracts.identity.joining import Done
from cuemark.contracts.ids import AccountId
from cuemark.kit.errors import Unavailable

_DRAWS = 5


class Devices:
    """A wrong code counts as a guess of the account that typed it; so does a right one, until the
    device has its answer."""

    def __init__(self, parts: Parts, logins: Logins) -> None:
        self._parts = parts
        self._logins = logins

    async def authorize(self, request: AuthorizeDevice) -> DeviceAuthorization:
        await self._parts.count(limits.DEVICES, limits.client_of(request.client_address))
        secret, now = credentials.new_token(), self._parts.clock.now()
        for _ in range(_DRAWS):
            device = AskingDevice(
                user_code=devices.new_user_code(),
                device=devices.name_of(request.device),
                network=devices.network_of(request.client_address),
                state="waiting",
                account_id=None,
                interval_s=devices.INTERVAL_S,
                asked_at=now,
                polled_at=None,
                ends_at=now + devices.CODE_LASTS,
            )
            async with self._parts.database.transaction() as transaction:
                if await store.add_device(transaction, credentials.digest_of(secret), device):
                    return DeviceAuthorization(
                        device_code=secret,
                        user_code=device.user_code,
                        expires_at=device.ends_at,
                        interval_s=device.interval_s,
                    )
        raise Unavailable("no code was free")

    async def poll(self, request: PollDevice) -> DevicePolled:
        """The login is opened for the question that is answered so, and for no other."""
        if not credentials.is_token(request.device_code):
            return DevicePolled(state="expired_token")
        code_sha256, now = credentials.digest_of(request.device_code), self._parts.clock.now()
        async with self._parts.database.transaction() as transaction:
            device = await store.lock_device(transaction, code_sha256)
            if device is None:
                return DevicePolled(state="expired_token")
            said = devices.verdict(
                device.state,
                now=now,
                polled_at=device.polled_at,
                interval_s=device.interval_s,
                ends_at=device.ends_at,
            )
            if said in ("authorization_pending", "slow_down"):
                slower = devices.SLOWER_S if said == "slow_down" else 0
                await store.note_poll(transaction, code_sha256, now, device.interval_s + slower)
                return DevicePolled(state=said)
            await store.remove_device(transaction, code_sha256)
            if said != "granted":
                return DevicePolled(state=said)
            account = device.account_id and await accounts.lock(transaction, device.account_id)
            if not account:
                return DevicePolled(state="access_denied")
            granted = await self._logins.open(transaction, account, device.device, device.network)
        return DevicePolled(state="granted", token=granted.token, expires_at=granted.expires_at)

    async def look_up(self, request: LookUpDevice) -> WaitingDevice:
        user_code = await self._guessed(request.account_id, request.user_code)
        async with self._parts.database.transaction() as transaction:
            found = await store.waiting_device(transaction, user_code, self._parts.clock.now())
        if found is None:
            raise _unknown()
        device, network, asked_at = found
        return WaitingDevice(user_code=user_code, device=device, network=network, asked_at=asked_at)

    async def answer(self, request: AnswerDevice) -> Done:
        user_code = await self._guessed(request.account_id, request.user_code)
        async with self._parts.database.transaction() as transaction:
            state: devices.Asked = "allowed" if request.allow else "denied"
            if not await store.answer_device(
                transaction, user_code, request.account_id, state, self._parts.clock.now()
            ):
                raise _unknown()
        await self._parts.forget(limits.USER_CODES, request.account_id)
        return Done()

    async def _guessed(self, account_id: AccountId, typed: str) -> str:
        await self._parts.count(limits.USER_CODES, account_id)
        user_code = devices.user_code_of(typed)
        if not user_code:
            raise _unknown()
        return user_code


def _unknown() -> UserCodeUnknown:
    minutes = devices.CODE_LASTS // timedelta(minutes=1)
    return UserCodeUnknown(
        f"No device shows this code now. Codes last {minutes} minutes: look at its screen again."
    )
