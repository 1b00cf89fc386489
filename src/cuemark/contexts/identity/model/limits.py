"""How often something may be tried within a window of time, of one address or account."""

import hashlib
import ipaddress
import math
from datetime import timedelta
from typing import NamedTuple


class Limit(NamedTuple):
    """``most`` within ``window``, which begins with the first try. ``sentence`` may say
    ``{minutes}`` for how long it lasts yet."""

    name: str
    most: int
    window: timedelta
    sentence: str


LETTERS = Limit(
    "letters",
    3,
    timedelta(hours=1),
    "Three letters were asked for to this address within the hour: look there, or try later.",
)
ASKING = Limit(
    "asking", 30, timedelta(hours=1), "Too many letters were asked for from here: try later."
)
PASSWORDS = Limit(
    "passwords", 10, timedelta(minutes=15), "Too many wrong passwords: try again in a while."
)
USER_CODES = Limit(
    "user_codes", 10, timedelta(minutes=15), "Too many codes were tried: try again in a while."
)
DEVICES = Limit(
    "devices", 60, timedelta(hours=1), "Too many devices ask for codes from here: try later."
)
PINS = Limit(
    "pins",
    5,
    timedelta(minutes=15),
    "Too many wrong PINs: try again in {minutes}, or use the account's password.",
)
PINS_IN_A_DAY = Limit(
    "pins_in_a_day",
    20,
    timedelta(hours=24),
    "Too many wrong PINs today: try again in {minutes}, or use the account's password.",
)
"""Of 10,000 PINs, whoever guesses has tried 20 after a day."""


def sentence_of(limit: Limit, left: timedelta) -> str:
    """What is told to whom a limit has stopped, ``left`` before it lets pass again."""
    minutes = max(1, math.ceil(left / timedelta(minutes=1)))
    return limit.sentence.format(minutes=f"{minutes} minutes" if minutes > 1 else "a minute")


FACTOR_CODES = Limit(
    "factor_codes",
    10,
    timedelta(minutes=15),
    "Too many codes were tried: wait a quarter of an hour, or use a passkey or a recovery code.",
)
FACTOR_CODES_OF_A_DAY = Limit(
    "factor_codes_of_a_day",
    30,
    timedelta(days=1),
    "Too many codes were tried today: use a passkey or a recovery code, or wait until tomorrow.",
)
"""Of a million codes three are right at a time: so many a day, and no more, take decades."""
RECOVERY_CODES = Limit(
    "recovery_codes",
    20,
    timedelta(minutes=15),
    "Too many codes were tried: wait a quarter of an hour.",
)
FACTOR_NOTICES = Limit("factor_notices", 1, timedelta(days=1), "One letter a day tells it.")
PASSKEYS = Limit(
    "passkeys", 300, timedelta(hours=1), "Too many logins were begun from here: try later."
)


def key_of(limit: Limit, subject: str) -> bytes:
    """Under which tries of a subject are counted: nothing tells who that is."""
    return hashlib.sha256(f"{limit.name}\0{subject}".encode()).digest()


def client_of(address: str) -> str:
    """Who counts as one client: an IPv4 address, or the 64 bits that a home has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
