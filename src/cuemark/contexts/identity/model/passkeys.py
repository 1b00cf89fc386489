"""Whether what an authenticator answered is right (WebAuthn, sections 7.1 and 7.2, by py_webauthn).

No attestation is asked for: which make a passkey is of is nobody's business here, and the formats
of vendors, which are long to read, are refused unread.
"""

import base64
import binascii
import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm

from cuemark.contexts.identity.model.factors import wrong_factor
from cuemark.contracts.identity.factors import PasskeyAnswer
from cuemark.kit.errors import UNREADABLE

if TYPE_CHECKING:
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

MOST_BYTES = 16 * 1024
TRANSPORTS = ("ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb")
_MOST_CREDENTIAL_BYTES = 1023
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORMATS = ("none", "packed")
_G = (
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
)
NOBODYS_KEY = bytes.fromhex(f"a5010203262001215820{_G[0]}225820{_G[1]}")
"""A public key (COSE) against which an unknown passkey's answer is held: the work is the same."""


class RelyingParty(NamedTuple):
    """To whom passkeys are bound: ``id`` is the host, ``origin`` what the browser shows."""

    id: str
    origin: str
    name: str


class MadePasskey(NamedTuple):
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]


class _ClientData(msgspec.Struct, frozen=True, rename="camel"):
    type: str
    challenge: str
    origin: str
    cross_origin: bool = False


def relying_party_of(base_url: str, name: str) -> RelyingParty | None:
    """Of the address at which people reach the service; None where browsers make no passkeys: at an
    IP address, and without TLS but on this machine."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    local = host == "localhost" or host.endswith(".localhost")
    if not host or _is_address(host) or (parts.scheme != "https" and not local):
        return None
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return RelyingParty(host, f"{parts.scheme}://{host}{port}", name)


def challenge_of(answer: PasskeyAnswer) -> str:
    """The challenge that was answered, by what the answer says of itself; ``WrongFactor``."""
    return _client_data(answer).challenge


def made(answer: PasskeyAnswer, challenge: str, party: RelyingParty) -> MadePasskey:
    """The passkey that was made for this challenge; ``WrongFactor``."""
    from webauthn import verify_registration_response
    from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
    from webauthn.helpers.exceptions import WebAuthnException
    from webauthn.helpers.structs import AuthenticatorAttestationResponse, RegistrationCredential

    client_data = _held(answer, challenge, party)
    credential_id, attestation = decoded(answer.credential_id), decoded(answer.attestation)
    try:
        _refuse_vendors(attestation)
        verified = verify_registration_response(
            credential=RegistrationCredential(
                id=encoded(credential_id),
                raw_id=credential_id,
                response=AuthenticatorAttestationResponse(
                    client_data_json=client_data, attestation_object=attestation
                ),
            ),
            expected_challenge=decoded(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=_algorithms(),
        )
        key = decode_credential_public_key(verified.credential_public_key)
        decoded_public_key_to_cryptography(key)
    except (WebAuthnException, *_HOSTILE) as error:
        raise wrong_factor() from error
    if verified.credential_id != credential_id or len(credential_id) > _MOST_CREDENTIAL_BYTES:
        raise wrong_factor()
    return MadePasskey(
        credential_id,
        verified.credential_public_key,
        verified.sign_count,
        known_transports(answer.transports),
    )


def checked(answer: PasskeyAnswer, challenge: str, party: RelyingParty, public_key: bytes) -> int:
    """The counter of a passkey that answered this challenge; ``WrongFactor``.

    Whether it went on from where it was is for who keeps it.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException
    from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorAssertionResponse

    client_data = _held(answer, challenge, party)
    credential_id = decoded(answer.credential_id)
    try:
        verified = verify_authentication_response(
            credential=AuthenticationCredential(
                id=encoded(credential_id),
                raw_id=credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data_json=client_data,
                    authenticator_data=decoded(answer.authenticator_data),
                    signature=decoded(answer.signature),
                ),
            ),
            expected_challenge=decoded(challenge),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, *_HOSTILE) as error:
        raise wrong_factor() from error
    return verified.new_sign_count


def known_transports(told: Sequence[str]) -> list[str]:
    """Those that the standard has, each once: hints, which the browser is given back."""
    return [each for each in TRANSPORTS if each in told]


def encoded(data: bytes) -> str:
    """Base64url without padding, as WebAuthn writes bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url; ``WrongFactor``."""
    if len(text) > MOST_BYTES:
        raise wrong_factor()
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error) as error:
        raise wrong_factor() from error


_HOSTILE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    UnsupportedAlgorithm,
)
"""What py_webauthn lets through where an authenticator's bytes have a form it does not expect."""


def _client_data(answer: PasskeyAnswer) -> _ClientData:
    try:
        return msgspec.json.decode(decoded(answer.client_data), type=_ClientData)
    except UNREADABLE as error:
        raise wrong_factor() from error


def _held(answer: PasskeyAnswer, challenge: str, party: RelyingParty) -> bytes:
    """The client data as it was signed, of our own page and no page within another."""
    told = _client_data(answer)
    if told.challenge != challenge or told.origin != party.origin or told.cross_origin:
        raise wrong_factor()
    return decoded(answer.client_data)


def _refuse_vendors(attestation: bytes) -> None:
    from webauthn.helpers import parse_cbor

    if parse_cbor(attestation)["fmt"] not in _FORMATS:
        raise ValueError("an attestation that was not asked for")


def _algorithms() -> list["COSEAlgorithmIdentifier"]:
    from webauthn.helpers.cose import COSEAlgorithmIdentifier

    return [
        COSEAlgorithmIdentifier.ECDSA_SHA_256,
        COSEAlgorithmIdentifier.EDDSA,
        COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
    ]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
