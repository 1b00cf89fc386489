"""Passkeys (WebAuthn, level 2): they enter an account alone, and are its second factor too."""

from datetime import datetime

import msgspec

from cuemark.contracts.identity.factors import KnownPasskey, Passkey, PasskeyAnswer
from cuemark.contracts.ids import AccountId, LoginId


class AskPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """``client_address`` as in ``SignUp``."""

    client_address: str = ""


class PasskeyAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What any passkey of the service may answer, whoever's it is."""

    challenge: str
    rp_id: str
    expires_at: datetime


class LoginByPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """``device`` and ``client_address`` are as in ``Login``."""

    passkey: PasskeyAnswer
    device: str = ""
    client_address: str = ""


class BeginPasskey(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class PasskeyBegun(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator needs to make one; ``user_handle`` in base64url.

    Those that hold one of ``known`` make none.
    """

    challenge: str
    expires_at: datetime
    rp_id: str
    rp_name: str
    user_handle: str
    user_name: str
    known: list[KnownPasskey]


class AddPasskey(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    login_id: LoginId
    passkey: PasskeyAnswer
    name: str = ""


class PasskeyAdded(msgspec.Struct, frozen=True, kw_only=True):
    """``recovery_codes`` are there with the first factor of an account."""

    passkey: Passkey
    recovery_codes: list[str]


class RenamePasskey(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    passkey_id: str
    name: str


class RemovePasskey(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    passkey_id: str
