"""What members change of their own account: the password, the mail address, and whether it is."""

from datetime import datetime

import msgspec

from cuemark.contracts.identity.factors import FactorList
from cuemark.contracts.identity.profiles import Profile
from cuemark.contracts.ids import AccountId, ProfileId
from cuemark.kit.errors import Refusal


class WrongPassword(Refusal):
    code = "wrong_password"
    status = 403


class ChangePassword(msgspec.Struct, frozen=True, kw_only=True):
    """Every login ends but that of ``token``."""

    account_id: AccountId
    old_password: str
    new_password: str
    token: str = ""


class ChangeEmail(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing changes before the code that is sent to ``email`` has come back."""

    account_id: AccountId
    password: str
    email: str


class ConfirmEmail(msgspec.Struct, frozen=True, kw_only=True):
    code: str


class RestoreEmail(msgspec.Struct, frozen=True, kw_only=True):
    """``code`` was sent to the address that the account had before."""

    code: str


class DeleteAccount(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    password: str


class DeletionSet(msgspec.Struct, frozen=True, kw_only=True):
    """Who logs in before ``erased_at`` keeps the account."""

    erased_at: datetime


class DescribeAccount(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class AccountDescription(msgspec.Struct, frozen=True, kw_only=True):
    """All that identity keeps of an account, but for its logins (``ListLogins``)."""

    account_id: AccountId
    email: str
    created_at: datetime
    has_password: bool
    profiles: list[Profile]
    factors: FactorList | None = None


class AccountDeleted(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The account is no more: whoever keeps something of it erases that."""

    account_id: AccountId
    profile_ids: list[ProfileId]
