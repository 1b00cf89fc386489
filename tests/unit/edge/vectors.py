"""Tokens and what a verifier must say of them: Python, the agent, njs and nginx answer alike.

``status`` is what ``AUDIENCE`` answers a client at ``CLIENT`` that asks for ``path`` with the token
at the time of the test.
"""

import base64
import hashlib
import hmac
import ipaddress
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cbor2

from cuemark.kit import cat
from cuemark.kit.cat import Claims, TokenKey
from cuemark.kit.networks import Network

AUDIENCE = "appliance-1"
VERSION = "ver_" + "0" * 26
OTHER_VERSION = "ver_" + "1" * 26
PATH = f"/{VERSION}/v1/1.m4s"
VARIANTS = bytes.fromhex("4e6f")
KEYS = (TokenKey("2026a", b"a" * 32), TokenKey("2026b", b"b" * 32))
CLIENT = "127.0.0.1"
STRANGER = TokenKey("2026a", b"x" * 32)


@dataclass(frozen=True)
class Vector:
    """One case. ``name`` says what is wrong with the token, if anything."""

    name: str
    token: str
    path: str
    status: int

    @property
    def allowed(self) -> bool:
        return self.status == 200


_NETWORKS: dict[str, tuple[list[str], int]] = {
    "its address": (["127.0.0.1/32"], 200),
    "its network": (["127.0.0.0/9"], 200),
    "its network among others": (["2001:db8::/32", "192.0.2.0/24", "127.0.0.0/8"], 200),
    "every network of IPv4": (["0.0.0.0/0"], 200),
    "the address beside": (["127.0.0.0/32"], 403),
    "another network": (["126.0.0.0/8", "192.0.2.0/24"], 403),
    "every network of IPv6": (["::/0"], 403),
    "the same bytes of IPv6": (["7f00:1::/32"], 403),
}
_NO_NETWORKS: dict[str, object] = {
    "an autonomous system": [64500],
    "a network and an autonomous system": [cbor2.CBORTag(52, [8, b"\x7f"]), 64500],
    "none": [],
    "a text": "127.0.0.0/8",
    "texts": ["127.0.0.0/8"],
    "too many": [cbor2.CBORTag(52, [8, b"\x7f"])] * 5,
    "a network of 33 bits": [cbor2.CBORTag(52, [33, b"\x7f\0\0\1"])],
    "a network of five bytes": [cbor2.CBORTag(52, [8, b"\x7f\0\0\1\1"])],
    "another tag": [cbor2.CBORTag(53, [8, b"\x7f"])],
    "a bare address": [cbor2.CBORTag(52, b"\x7f\0\0\1")],
}


def claims(now_s: int, **changes: str | int | bytes | tuple[Network, ...]) -> Claims:
    values: dict[str, str | int | bytes | tuple[Network, ...]] = {
        "subject": "ses_1",
        "audience": AUDIENCE,
        "path_prefix": f"/{VERSION}/",
        "issued_at_s": now_s,
        "expires_at_s": now_s + 600,
    }
    return Claims(**{**values, **changes})  # type: ignore[arg-type]


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def genuine(now_s: int) -> str:
    return cat.mint(claims(now_s), KEYS[0])


def _rebuilt(now_s: int, change: Callable[[list[object]], object], outer: int = 61) -> str:
    """A token taken apart, changed and put together again; the tag stays as it was."""
    parts = list(cbor2.loads(decode(genuine(now_s))).value.value)
    inner = change(parts)
    return encode(cbor2.dumps(cbor2.CBORTag(outer, inner)))


def _with(place: int, value: object) -> Callable[[list[object]], object]:
    def change(parts: list[object]) -> object:
        parts[place] = value
        return cbor2.CBORTag(17, parts)

    return change


def _signed(now_s: int, payload: bytes) -> str:
    """A token with a right tag over any payload."""
    key = KEYS[0]
    structure = cbor2.dumps(["MAC0", cat._PROTECTED, b"", payload])
    tag = hmac.new(key.key, structure, hashlib.sha256).digest()
    parts = [cat._PROTECTED, {cat.KID: key.kid.encode()}, payload, tag]
    return encode(cbor2.dumps(cbor2.CBORTag(61, cbor2.CBORTag(17, parts))))


def _payload(now_s: int, **changes: object) -> bytes:
    """The claims as a map with some of them replaced; None leaves one out."""
    numbers = {"sub": cat.SUB, "aud": cat.AUD, "exp": cat.EXP, "iat": cat.IAT, "catu": cat.CATU}
    numbers |= {"variants": cat.WMPATTERN, "catnip": cat.CATNIP}
    held: dict[int, object] = {
        cat.SUB: "ses_1",
        cat.AUD: AUDIENCE,
        cat.EXP: now_s + 600,
        cat.IAT: now_s,
        cat.CATU: {cat.URI_PATH: {cat.MATCH_PREFIX: f"/{VERSION}/"}},
    }
    for name, value in changes.items():
        held[numbers[name]] = value
    return cbor2.dumps({number: value for number, value in held.items() if value is not None})


