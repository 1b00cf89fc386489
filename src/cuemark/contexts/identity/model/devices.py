"""How devices are called, where they seem to be, and the codes that let them in (RFC 8628)."""

import ipaddress
import re
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

LONGEST_NAME = 60
INTERVAL_S = 5
SLOWER_S = 5
CODE_LASTS = timedelta(minutes=15)

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so that no word comes of them, and nothing like another (section 6.1)."""
_CODE_LENGTH = 8

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Tizen", "a Samsung TV"),
    ("Web0S", "an LG TV"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("Linux", "Linux"),
)
"""The first that is in a User-Agent counts: most of them claim to be others too."""


def name_of(told: str) -> str:
    """What a device is called in a list, of its ``User-Agent`` or what else it tells of itself."""
    kept = (each if unicodedata.category(each)[0] != "C" else " " for each in told[:1000])
    told = re.sub(r"\s+", " ", "".join(kept)).strip()
    if not told.startswith("Mozilla/"):
        return told[:LONGEST_NAME].rstrip() or "An unknown device"
    browser, system = _first(_BROWSERS, told), _first(_SYSTEMS, told)
    if not browser and not system:
        return "A browser"
    return f"{browser or 'A browser'} on {system}" if system else browser


def _first(table: Sequence[tuple[str, str]], told: str) -> str:
    return next((name for word, name in table if word in told), "")


def network_of(address: str) -> str:
    """Where an address is, no finer than its network: 24 bits of IPv4, 48 of IPv6; or empty."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def new_user_code() -> str:
    """Eight letters that are told apart on any screen, such as ``WDJB-MJHT``: 34 bits."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    return f"{code[:4]}-{code[4:]}"


def user_code_of(typed: str) -> str:
    """The code that somebody typed, in its one form; empty where it can be none."""
    letters = [each for each in typed[:40].upper() if each not in " -.\t"]
    if len(letters) != _CODE_LENGTH or any(each not in _LETTERS for each in letters):
        return ""
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


Asked = Literal["waiting", "allowed", "denied"]
Verdict = Literal["granted", "authorization_pending", "slow_down", "access_denied", "expired_token"]


def verdict(
    state: Asked, *, now: datetime, polled_at: datetime | None, interval_s: int, ends_at: datetime
) -> Verdict:
    """What a device that asks is told (section 3.5)."""
    if now >= ends_at:
        return "expired_token"
    if state == "denied":
        return "access_denied"
    if polled_at is not None and now < polled_at + timedelta(seconds=interval_s):
        return "slow_down"
    return "granted" if state == "allowed" else "authorization_pending"
