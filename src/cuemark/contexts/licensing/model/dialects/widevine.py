"""Widevine's Cloud License Service, as proxies ask it (*Widevine DRM Proxy Integration*; its
request is also in Microsoft's *Widevine license template overview*).

The message is signed by AES-CBC over its SHA-1, with the key and IV that the provider was given.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA1, Hash
from cryptography.hazmat.primitives.padding import PKCS7

from cuemark.contexts.licensing.model.dialects import Challenge, Dialect, NoLicence, Question
from cuemark.contexts.licensing.model.policy import KeyPolicy, LicencePolicy
from cuemark.contracts.protection import Hdcp, Robustness

MEDIA_TYPE = "application/json"

_LEVELS: Mapping[Robustness, int] = {"software": 1, "hardware": 5}
_HDCP: Mapping[Hdcp | None, str] = {
    None: "HDCP_NONE",
    "1.4": "HDCP_V1",
    "2.0": "HDCP_V2",
    "2.2": "HDCP_V2_2",
}
_STATUS = re.compile(r"[A-Z_]{1,60}")


@dataclass(frozen=True)
class Provider:
    """Who asks, as Google knows it: ``key`` of 32 bytes and ``iv`` of 16."""

    name: str
    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)


def widevine(provider: Provider) -> Dialect:
    return Dialect(partial(_question, provider), licence_in, needs_keys=True)


def signature(provider: Provider, message: bytes) -> bytes:
    digest = Hash(SHA1())
    digest.update(message)
    padder = PKCS7(128).padder()
    padded = padder.update(digest.finalize()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(provider.key), modes.CBC(provider.iv)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def _question(provider: Provider, challenge: Challenge) -> Question:
    policy = challenge.policy
    message = json.dumps(
        {
            "payload": _base64(challenge.body),
            "provider": provider.name,
            "content_id": _base64(challenge.version_id.encode()),
            "use_policy_overrides_exclusively": True,
            "policy_overrides": _overrides(policy),
            "content_key_specs": [
                _specified(of, key) for of, key in zip(policy.keys, challenge.keys, strict=True)
            ],
        }
    ).encode()
    signed = {
        "request": _base64(message),
        "signature": _base64(signature(provider, message)),
        "signer": provider.name,
    }
    return Question(json.dumps(signed).encode(), {"content-type": MEDIA_TYPE})


def _overrides(policy: LicencePolicy) -> dict[str, object]:
    overrides: dict[str, object] = {
        "can_play": True,
        "can_persist": policy.persistent,
        "can_renew": policy.renewal is not None,
        "license_duration_seconds": policy.licence_s,
        "rental_duration_seconds": policy.licence_s if policy.persistent else 0,
        "playback_duration_seconds": policy.playback_s,
    }
    if policy.renewal:
        overrides |= {
            "renewal_delay_seconds": policy.renewal.after_s,
            "renewal_retry_interval_seconds": policy.renewal.retry_s,
            "renewal_recovery_duration_seconds": policy.renewal.grace_s,
        }
    return overrides


def _specified(policy: KeyPolicy, key: bytes) -> dict[str, object]:
    return {
        "track_type": policy.label,
        "key_id": _base64(bytes.fromhex(policy.kid)),
        "key": _base64(key),
        "security_level": _LEVELS[policy.robustness],
        "required_output_protection": {"hdcp": _HDCP[policy.hdcp]},
    }


def licence_in(answer: bytes) -> bytes:
    """The licence of an answer; raises ``NoLicence``."""
    try:
        told = json.loads(answer)
        status, licence = told["status"], told.get("license", "")
        if status != "OK":
            named = _STATUS.fullmatch(status)
            raise NoLicence(f"refuses with {status}" if named else "refuses")
        if decoded := base64.b64decode(licence, validate=True):
            return decoded
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError, binascii.Error):
        pass
    raise NoLicence("answers with something else than a licence")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