def vectors(now_s: int) -> Iterator[Vector]:
    """Every case, for tokens of about ``now_s``."""
    good = genuine(now_s)
    raw = decode(good)
    for name, token in {
        "genuine": good,
        "of the other key": cat.mint(claims(now_s), KEYS[1]),
        "with a row of variants": cat.mint(claims(now_s, variants=VARIANTS), KEYS[0]),
        "of another session": cat.mint(claims(now_s, subject="ses_2"), KEYS[0]),
        "with a claim unknown here": _signed(
            now_s,
            cbor2.dumps({**cbor2.loads(_payload(now_s)), 9999: [1, -7, b"x", {"y": "z"}]}),
        ),
    }.items():
        yield Vector(name, token, PATH, 200)
    yield Vector("other version", good, f"/{OTHER_VERSION}/v1/1.m4s", 403)
    for name, (networks, status) in _NETWORKS.items():
        bound = tuple(map(ipaddress.ip_network, networks))
        token = cat.mint(claims(now_s, networks=bound), KEYS[0])
        yield Vector(f"bound to {name}", token, PATH, status)
    refused = {
        "none": "x",
        "past its time": cat.mint(claims(now_s, expires_at_s=now_s - 1), KEYS[0]),
        "for another appliance": cat.mint(claims(now_s, audience="appliance-2"), KEYS[0]),
        "forged with another key": cat.mint(claims(now_s), STRANGER),
        "of an unknown key": cat.mint(claims(now_s), TokenKey("2027z", b"a" * 32)),
        "with the name of a method for a key": cat.mint(
            claims(now_s), TokenKey("constructor", b"")
        ),
        "with an empty kid": cat.mint(claims(now_s), TokenKey("", KEYS[0].key)),
        "with alg none": _rebuilt(now_s, _with(0, cbor2.dumps({1: 0}))),
        "with no protected header": _rebuilt(now_s, _with(0, b"")),
        "with alg HMAC 256/64": _rebuilt(now_s, _with(0, cbor2.dumps({1: 4}))),
        "with alg ES256": _rebuilt(now_s, _with(0, cbor2.dumps({1: -7}))),
        "with an empty tag": _rebuilt(now_s, _with(3, b"")),
        "with a tag cut short": _rebuilt(now_s, _with(3, raw[-32:-16])),
        "with a tag of zeros": _rebuilt(now_s, _with(3, bytes(32))),
        "with a longer tag": _rebuilt(now_s, _with(3, raw[-32:] + b"\0")),
        "with a text for a tag": _rebuilt(now_s, _with(3, "x" * 32)),
        "with the kid as text": _rebuilt(now_s, _with(1, {4: "2026a"})),
        "with a second header": _rebuilt(now_s, _with(1, {4: b"2026a", 1: 5})),
        "as COSE_Sign1": _rebuilt(now_s, lambda parts: cbor2.CBORTag(18, parts)),
        "without the CWT tag": encode(raw[2:]),
        "with another outer tag": _rebuilt(now_s, lambda parts: cbor2.CBORTag(17, parts), 62),
        "with bytes after it": encode(raw + b"\0"),
        "twice": encode(raw + raw),
        "cut off": encode(raw[:-1]),
        "cut off in the kid": encode(raw[:12]),
        "with a bit turned in the payload": encode(_turned(raw, 60)),
        "with a bit turned in the tag": encode(_turned(raw, len(raw) - 1)),
        "with a length that says more than there is": encode(raw[:16] + b"\x59\xff\xff"),
        "with an endless length": encode(raw[:10] + b"\x5f" + raw[11:]),
        "spelled with a longer length": encode(_long_length(raw)),
        "with padding": good + "=",
        "in the other alphabet": encode(bytes([0xD8, 0x3D])) + "+/" + good[4:],
        "with another spelling of its last letter": _respelled(good),
        "of a thousand arrays": encode(b"\x81" * 700),
        "huge": "A" * 3000,
        "with a float for its time": _signed(now_s, _payload(now_s, exp=now_s + 600.5)),
        "with a text for its time": _signed(now_s, _payload(now_s, exp=str(now_s + 600))),
        "without a time": _signed(now_s, _payload(now_s, exp=None)),
        "without an audience": _signed(now_s, _payload(now_s, aud=None)),
        "without a session": _signed(now_s, _payload(now_s, sub=None)),
        "without a path": _signed(now_s, _payload(now_s, catu=None)),
        "with another kind of match": _signed(
            now_s, _payload(now_s, catu={cat.URI_PATH: {2: ".m4s"}})
        ),
        "with bytes for a prefix": _signed(
            now_s, _payload(now_s, catu={cat.URI_PATH: {cat.MATCH_PREFIX: b"/"}})
        ),
        "with a text for a row of variants": _signed(now_s, _payload(now_s, variants="4e6f")),
        **{
            f"with {name} for its networks": _signed(now_s, _payload(now_s, catnip=claim))
            for name, claim in _NO_NETWORKS.items()
        },
        "with a list for claims": _signed(now_s, cbor2.dumps([1, 2, 3, 4, 5, 6, 7])),
        "with a number for claims": _signed(now_s, cbor2.dumps(7)),
        "with no claims": _signed(now_s, b""),
        "with claims cut off": _signed(now_s, _payload(now_s)[:-1]),
    }
    for name, token in refused.items():
        yield Vector(name, token, PATH, 401)


def _turned(raw: bytes, at: int) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1
    return bytes(changed)


def _long_length(raw: bytes) -> bytes:
    """The same token with the length of its kid in two bytes where one would do."""
    at = raw.index(b"\x45" + KEYS[0].kid.encode())
    return raw[:at] + b"\x58\x05" + raw[at + 1 :]


def _respelled(token: str) -> str:
    """The same bytes, where base64url leaves bits unused in the last letter."""
    for letter in string.ascii_letters + string.digits + "-_":
        other = token[:-1] + letter
        if other != token and decode(other) == decode(token):
            return other
    return token + "A"
