"""Licence servers of vendors, as far as their protocols are published: each holds what it is asked
against its specification, and answers as that says. No licence of a DRM system is made here."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.others import Asked


class Refused(Exception):
    """The status with which the vendor refuses."""


@dataclass
class WidevineCloud:
    """*Widevine DRM Proxy Integration*: GetLicense, signed by the provider's AES key."""

    provider: str
    key: bytes
    iv: bytes
    licensed: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, asked: Asked) -> bytes:
        try:
            self.licensed.append(self._message(asked))
        except Refused as refused:
            return json.dumps({"status": str(refused)}).encode()
        licence = base64.b64encode(b"licence:" + self.challenge()).decode()
        return json.dumps({"status": "OK", "license": licence}).encode()

    def challenge(self) -> bytes:
        return base64.b64decode(self.licensed[-1]["payload"])

    def _message(self, asked: Asked) -> dict[str, Any]:
        if asked.headers["content-type"] != "application/json":
            raise Refused("MALFORMED_REQUEST")
        envelope = json.loads(asked.body)
        if envelope["signer"] != self.provider:
            raise Refused("UNKNOWN_SIGNER")
        request = base64.b64decode(envelope["request"], validate=True)
        decryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).decryptor()
        signature = base64.b64decode(envelope["signature"], validate=True)
        padded = decryptor.update(signature) + decryptor.finalize()
        digest = hashlib.sha1(request).digest()
        if padded != digest + bytes([12]) * 12:
            raise Refused("SIGNATURE_FAILED")
        message: dict[str, Any] = json.loads(request)
        if message["provider"] != self.provider or not base64.b64decode(message["content_id"]):
            raise Refused("INVALID_PARAMETERS")
        for spec in message["content_key_specs"]:
            hdcp = spec["required_output_protection"]["hdcp"]
            if (
                len(base64.b64decode(spec["key_id"], validate=True)) != 16
                or len(base64.b64decode(spec["key"], validate=True)) != 16
                or spec["security_level"] not in range(1, 6)
                or hdcp not in ("HDCP_NONE", "HDCP_V1", "HDCP_V2", "HDCP_V2_1", "HDCP_V2_2")
            ):
                raise Refused("INVALID_CONTENT_KEY_SPECS")
        return message


@dataclass
class EntitlementVendor:
    """Axinom DRM's License Service: an entitlement message in a token beside the challenge."""

    key_id: str
    key: bytes
    now: Callable[[], datetime]
    licensed: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, asked: Asked) -> bytes:
        try:
            self.licensed.append(self._message(asked.headers["x-axdrm-message"]))
        except Refused as refused:
            return b"refused: " + str(refused).encode()
        return b"licence:" + asked.body

    def _message(self, token: str) -> dict[str, Any]:
        head, body, seal = token.split(".")
        if json.loads(_decoded(head)) != {"alg": "HS256", "typ": "JWT"}:
            raise Refused("the token has another algorithm")
        expected = hmac.digest(self.key, f"{head}.{body}".encode(), "sha256")
        if not hmac.compare_digest(expected, _decoded(seal)):
            raise Refused("the token is not signed by the communication key")
        envelope = json.loads(_decoded(body))
        if (envelope["version"], envelope["com_key_id"]) != (1, self.key_id):
            raise Refused("the communication key is unknown")
        begins, ends = (
            datetime.fromisoformat(envelope[name]) for name in ("begin_date", "expiration_date")
        )
        if not begins <= self.now() < ends:
            raise Refused("the message is not valid now")
        message: dict[str, Any] = envelope["message"]
        if (message["type"], message["version"]) != ("entitlement_message", 2):
            raise Refused("this is no entitlement message of version 2")
        policies = {each["name"] for each in message["content_key_usage_policies"]}
        for key in message["content_keys_source"]["inline"]:
            if str(UUID(key["id"])) != key["id"] or key["usage_policy"] not in policies:
                raise Refused("a key has no policy")
        return message


def _decoded(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise Refused("the token is no token") from error
