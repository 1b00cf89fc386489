"""Codes of authenticator apps (TOTP, RFC 6238), recovery codes, and how both are kept.

A code of an app is good for its own half minute and the one on either side, since clocks of phones
are a little off; and never for a step that was taken, nor for one before it.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cuemark.contracts.identity.factors import WrongFactor

STEP_S = 30
DRIFT_STEPS = 1
DIGITS = 6
RECOVERY_CODES = 10
MOST_PASSKEYS = 20
TRIES_OF_A_CHALLENGE = 5
CHALLENGE_LASTS = timedelta(minutes=5)
SETUP_LASTS = timedelta(minutes=15)

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: what is read as another letter is taken for it."""
_MISREAD = str.maketrans("OIL", "011")
_RECOVERY_LENGTH = 16
_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed secret does not open: it was sealed by another key, or for another account."""


class FactorKeys:
    """What identity's key is good for: two keys that are made of it, one for each use."""

    def __init__(self, key: bytes) -> None:
        self._sealing = AESGCM(hmac.digest(key, b"cuemark totp secret", hashlib.sha256))
        self._recovery = hmac.digest(key, b"cuemark recovery code", hashlib.sha256)

    def seal(self, secret: str, account_id: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, secret.encode(), account_id.encode())

    def open(self, sealed: bytes, account_id: str) -> str:
        """The secret; raises ``SealBroken``."""
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._sealing.decrypt(nonce, rest, account_id.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken("the key of identity is another one than sealed this") from error

    def digest_of(self, recovery_code: str, account_id: str) -> bytes:
        """Under which a recovery code, in its one form, is kept."""
        told = f"{account_id}\0{recovery_code}".encode()
        return hmac.digest(self._recovery, told, hashlib.sha256)


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226, section 4, recommends."""
    return pyotp.random_base32(32)


def uri_of(secret: str, email: str, service: str) -> str:
    """What an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=service)


def step_of(now: datetime) -> int:
    return int(now.timestamp()) // STEP_S


def steps_of(secret: str, typed: str, now: datetime) -> list[int]:
    """The time steps around now whose code this is, the latest first."""
    code = "".join(typed[:40].split())
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return []
    app, here = pyotp.TOTP(secret), step_of(now)
    steps = range(here + DRIFT_STEPS, here - DRIFT_STEPS - 1, -1)
    return [step for step in steps if hmac.compare_digest(app.generate_otp(step), code)]


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits, as people copy them: ``7K2M-…``."""
    return [_grouped(_drawn()) for _ in range(RECOVERY_CODES)]


def recovery_code_of(typed: str) -> str:
    """The code that somebody typed, in its one form; empty where it can be none."""
    letters = "".join(each for each in typed[:60].upper() if each not in " -\t").translate(_MISREAD)
    if len(letters) != _RECOVERY_LENGTH or any(each not in _LETTERS for each in letters):
        return ""
    return letters


def wrong_factor() -> WrongFactor:
    """One sentence for all that can be wrong: it tells a guesser nothing."""
    return WrongFactor("That code or passkey is not right, or it was used before.")


def _drawn() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_RECOVERY_LENGTH))


def _grouped(letters: str) -> str:
    return "-".join(letters[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4))
