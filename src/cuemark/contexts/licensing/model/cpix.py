"""CPIX documents (DASH-IF Implementation Guidelines: Content Protection Information Exchange Format
2.3), as far as keys are exchanged with them: content keys, DRM systems, key periods, usage rules.

What is read comes from others: it is bounded, external entities and document types are refused, and
elements that are not known here are passed over. Key ids are hex here and UUIDs there.
"""

import base64
import binascii
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError, SubElement

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

MAX_BYTES = 256 << 10
MAX_KEYS, MAX_SYSTEMS, MAX_RULES, MAX_PERIODS = 32, 256, 64, 32
MAX_TEXT = 128
CPIX = "{urn:dashif:org:cpix}"
PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"
VERSION = "2.3"


class CpixInvalid(ValueError):
    """The bytes are no CPIX document that can be used; the text says why in half a sentence."""


@dataclass(frozen=True)
class DocumentKey:
    """A content key of a document; ``key`` is empty in a request. ``scheme`` may be any text."""

    kid: str
    key: bytes = field(default=b"", repr=False)
    iv: bytes = b""
    scheme: str = ""


@dataclass(frozen=True)
class DocumentSystem:
    """What a DRM system needs for a key.

    ``media`` and ``master`` are the lines of playlists that name the key. A request has none of
    these and ``asks`` for some, by their names.
    """

    kid: str
    system_id: str
    pssh: bytes = b""
    media: str = ""
    master: str = ""
    asks: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyPeriod:
    """A crypto period: the one of this ``index`` in its content. Rules name it by ``period_id``."""

    period_id: str
    index: int


@dataclass(frozen=True)
class UsageRule:
    """Which tracks a key is for: of sound, or pictures of so many pixels (ends included; None for
    no limit). ``track_type`` is what SPEKE calls them, and ``period_id`` the period, if it is for
    one alone."""

    kid: str
    track_type: str
    of_sound: bool
    min_pixels: int | None = None
    max_pixels: int | None = None
    period_id: str = ""


@dataclass(frozen=True)
class Document:
    content_id: str
    keys: tuple[DocumentKey, ...]
    systems: tuple[DocumentSystem, ...] = ()
    rules: tuple[UsageRule, ...] = ()
    periods: tuple[KeyPeriod, ...] = ()


class Sealer(Protocol):
    """Puts keys into a document so that only its reader opens them."""

    def describe(self, root: Element) -> None: ...

    def seal(self, secret: Element, key: bytes) -> None: ...


class Opener(Protocol):
    """Opens keys that are not in the clear."""

    def open(self, root: Element, secret: Element) -> bytes: ...


def write(document: Document, sealer: Sealer | None = None) -> bytes:
    """The document in XML; without a ``sealer`` its keys are in the clear."""
    ElementTree.register_namespace("cpix", CPIX[1:-1])
    ElementTree.register_namespace("pskc", PSKC[1:-1])
    root = Element(f"{CPIX}CPIX", {"contentId": document.content_id, "version": VERSION})
    if sealer is not None:
        sealer.describe(root)
    listed = SubElement(root, f"{CPIX}ContentKeyList")
    for key in document.keys:
        _write_key(SubElement(listed, f"{CPIX}ContentKey"), key, sealer)
    if document.systems:
        listed = SubElement(root, f"{CPIX}DRMSystemList")
        for system in document.systems:
            _write_system(SubElement(listed, f"{CPIX}DRMSystem"), system)
    if document.periods:
        listed = SubElement(root, f"{CPIX}ContentKeyPeriodList")
        for period in document.periods:
            named = {"id": period.period_id, "index": str(period.index)}
            SubElement(listed, f"{CPIX}ContentKeyPeriod", named)
    if document.rules:
        listed = SubElement(root, f"{CPIX}ContentKeyUsageRuleList")
        for rule in document.rules:
            _write_rule(SubElement(listed, f"{CPIX}ContentKeyUsageRule"), rule)
    written: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def read(data: bytes, opener: Opener | None = None) -> Document:
    """The document in ``data``; raises ``CpixInvalid``, also where a key does not open."""
    root = tree_of(data)
    keys = [
        _read_key(each, root, opener)
        for each in _listed(root, "ContentKeyList", "ContentKey", MAX_KEYS)
    ]
    systems = [
        _read_system(each) for each in _listed(root, "DRMSystemList", "DRMSystem", MAX_SYSTEMS)
    ]
    rules = [
        _read_rule(each)
        for each in _listed(root, "ContentKeyUsageRuleList", "ContentKeyUsageRule", MAX_RULES)
    ]
    periods = [
        _read_period(each)
        for each in _listed(root, "ContentKeyPeriodList", "ContentKeyPeriod", MAX_PERIODS)
    ]
    # SPEKE 1 and CPIX before 2.1 had the content's name in `id`.
    content_id = _short(root.get("contentId") or root.get("id") or "", "content id")
    return Document(content_id, tuple(keys), tuple(systems), tuple(rules), tuple(periods))


def tree_of(data: bytes) -> Element:
    """The root of a document; raises ``CpixInvalid``."""
    if len(data) > MAX_BYTES:
        raise CpixInvalid(f"it has more than {MAX_BYTES} bytes")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise CpixInvalid("it is no XML, or has a document type") from error
    if root.tag != f"{CPIX}CPIX":
        raise CpixInvalid("it is XML, and no CPIX")
    return root


