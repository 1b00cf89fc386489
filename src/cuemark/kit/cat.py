"""Common Access Token (CTA-5007): a CWT (RFC 8392) in a COSE_Mac0 (RFC 9052), HMAC-SHA256.

Only what this project uses: ``exp``, ``iat``, ``sub`` (the session), ``aud`` (the verifier),
``catu`` (CTA-5007 section 4.6.4) with one prefix match on the path component, and ``catnip`` (the
client's network) as address prefixes of RFC 9164; and, for a version with a forensic watermark, the
session's row of variants as ETSI TS 104 002 has it in its direct mode (``wmver``, ``wmvnd``,
``wmpatlen``, ``wmpattern``). The token is base64url without padding, so it can be a path segment.
Each token has one spelling: what is not exactly as ``mint`` encodes it is refused, and nothing is
decoded before its tag has been checked. ``edge/verify.js`` is the same rule in njs, and
``edge/tokens.py`` what the agent does with it; all three share their test vectors.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime

import cbor2
import msgspec

from cuemark.kit.networks import MAX_NETWORKS, Network

SUB, AUD, EXP, IAT, CATNIP, CATU = 2, 3, 4, 6, 311, 312
WMVER, WMVND, WMPATLEN, WMPATTERN = 300, 301, 302, 304
URI_PATH, MATCH_PREFIX = 3, 1
ALG, KID, HMAC_256_256 = 1, 4, 5
TAG_CWT, TAG_MAC0 = 61, 17
TAG_IPV4, TAG_IPV6 = 52, 54

MAX_TOKEN_CHARS = 1024

_WATERMARK_VERSION, _NO_VENDOR = 1, 0

_PROTECTED = cbor2.dumps({ALG: HMAC_256_256})
_HEAD = bytes.fromhex("d83dd184") + cbor2.dumps(_PROTECTED) + bytes.fromhex("a104")
_MAC_HEAD = cbor2.dumps(["MAC0", _PROTECTED, b"", b""])[:-1]
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_TOKEN_CHARS}}}")


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a token allows: paths under ``path_prefix`` at ``audience``, for ``subject``.

    ``variants`` is a bit for each segment of marked pictures, 0 for A and 1 for B, from the highest
    of the first byte on; they begin again where they end. Empty, it opens none of them.
    ``networks`` are where its client may be; anywhere where there is none.
    """

    subject: str
    audience: str
    path_prefix: str
    issued_at_s: int
    expires_at_s: int
    variants: bytes = b""
    networks: tuple[Network, ...] = ()

    def from_network(self, address: str) -> bool:
        """Whether a client at this address may use the token."""
        if not self.networks:
            return True
        client = ipaddress.ip_address(address)
        return any(client in network for network in self.networks)


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
    held = {
        SUB: claims.subject,
        AUD: claims.audience,
        EXP: claims.expires_at_s,
        IAT: claims.issued_at_s,
        CATU: {URI_PATH: {MATCH_PREFIX: claims.path_prefix}},
    }
    if claims.networks:
        held[CATNIP] = [_prefix(network) for network in claims.networks]
    if claims.variants:
        held |= {
            WMVER: _WATERMARK_VERSION,
            WMVND: _NO_VENDOR,
            WMPATLEN: 8 * len(claims.variants),
            WMPATTERN: claims.variants,
        }
    payload = cbor2.dumps(held)
    message = [_PROTECTED, {KID: key.kid.encode()}, payload, _tag(key.key, payload)]
    whole = cbor2.dumps(cbor2.CBORTag(TAG_CWT, cbor2.CBORTag(TAG_MAC0, message)))
    return _base64url(whole)


def verify(
    token: str,
    *,
    keys: Mapping[str, bytes],
    audience: str,
    path: str,
    now: datetime,
    address: str = "",
) -> Claims:
    """The claims of a token that is genuine, in time, for ``audience``, and covers ``path``.

    ``address`` is the client's; without one a token that is bound to a network is refused.
    """
    claims = claims_of(token, keys)
    if claims.audience != audience:
        raise TokenRejected("the token is for another appliance")
    if claims.expires_at_s <= now.timestamp():
        raise TokenRejected("the token is past its time")
    if claims.networks and not (address and claims.from_network(address)):
        raise TokenRejected("the token is for another network")
    if not path.startswith(claims.path_prefix):
        raise TokenRejected("the token does not cover this path")
    return claims


