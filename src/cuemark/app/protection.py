"""The table ``[protection]`` of the settings: how films are encrypted, and who gets keys how.

What must be kept secret of it, the headers that a licence or key server wants to see, stands in
files of its own.
"""

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

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
LEAST_RENEWAL_S = 30
"""Each renewal is a question to the licence server, for each play that runs."""
Seconds = Annotated[int, msgspec.Meta(ge=0, le=366 * 24 * 3600)]
OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection"})


class HeadersUnreadable(OperatorError):
    """A file of headers is not there, or holds something else."""


class SigningKeyUnreadable(OperatorError):
    """A file with a key to sign by is not there, or holds something else."""


Protocol = Literal["forward", "widevine_cloud", "entitlement"]


class DrmSystem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``licence_url`` gets what players ask of the system; ``headers_file`` is relative to the data
    folder and has the headers that go with each question, ``Name: value``, one on a line.

    ``protocol`` is how the licence server is told what a licence may be. Where that needs a
    signature, ``signer`` is the name that it knows, and ``signing_file`` has the key.
    """

    licence_url: str = ""
    headers_file: str = ""
    protocol: Protocol = "forward"
    signer: str = ""
    signing_file: str = ""


class Licences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What licences of DRM systems are, in seconds: ``duration_s`` 0 lasts as long as the play,
    ``first_use_s`` 0 knows no bound from the first use on, ``renew_after_s`` 0 no renewal.
    ``outputs`` has the least HDCP by label."""

    duration_s: Seconds = 0
    first_use_s: Seconds = 0
    persistent: bool = False
    renew_after_s: Seconds = 0
    renew_retry_s: Seconds = 30
    renew_grace_s: Seconds = 300
    outputs: dict[Label, Hdcp] = {}


class Protection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``scheme`` encrypts what is packaged from now on. ``clearkey`` says whether players get keys
    in the clear. ``systems`` are the DRM systems that manifests name, the preferred one first.
    ``key_server`` is the SPEKE v2 address that new keys come from, with
    ``key_server_sealed`` encrypted on the way beside TLS; left out, keys are our own.
    ``crypto_period_s`` is how long a key is used at most, 0 for the whole film. ``robustness`` is
    what keys demand of devices, by their labels; one that is not named demands software.
    ``licences`` are what DRM systems' licence servers are told.
    """

    scheme: Scheme = "cbcs"
    clearkey: bool = True
    systems: dict[System, DrmSystem] = {}
    key_server: str = ""
    key_server_headers_file: str = ""
    key_server_sealed: bool = False
    crypto_period_s: int = 0
    robustness: dict[Label, Robustness] = {}
    licences: Licences = Licences()


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
        if wrong := _wrong_protocol(name, system):
            return f"{where}: {wrong}"
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
    return _wrong_licences(protection)


def _wrong_protocol(name: System, system: DrmSystem) -> str:
    if system.protocol == "forward":
        if system.signer or system.signing_file:
            return "nothing is signed: set its `protocol`, or leave out `signer` and `signing_file`"
        return ""
    if system.protocol == "widevine_cloud" and name != "widevine":
        return "widevine_cloud speaks for Widevine alone: its `protocol` is forward or entitlement"
    if not system.signer or not system.signing_file:
        return f"{system.protocol} is signed: it needs `signer` and `signing_file`"
    if system.protocol == "entitlement" and not _is_guid(system.signer):
        return "`signer` is the id of the communication key, a GUID"
    return ""


def _wrong_licences(protection: Protection) -> str:
    licences = protection.licences
    if licences.outputs and protection.clearkey:
        return (
            "`protection.licences.outputs` binds nobody while `protection.clearkey` is true: set "
            "it to false, since keys in the clear leave by any output"
        )
    if 0 < licences.renew_after_s < LEAST_RENEWAL_S:
        return f"`protection.licences.renew_after_s` is {LEAST_RENEWAL_S} at least, or 0 for none"
    if licences.renew_retry_s < 1:
        return "`protection.licences.renew_retry_s` is 1 at least"
    if 0 < licences.duration_s <= licences.renew_after_s:
        return (
            "`protection.licences.renew_after_s` must be less than its `duration_s`, or nothing is "
            "left to renew"
        )
    if not protection.key_server and any(
        system.protocol == "entitlement" for system in protection.systems.values()
    ):
        return (
            "`protection`: an entitlement names keys that its vendor knows: set `key_server` to "
            "the vendor's, so that keys come from there"
        )
    return ""


def _is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


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
    """Read all files of headers and keys; raises what reading one of them raises."""
    for system in protection.systems.values():
        headers_in(folder, system.headers_file)
        if system.protocol == "widevine_cloud":
            provider_key_in(folder, system.signing_file)
        elif system.protocol == "entitlement":
            communication_key_in(folder, system.signing_file)
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


def provider_key_in(folder: Path, name: str) -> tuple[bytes, bytes]:
    """The key (32 bytes) and IV (16) of a Widevine provider; raises ``SigningKeyUnreadable``."""
    text = _signing_text(folder, name).split()
    if len(text) == 4 and (text[0], text[2]) == ("key", "iv"):
        try:
            key, iv = bytes.fromhex(text[1]), bytes.fromhex(text[3])
        except ValueError:
            key, iv = b"", b""
        if (len(key), len(iv)) == (32, 16):
            return key, iv
    raise SigningKeyUnreadable(
        f"{folder / name} has no key of a Widevine provider: write two lines, `key` with 64 digits "
        "in hex and `iv` with 32"
    )


def communication_key_in(folder: Path, name: str) -> bytes:
    """The key that entitlements are signed by, 32 bytes; raises ``SigningKeyUnreadable``."""
    try:
        key = base64.b64decode(_signing_text(folder, name).strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SigningKeyUnreadable(
            f"{folder / name} has no communication key: write its 32 bytes in base64, on one line"
        )
    return key


def _signing_text(folder: Path, name: str) -> str:
    path = folder / name
    try:
        with path.open("rb") as file:
            return file.read(MAX_HEADERS_BYTES).decode("ascii", "replace")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no such name"
        raise SigningKeyUnreadable(
            f"the key in {path} that licence servers know cannot be read ({why}): write the file, "
            "or set the system's `protocol` to forward"
        ) from error