def bytes_of(text: str | None, what: str) -> bytes:
    """Base64, which may be broken into lines; raises ``CpixInvalid``."""
    try:
        return base64.b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CpixInvalid(f"its {what} is no base64") from error


def _listed(root: Element, name: str, each: str, most: int) -> Sequence[Element]:
    found = root.findall(f"{CPIX}{name}/{CPIX}{each}")
    if len(found) > most:
        raise CpixInvalid(f"it has more than {most} elements {each}")
    return found


def _write_key(element: Element, key: DocumentKey, sealer: Sealer | None) -> None:
    element.set("kid", str(UUID(key.kid)))
    if key.iv:
        element.set("explicitIV", base64.b64encode(key.iv).decode())
    if key.scheme:
        element.set("commonEncryptionScheme", key.scheme)
    if not key.key:
        return
    secret = SubElement(SubElement(element, f"{CPIX}Data"), f"{PSKC}Secret")
    if sealer is None:
        SubElement(secret, f"{PSKC}PlainValue").text = base64.b64encode(key.key).decode()
    else:
        sealer.seal(secret, key.key)


def _read_key(element: Element, root: Element, opener: Opener | None) -> DocumentKey:
    secret = element.find(f"{CPIX}Data/{PSKC}Secret")
    plain = None if secret is None else secret.find(f"{PSKC}PlainValue")
    key = b""
    if plain is not None:
        if opener is not None:
            raise CpixInvalid("its keys are in the clear, where they were to be encrypted")
        key = bytes_of(plain.text, "key")
    elif secret is not None and secret.find(f"{PSKC}EncryptedValue") is not None:
        if opener is None:
            raise CpixInvalid("its keys are encrypted, and to nobody here")
        key = opener.open(root, secret)
    scheme = _short(element.get("commonEncryptionScheme", ""), "scheme")
    return DocumentKey(_kid(element), key, bytes_of(element.get("explicitIV"), "IV"), scheme)


def _write_system(element: Element, system: DocumentSystem) -> None:
    element.set("kid", str(UUID(system.kid)))
    element.set("systemId", system.system_id)
    if system.pssh or "pssh" in system.asks:
        SubElement(element, f"{CPIX}PSSH").text = base64.b64encode(system.pssh).decode()
    for playlist, lines in (("media", system.media), ("master", system.master)):
        if lines or playlist in system.asks:
            told = SubElement(element, f"{CPIX}HLSSignalingData", {"playlist": playlist})
            told.text = base64.b64encode(lines.encode()).decode()


def _read_system(element: Element) -> DocumentSystem:
    found = {"pssh": bytes_of(element.findtext(f"{CPIX}PSSH"), "PSSH")}
    there = {"pssh"} if element.find(f"{CPIX}PSSH") is not None else set()
    for told in element.findall(f"{CPIX}HLSSignalingData"):
        playlist = told.get("playlist", "media")
        found[playlist] = bytes_of(told.text, "HLS signaling")
        there.add(playlist)
    return DocumentSystem(
        _kid(element),
        element.get("systemId", "").lower(),
        found["pssh"],
        found.get("media", b"").decode("utf-8", "replace"),
        found.get("master", b"").decode("utf-8", "replace"),
        tuple(name for name in ("pssh", "media", "master") if name in there and not found[name]),
    )


def _write_rule(element: Element, rule: UsageRule) -> None:
    element.set("kid", str(UUID(rule.kid)))
    if rule.track_type:
        element.set("intendedTrackType", rule.track_type)
    if rule.period_id:
        SubElement(element, f"{CPIX}KeyPeriodFilter", {"periodId": rule.period_id})
    if rule.of_sound:
        SubElement(element, f"{CPIX}AudioFilter")
        return
    pixels = SubElement(element, f"{CPIX}VideoFilter")
    for name, value in (("minPixels", rule.min_pixels), ("maxPixels", rule.max_pixels)):
        if value is not None:
            pixels.set(name, str(value))


def _read_rule(element: Element) -> UsageRule:
    pixels = element.find(f"{CPIX}VideoFilter")
    least, most = (None, None) if pixels is None else map(pixels.get, ("minPixels", "maxPixels"))
    return UsageRule(
        _kid(element),
        _short(element.get("intendedTrackType", ""), "track type"),
        element.find(f"{CPIX}AudioFilter") is not None,
        _pixels(least),
        _pixels(most),
        _period_of(element),
    )


def _period_of(rule: Element) -> str:
    filters = rule.findall(f"{CPIX}KeyPeriodFilter")
    if len(filters) > 1:
        raise CpixInvalid("it has a key for more than one period")
    return _short(filters[0].get("periodId", ""), "period id") if filters else ""


def _read_period(element: Element) -> KeyPeriod:
    index = element.get("index", "")
    if not (index.isascii() and index.isdigit() and len(index) <= 9):
        raise CpixInvalid("it has a period that no index tells of")
    return KeyPeriod(_short(element.get("id", ""), "period id"), int(index))


def _pixels(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise CpixInvalid("it has a filter whose limit is no number")
    return int(text)


def _kid(element: Element) -> str:
    try:
        return UUID(element.get("kid", "")).hex
    except ValueError as error:
        raise CpixInvalid("it has a key id that is no UUID") from error


def _short(text: str, what: str) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise CpixInvalid(f"its {what} is longer than {MAX_TEXT} characters, or no text")
    return text
