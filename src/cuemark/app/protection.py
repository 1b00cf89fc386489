"""The table ``[protection]`` of the settings: how films are encrypted, and who gets keys how.

What must be kept secret of it, the headers that a licence or key server wants to see, stands in
files of its own.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cuemark.contracts.protection import (
    LEAST_PERIOD_S,
    Hdcp,
    Label,
    Robustness,
    Scheme,
    System,
    may_be_period,
)
from cuemark.kit.errors import OperatorError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([\x21-\x7e][\x20-\x7e]*)")
MAX_HEADERS_BYTES = 64 << 10
OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})


class HeadersUnreadable(OperatorError):
    """A file of headers is not there, or holds something else."""


class DrmSystem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``licence_url`` gets what players ask of the system; ``headers_file`` is relative to the data
    folder and has the headers that go with each question, ``Name: value``, one on a line."""

    licence_url: str = ""
    headers_file: str = ""


class Protection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``scheme`` encrypts what is packaged from now on. ``clearkey`` says whether players get keys
    in the clear. ``systems`` are the DRM systems that manifests name, the preferred one first.
    ``key_server`` is the SPEKE v2 address that new keys come from, with
    ``key_server_sealed`` encrypted on the way beside TLS; left out, keys are our own.
    ``crypto_period_s`` is how long a key is used at most, 0 for the whole film. ``robustness`` is
    what keys demand of devices, by their labels; one that is not named demands software. ``hdcp``
    is what pictures demand of the way to a screen, by the labels of their keys.
    """

    scheme: Scheme = "cbcs"
    clearkey: bool = True
    systems: dict[System, DrmSystem] = {}
    key_server: str = ""
    key_server_headers_file: str = ""
    key_server_sealed: bool = False
    crypto_period_s: int = 0
    robustness: dict[Label, Robustness] = {}
    hdcp: dict[Label, Hdcp] = {}


def complaint(protection: Protection) -> str:
    """What is wrong with the table, as the end of a sentence; empty where nothing is."""
    for name, system in protection.systems.items():
        where = f"`protection.systems.{name}`"
        if name == "common":
            if system != DrmSystem():
                return f"{where} has no licence server of its own: leave the table empty"
            continue
        if not system.licence_url:
            return f"{where} needs the `licence_url` of its licence server"
        if not is_safe(system.licence_url):
            return f"{where}: `licence_url` must begin with https://, or lead to this machine"
    if not may_be_period(protection.crypto_period_s):
        return (
            f"`protection.crypto_period_s` is {protection.crypto_period_s}: write "
            f"{LEAST_PERIOD_S} or more seconds, or 0 for one key for the whole film"
        )
    if protection.key_server and not is_safe(protection.key_server):
        return "`protection.key_server` must begin with https://, or lead to this machine"
    if "fairplay" in protection.systems and protection.scheme == "cenc":
        return '`protection`: FairPlay plays cbcs alone: set `scheme = "cbcs"` or leave it out'
    if not protection.clearkey and not set(protection.systems) - {"common"}:
        return "`protection.clearkey` is false, and no DRM system has a licence server: name one"
    return ""


def is_safe(url: str) -> bool:
    """Whether what is sent there can be read on the way by nobody."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    if (
        not named
        or parts.fragment
        or parts.username is not None
        or not re.fullmatch(r"[!-~]+", url)
    ):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def check_headers(folder: Path, protection: Protection) -> None:
    """Read all files of headers; raises ``HeadersUnreadable``."""
    for system in protection.systems.values():
        headers_in(folder, system.headers_file)
    headers_in(folder, protection.key_server_headers_file)


def headers_in(folder: Path, name: str) -> dict[str, str]:
    """The headers of a file, none where it has no name; raises ``HeadersUnreadable``."""
    if not name:
        return {}
    path = folder / name
    try:
        with path.open("rb") as file:
            text = file.read(MAX_HEADERS_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such name"
        raise HeadersUnreadable(
            f"the headers of a server in {path} cannot be read ({why}): write the file, or take "
            "`headers_file` out of cuemark.toml"
        ) from error
    lines = text[:MAX_HEADERS_BYTES].decode("ascii", "replace").splitlines()
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        # The line itself is not told: it may be the secret.
        matched = _HEADER.fullmatch(line.strip())
        if matched is None or matched[1].lower() in OURS:
            raise HeadersUnreadable(
                f"line {number} of {path} is no header that can be sent: write `Name: value`"
            )
        found[matched[1]] = matched[2]
    return found
