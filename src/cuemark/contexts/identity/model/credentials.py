"""Which mail addresses, passwords and names are acceptable; passwords and tokens as they are kept.

Passwords are hashed with argon2id (RFC 9106). The default is the second recommended option of
its section 4, for memory-constrained machines: 3 passes over 64 MiB, 4 lanes, a salt of 128 and
a tag of 256 bits. The first option's 2 GiB for each login would let a handful of logins empty a
small machine.
"""

import base64
import functools
import hashlib
import re
import secrets
import unicodedata

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from cuemark.contracts.identity import AccountInvalid

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
LONGEST_NAME = 64
DEFAULT_COST = argon2.profiles.RFC_9106_LOW_MEMORY

_LONGEST_EMAIL = 254
_LONGEST_LOCAL = 64
_LONGEST_TOKEN = 512
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")


def checked_email(email: str) -> str:
    """``email`` in lower case (RFC 5321 without quoted locals); ``AccountInvalid`` says why not.

    Only ASCII is taken: of two letters that look alike, one would open the other's account.
    Nothing is folded into ASCII either, for the same reason.
    """
    email = email[: _LONGEST_EMAIL * 2].strip(" \t\r\n")
    if not email.isascii():
        raise AccountInvalid(
            "The mail address has a letter outside ASCII: write an international domain in its "
            "xn-- form."
        )
    match = _EMAIL.fullmatch(email.lower())
    if match is None or len(email) > _LONGEST_EMAIL or len(match["local"]) > _LONGEST_LOCAL:
        raise AccountInvalid("The mail address is not of the form name@domain.")
    return match[0]


def checked_password(password: str) -> str:
    """``password`` in NFC (as RFC 8265, section 4.2 has it), so that every keyboard agrees."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountInvalid(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        raise AccountInvalid("The password holds a control character.")
    return normalized(password)


def normalized(password: str) -> str:
    """A password in the form in which it is hashed."""
    return unicodedata.normalize("NFC", password)


def checked_new_password(password: str, email: str) -> str:
    """A password that somebody chooses now: none of the commonest, and not the mail address.

    So NIST SP 800-63B, section 5.1.1.2, has it: eight characters or more, none that guessers try
    first, and no rule about which characters. The commonest are zxcvbn's.
    """
    password = checked_password(password)
    if password.lower() in _commonest():
        raise AccountInvalid("Very many people have this password: choose another.")
    if password.lower() in (email, email.partition("@")[0]):
        raise AccountInvalid("The password must not be the mail address: choose another.")
    return password


@functools.cache
def _commonest() -> frozenset[str]:
    # The lists take a tenth of a second to read, and only who chooses a password needs them.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    words = FREQUENCY_LISTS["passwords"]
    return frozenset(word for word in words if len(word) >= SHORTEST_PASSWORD)


def checked_profile_name(name: str, email: str) -> str:
    """``name`` in NFC; where there is none, what stands before the @ of the mail address."""
    name = unicodedata.normalize("NFC", name[: LONGEST_NAME * 4]).strip()
    name = name or email.partition("@")[0]
    if len(name) > LONGEST_NAME:
        raise AccountInvalid(f"The profile's name is longer than {LONGEST_NAME} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise AccountInvalid("The profile's name holds a control character.")
    return name


def new_token() -> str:
    """256 random bits in base64url: a login's token, or a link's code."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether ``text`` can be a token or a code at all, and is worth a look into the store."""
    return text.isascii() and 0 < len(text) <= _LONGEST_TOKEN


def digest_of(token: str) -> bytes:
    """The SHA-256 under which a token or a code is kept."""
    return hashlib.sha256(token.encode()).digest()


class Passwords:
    """Hashes and checks passwords at one cost. Slow on purpose: never call it in an event loop."""

    def __init__(self, cost: argon2.Parameters = DEFAULT_COST) -> None:
        self._hasher = argon2.PasswordHasher.from_parameters(cost)
        salt, tag = (
            base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
            for length in (cost.salt_len, cost.hash_len)
        )
        self._nobodys = (
            f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
            f"${salt}${tag}"
        )

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether ``password`` was hashed so; with no hash the same work, and False.

        The work is the same so that an answer's time tells nobody which accounts there are.
        """
        try:
            return self._hasher.verify(password_hash or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_stale(self, password_hash: str) -> bool:
        """Whether a hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(password_hash)
