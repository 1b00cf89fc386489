"""A multi-DRM service that is told what to license by an entitlement message, version 2 (Axinom
DRM, *Entitlement Message* and *License Service Message*): one form for all three systems.

The message goes beside the challenge in a header, as a JSON Web Token under a key that both sides
have (RFC 7515, HS256). Keys are named and not given: they came from the vendor's key server.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

from cuemark.contexts.licensing.model.dialects import (
    MAX_HEADER_BYTES,
    Challenge,
    Dialect,
    NoLicence,
    Question,
)
from cuemark.contexts.licensing.model.policy import KeyPolicy, LicencePolicy
from cuemark.contracts.protection import Hdcp, Robustness

HEADER = "x-axdrm-message"
MESSAGE_LASTS = timedelta(minutes=5)

_WIDEVINE_LEVELS: Mapping[Robustness, str] = {
    "software": "SW_SECURE_CRYPTO",
    "hardware": "HW_SECURE_ALL",
}
_PLAYREADY_LEVELS: Mapping[Robustness, int] = {"software": 2000, "hardware": 3000}
_WIDEVINE_HDCP: Mapping[Hdcp, str] = {"1.4": "1.0", "2.0": "2.0", "2.2": "2.2"}
_FAIRPLAY_HDCP: Mapping[Hdcp, str] = {"1.4": "TYPE0", "2.0": "TYPE0", "2.2": "TYPE1"}
_HDCP_NEEDED = 300
"""Uncompressed digital video leaves over HDCP alone (PlayReady's Compliance Rules, 3.6.5)."""
_HDCP_TYPE_1 = {"id": "abb2c6f1-e663-4625-a945-972d17b231e7", "config_data": "AAAAAQ=="}


@dataclass(frozen=True)
class Office:
    """The key with which messages are signed, and the id (a GUID) that the vendor knows it by."""

    key_id: str
    key: bytes = field(repr=False)


def entitlement(office: Office) -> Dialect:
    return Dialect(partial(_question, office))


def _question(office: Office, challenge: Challenge) -> Question:
    message = {
        "version": 1,
        "com_key_id": office.key_id,
        "begin_date": (challenge.now - MESSAGE_LASTS).isoformat(timespec="seconds"),
        "expiration_date": (challenge.now + MESSAGE_LASTS).isoformat(timespec="seconds"),
        "message": _message(challenge.policy),
    }
    header = _segment({"alg": "HS256", "typ": "JWT"})
    signed = f"{header}.{_segment(message)}"
    seal = hmac.digest(office.key, signed.encode(), "sha256")
    token = f"{signed}.{_base64url(seal)}"
    if len(token) > MAX_HEADER_BYTES:
        raise NoLicence(f"cannot be told of {len(challenge.policy.keys)} keys in one header")
    return Question(challenge.body, {HEADER: token})


def _message(policy: LicencePolicy) -> dict[str, object]:
    by_label = {key.label: key for key in policy.keys}
    return {
        "type": "entitlement_message",
        "version": 2,
        "license": _license(policy),
        "content_keys_source": {
            "inline": [{"id": str(UUID(key.kid)), "usage_policy": key.label} for key in policy.keys]
        },
        "content_key_usage_policies": [_usage(key) for key in by_label.values()],
    }


def _license(policy: LicencePolicy) -> dict[str, object]:
    first_use = {"playback_duration": policy.playback_s} if policy.playback_s else {}
    renewal: dict[str, object] = {"allow_renewal": policy.renewal is not None}
    if policy.renewal:
        renewal |= {
            "renewal_delay": policy.renewal.after_s,
            "renewal_retry_interval": policy.renewal.retry_s,
            "renewal_recovery": policy.renewal.grace_s,
        }
    return {
        "duration": policy.licence_s,
        "allow_persistence": policy.persistent,
        "widevine": {**first_use, **renewal},
        "playready": {**first_use, "real_time_expiration": True},
        "fairplay": {**first_use, "real_time_expiration": True},
    }


def _usage(key: KeyPolicy) -> dict[str, object]:
    widevine: dict[str, object] = {"device_security_level": _WIDEVINE_LEVELS[key.robustness]}
    playready: dict[str, object] = {"min_device_security_level": _PLAYREADY_LEVELS[key.robustness]}
    fairplay: dict[str, object] = {}
    if key.hdcp:
        widevine["hdcp"] = _WIDEVINE_HDCP[key.hdcp]
        fairplay["hdcp"] = _FAIRPLAY_HDCP[key.hdcp]
        playready["uncompressed_digital_video_opl"] = _HDCP_NEEDED
        if key.hdcp == "2.2":
            playready["digital_video_output_protections"] = [_HDCP_TYPE_1]
    return {
        "name": key.label,
        "widevine": widevine,
        "playready": playready,
        "fairplay": fairplay,
    }


def _segment(value: Mapping[str, object]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
