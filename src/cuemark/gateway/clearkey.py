"""ClearKey licences as browsers speak them (W3C Encrypted Media Extensions, section 9.1).

Browsers write key ids and keys in base64url without padding; inside they are hex.
"""

import base64
import binascii
from typing import Annotated, Literal

import msgspec

from cuemark.contracts.licensing import Licence, LicenceInvalid
from cuemark.kit.errors import UNREADABLE

KEY_BYTES = 16
MAX_KIDS = 64


class ClearKeyRequest(msgspec.Struct, frozen=True):
    kids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_KIDS)]
    type: Literal["temporary", "persistent-license"] = "temporary"


class ClearKey(msgspec.Struct, frozen=True):
    kty: str
    kid: str
    k: str


class ClearKeyLicence(msgspec.Struct, frozen=True):
    keys: list[ClearKey]
    type: str = "temporary"


def kids_of(body: bytes) -> list[str]:
    """The key ids (hex) that a licence request asks for; raises ``LicenceInvalid``."""
    try:
        request = msgspec.json.decode(body, type=ClearKeyRequest)
    except UNREADABLE as error:
        raise LicenceInvalid(f"This is no ClearKey licence request: {error}.") from error
    return [_hex_of(kid) for kid in request.kids]


def licence_view(licence: Licence) -> ClearKeyLicence:
    return ClearKeyLicence(
        [ClearKey("oct", _base64url_of(key.kid), _base64url_of(key.key)) for key in licence.keys]
    )


def is_kid(text: str) -> bool:
    """Whether ``text`` is a key id in hex."""
    return len(text) == 2 * KEY_BYTES and all(c in "0123456789abcdefABCDEF" for c in text)


def _hex_of(kid: str) -> str:
    try:
        raw = base64.b64decode(kid.rstrip("=") + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise LicenceInvalid("A key id of the licence request is no base64url.") from error
    if len(raw) != KEY_BYTES:
        raise LicenceInvalid(f"A key id of the licence request has not {KEY_BYTES} bytes.")
    return raw.hex()


def _base64url_of(hex_text: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(hex_text)).rstrip(b"=").decode()
