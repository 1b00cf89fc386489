"""An authenticator made of software: it holds private keys, and signs as WebAuthn has it.

It takes the place of a device, with real cryptography. What a test wants wrong, it is told.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Literal

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cuemark.contracts.identity.factors import PasskeyAnswer

USER_PRESENT, USER_VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40
Algorithm = Literal["es256", "eddsa"]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Held:
    """A passkey as its authenticator has it."""

    credential_id: bytes
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    user_handle: str
    count: int = 0

    def cose(self) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            at = self.key.public_key().public_numbers()
            point = {-2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}
            return cbor2.dumps({1: 2, 3: -7, -1: 1, **point})
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: raw})

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(data)


@dataclass
class Authenticator:
    """A browser on ``origin`` with an authenticator that knows ``rp_id``.

    ``verifies`` whether it asks for a PIN or a finger; ``counts`` whether its counter goes on.
    """

    origin: str = "https://films.example"
    rp_id: str = "films.example"
    algorithm: Algorithm = "es256"
    verifies: bool = True
    counts: bool = True
    attestation: str = "none"
    held: list[Held] = field(default_factory=list)

    def make(self, challenge: str, user_handle: str = "") -> PasskeyAnswer:
        key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = (
            ec.generate_private_key(ec.SECP256R1())
            if self.algorithm == "es256"
            else ed25519.Ed25519PrivateKey.generate()
        )
        made = Held(secrets.token_bytes(32), key, user_handle)
        self.held.append(made)
        credential = bytes(16) + len(made.credential_id).to_bytes(2, "big") + made.credential_id
        data = self._data(made, HAS_CREDENTIAL) + credential + made.cose()
        attestation = cbor2.dumps({"fmt": self.attestation, "attStmt": {}, "authData": data})
        return PasskeyAnswer(
            credential_id=b64(made.credential_id),
            client_data=b64(self._client_data("webauthn.create", challenge)),
            attestation=b64(attestation),
            transports=["internal"],
        )

    def answer(self, challenge: str, held: Held | None = None) -> PasskeyAnswer:
        used = held or self.held[-1]
        client_data = self._client_data("webauthn.get", challenge)
        if self.counts:
            used.count += 1
        data = self._data(used, 0)
        signature = used.sign(data + hashlib.sha256(client_data).digest())
        return PasskeyAnswer(
            credential_id=b64(used.credential_id),
            client_data=b64(client_data),
            authenticator_data=b64(data),
            signature=b64(signature),
            user_handle=used.user_handle,
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _data(self, held: Held, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies else 0)
        rp_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return rp_hash + bytes([flags]) + held.count.to_bytes(4, "big")
