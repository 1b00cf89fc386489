"""Signing in on a device without a keyboard, by a code (RFC 8628)."""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.ids import AccountId
from cuemark.kit.errors import Refusal


class UserCodeUnknown(Refusal):
    code = "user_code_unknown"
    status = 404


class AuthorizeDevice(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` is what the device says that it is; ``client_address`` as in ``Login``."""

    device: str = ""
    client_address: str = ""


class DeviceAuthorization(msgspec.Struct, frozen=True, kw_only=True):
    """``device_code`` is the device's secret; ``user_code`` is what people read off its screen.

    The device asks every ``interval_s`` seconds, until ``expires_at``.
    """

    device_code: str
    user_code: str
    expires_at: datetime
    interval_s: int


class PollDevice(msgspec.Struct, frozen=True, kw_only=True):
    device_code: str


class DevicePolled(msgspec.Struct, frozen=True, kw_only=True):
    """The words are those of RFC 8628, section 3.5. ``token`` is there once, with ``granted``.

    After ``slow_down`` the device waits five seconds more between its questions, for good.
    """

    state: Literal[
        "granted", "authorization_pending", "slow_down", "access_denied", "expired_token"
    ]
    token: str = ""
    expires_at: datetime | None = None


class LookUpDevice(msgspec.Struct, frozen=True, kw_only=True):
    """``user_code`` as people type it: small letters, spaces and dashes are let pass."""

    account_id: AccountId
    user_code: str


class WaitingDevice(msgspec.Struct, frozen=True, kw_only=True):
    """What asks to be let in, for a person to say whether it is theirs."""

    user_code: str
    device: str
    network: str
    asked_at: datetime


class AnswerDevice(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    user_code: str
    allow: bool
