"""The logins of an account: on which devices it is open, and how to end that."""

from datetime import datetime

import msgspec

from cuemark.contracts.ids import AccountId, LoginId


class ListLogins(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class OpenLogin(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` is what the device says that it is. ``network`` is the part of its address that
    its network has, and ``seen_at`` is true to the hour."""

    login_id: LoginId
    device: str
    network: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class LoginList(msgspec.Struct, frozen=True, kw_only=True):
    """Those that are open, the latest seen first; 100 at most."""

    logins: list[OpenLogin]


class EndLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A login of another account, or none, is no error: it is not open there."""

    account_id: AccountId
    login_id: LoginId


class EndLogins(msgspec.Struct, frozen=True, kw_only=True):
    """All of an account, which is named by its id or else by its mail address.

    ``keep`` is one that is left open.
    """

    account_id: AccountId = AccountId("")
    email: str = ""
    keep: LoginId = LoginId("")


class LoginsEnded(msgspec.Struct, frozen=True, kw_only=True):
    ended: int


class LoginEnded(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A login was ended before its time, by whomever: what goes on by it is to end.

    None is told for one that has passed its time, which was not used for as long as it lasts, nor
    for those of an account that is no more (``AccountDeleted``).
    """

    account_id: AccountId
    login_id: LoginId
