"""Common Access Token (CTA-5007): a CWT (RFC 8392) in a COSE_Mac0 (RFC 9052), HMAC-SHA256.

Only what this project uses: ``exp``, ``iat``, ``sub`` (the session), ``aud`` (the verifier), and
``catu`` (CTA-5007 section 4.6.4) with one prefix match on the path component. The token is
base64url without padding, so it can be a path segment.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

import cbor2
import msgspec

SUB, AUD, EXP, IAT, CATU = 2, 3, 4, 6, 312
URI_PATH, MATCH_PREFIX = 3, 1
ALG, KID, HMAC_256_256 = 1, 4, 5
TAG_CWT, TAG_MAC0 = 61, 17

_PROTECTED = cbor2.dumps({ALG: HMAC_256_256})


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token allows: paths under ``path_prefix`` at ``audience``, for ``subject``."""

    subject: str
    audience: str
    path_prefix: str
    issued_at_s: int
    expires_at_s: int


class TokenKey(msgspec.Struct, frozen=True):
    """A verifier's key with its id; two overlap while keys turn over."""

    kid: str
    key: bytes

    def __repr__(self) -> str:
        return f"TokenKey(kid={self.kid!r}, key=hidden)"


class TokenRejected(Exception):
    """Forged, expired, malformed, or for another verifier or path. The text names no token."""


def derive_key(master: TokenKey, audience: str) -> TokenKey:
    """The key of one verifier, so that its theft opens no other (HKDF, RFC 5869, one block)."""
    extracted = hmac.new(b"cuemark-cat", master.key, hashlib.sha256).digest()
    info = f"{master.kid}:{audience}".encode() + b"\x01"
    return TokenKey(master.kid, hmac.new(extracted, info, hashlib.sha256).digest())


def mint(claims: Claims, key: TokenKey) -> str:
    """A token for ``claims`` under ``key``."""
    payload = cbor2.dumps(
        {
            SUB: claims.subject,
            AUD: claims.audience,
            EXP: claims.expires_at_s,
            IAT: claims.issued_at_s,
            CATU: {URI_PATH: {MATCH_PREFIX: claims.path_prefix}},
        }
    )
    message = [_PROTECTED, {KID: key.kid.encode()}, payload, _tag(key.key, payload)]
    whole = cbor2.dumps(cbor2.CBORTag(TAG_CWT, cbor2.CBORTag(TAG_MAC0, message)))
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def verify(
    token: str, *, keys: Mapping[str, bytes], audience: str, path: str, now: datetime
) -> Claims:
    """The claims of a token that is genuine, in time, for ``audience``, and covers ``path``."""
    claims = _claims_of(token, keys)
    if claims.audience != audience:
        raise TokenRejected("the token is for another appliance")
    if claims.expires_at_s <= now.timestamp():
        raise TokenRejected("the token is past its time")
    if not path.startswith(claims.path_prefix):
        raise TokenRejected("the token does not cover this path")
    return claims


def _claims_of(token: str, keys: Mapping[str, bytes]) -> Claims:
    try:
        whole = cbor2.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        protected, unprotected, payload, tag = whole.value.value
        key = keys.get(unprotected[KID].decode())
        tags_right = (whole.tag, whole.value.tag) == (TAG_CWT, TAG_MAC0)
        if key is None or not tags_right or protected != _PROTECTED:
            raise TokenRejected("the token is not one of ours")
        if not hmac.compare_digest(_tag(key, payload), tag):
            raise TokenRejected("the token is forged")
        claims = cbor2.loads(payload)
        return msgspec.convert(
            {
                "subject": claims[SUB],
                "audience": claims[AUD],
                "path_prefix": claims[CATU][URI_PATH][MATCH_PREFIX],
                "issued_at_s": claims[IAT],
                "expires_at_s": claims[EXP],
            },
            Claims,
        )
    except (ValueError, TypeError, KeyError, AttributeError, cbor2.CBORError) as error:
        raise TokenRejected("the token cannot be read") from error


def _tag(key: bytes, payload: bytes) -> bytes:
    structure = cbor2.dumps(["MAC0", _PROTECTED, b"", payload])
    return hmac.new(key, structure, hashlib.sha256).digest()