def claims_of(token: str, keys: Mapping[str, bytes]) -> Claims:
    """What a genuine token claims; whether it is in time and for whom is still to be seen."""
    kid, payload, tag = _parts(token)
    key = keys.get(kid)
    if key is None or not hmac.compare_digest(_tag(key, payload), tag):
        raise TokenRejected("the token is forged")
    try:
        claims = cbor2.loads(payload)
        read = Claims(
            subject=claims[SUB],
            audience=claims[AUD],
            path_prefix=claims[CATU][URI_PATH][MATCH_PREFIX],
            issued_at_s=claims[IAT],
            expires_at_s=claims[EXP],
            variants=claims.get(WMPATTERN, b""),
            networks=_networks(claims[CATNIP]) if CATNIP in claims else (),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, cbor2.CBORError) as error:
        raise TokenRejected("the token's claims cannot be read") from error
    texts = (read.subject, read.audience, read.path_prefix)
    times = (read.issued_at_s, read.expires_at_s)
    if (
        {*map(type, texts)} != {str}
        or {*map(type, times)} != {int}
        or type(read.variants) is not bytes
    ):
        raise TokenRejected("the token's claims cannot be read")
    return read


def _networks(claim: object) -> tuple[Network, ...]:
    """The prefixes of a ``catnip`` claim; raises ``ValueError`` where it has anything else.

    An appliance knows no autonomous systems, so a token that names one opens nothing.
    """
    if not isinstance(claim, list) or not 1 <= len(claim) <= MAX_NETWORKS:
        raise ValueError("no list of networks")
    if not all(isinstance(each, ipaddress.IPv4Network | ipaddress.IPv6Network) for each in claim):
        raise ValueError("a network that is no prefix of addresses")
    return tuple(claim)


def _prefix(network: Network) -> cbor2.CBORTag:
    """RFC 9164, section 3.1.2: the length, and the bytes of the prefix without zeros at its end."""
    tag = TAG_IPV4 if network.version == 4 else TAG_IPV6
    return cbor2.CBORTag(tag, [network.prefixlen, network.network_address.packed.rstrip(b"\0")])


def _parts(token: str) -> tuple[str, bytes, bytes]:
    """Key id, payload and tag as they stand in the token; nothing is proven of them yet."""
    if not _TOKEN.fullmatch(token):
        raise TokenRejected("the token is not one of ours")
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        kid, at = _byte_string(raw, len(_HEAD))
        payload, at = _byte_string(raw, at)
        tag, at = _byte_string(raw, at)
        kid_text = kid.decode()
    except ValueError as error:
        raise TokenRejected("the token cannot be read") from error
    if not raw.startswith(_HEAD) or at != len(raw) or _base64url(raw) != token:
        raise TokenRejected("the token is not one of ours")
    return kid_text, payload, tag


def _byte_string(raw: bytes, at: int) -> tuple[bytes, int]:
    """The CBOR byte string at ``at``, in its shortest form, and where the next item begins."""
    head = raw[at : at + 3]
    if head[:1] and 0x40 <= head[0] < 0x58:
        size, start = head[0] - 0x40, at + 1
    elif head[:1] == b"\x58" and len(head) >= 2 and head[1] >= 24:
        size, start = head[1], at + 2
    elif head[:1] == b"\x59" and len(head) == 3 and head[1] > 0:
        size, start = head[1] << 8 | head[2], at + 3
    else:
        raise ValueError("no byte string where one must be")
    if start + size > len(raw):
        raise ValueError("the byte string is cut off")
    return raw[start : start + size], start + size


def _tag(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, _MAC_HEAD + cbor2.dumps(payload), "sha256")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
