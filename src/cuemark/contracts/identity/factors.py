"""Second factors: codes of an authenticator app (TOTP, RFC 6238), recovery codes, and proofs.

An account that has a second factor is entered in two calls: what begins a login answers with a
challenge instead of a token, and ``give_factor`` answers that.
"""

from datetime import datetime
from typing import Literal

import msgspec

from cuemark.contracts.ids import AccountId, LoginId
from cuemark.kit.errors import Refusal

FactorKind = Literal["totp", "recovery", "passkey"]


class FactorNeeded(Refusal):
    code = "factor_needed"
    status = 403


class WrongFactor(Refusal):
    code = "wrong_factor"
    status = 403


class ChallengeSpent(Refusal):
    code = "challenge_spent"
    status = 410


class FactorExists(Refusal):
    code = "factor_exists"
    status = 409


class FactorMissing(Refusal):
    code = "factor_missing"
    status = 404


class PasskeysOff(Refusal):
    code = "passkeys_off"
    status = 409


class KnownPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """``credential_id`` is base64url; ``transports`` are hints for the browser."""

    credential_id: str
    transports: list[str]


class FactorAsked(msgspec.Struct, frozen=True, kw_only=True):
    """``challenge`` is good once, and for a few tries; it is a passkey's challenge (base64url) too.

    ``rp_id`` is empty, and ``passkeys`` with it, where the account has none.
    """

    challenge: str
    expires_at: datetime
    kinds: list[FactorKind]
    rp_id: str = ""
    passkeys: list[KnownPasskey] = []


class PasskeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator answered, in base64url, as WebAuthn, section 5.1.8, has it.

    A registration has ``attestation``, a login the three others. Of ``client_data`` the challenge
    is read by which the question is found again.
    """

    credential_id: str
    client_data: str
    authenticator_data: str = ""
    signature: str = ""
    user_handle: str = ""
    attestation: str = ""
    transports: list[str] = []


class FindChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """``challenge`` is that of the second step of a login."""

    challenge: str


class ChallengeFound(msgspec.Struct, frozen=True, kw_only=True):
    """The mail address of the account whose second factor is asked for."""

    email: str


class GiveFactor(msgspec.Struct, frozen=True, kw_only=True):
    """The second call of a login: a ``code`` (of an app, or a recovery code) or a ``passkey``.

    ``device`` and ``client_address`` are as in ``Login``.
    """

    challenge: str
    code: str = ""
    passkey: PasskeyAnswer | None = None
    device: str = ""
    client_address: str = ""


class AskProof(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class Prove(msgspec.Struct, frozen=True, kw_only=True):
    """That whoever uses a login is still its owner: one of the three.

    A password proves nothing where the account has a second factor.
    """

    account_id: AccountId
    login_id: LoginId
    password: str = ""
    code: str = ""
    passkey: PasskeyAnswer | None = None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """``level`` as in ``Caller``."""

    level: int
    proved_at: datetime


class ListFactors(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """``suspect``: its counter went back once, as that of a copy would."""

    passkey_id: str
    name: str
    made_at: datetime
    used_at: datetime | None = None
    suspect: bool = False


class FactorList(msgspec.Struct, frozen=True, kw_only=True):
    """``totp_since`` is null where there is no authenticator app, and ``passkeys_possible`` false
    where the address of the service can have none."""

    totp_since: datetime | None = None
    passkeys: list[Passkey] = []
    recovery_codes_left: int = 0
    passkeys_possible: bool = False


class BeginTotp(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class TotpBegun(msgspec.Struct, frozen=True, kw_only=True):
    """``secret`` in base32; ``uri`` is ``otpauth:`` for a QR code. Nothing holds before the app's
    code has come back."""

    secret: str
    uri: str


class ConfirmTotp(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId
    login_id: LoginId
    code: str


class RemoveTotp(msgspec.Struct, frozen=True, kw_only=True):
    """``code`` is one of the app, or a recovery code."""

    account_id: AccountId
    password: str
    code: str


class RenewRecoveryCodes(msgspec.Struct, frozen=True, kw_only=True):
    account_id: AccountId


class RecoveryCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Told this once; they are void when the next ones are made. None where the account goes on
    with those that it has."""

    codes: list[str]


class ResetFactors(msgspec.Struct, frozen=True, kw_only=True):
    """By the operator, who has found out who asks: the account has its password alone again."""

    email: str
