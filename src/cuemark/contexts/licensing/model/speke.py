"""SPEKE v2.0 (AWS, *SPEKE API v2*): CPIX documents by which keys are asked for and given.

An encryptor names the keys that it wants, with ids of its own; the key server answers with the same
document, filled in. An answer is held against what was asked: what is used to encrypt must be the
keys that were asked for, each one once, and no two alike.
"""

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cuemark.contexts.licensing.model import systems
from cuemark.contexts.licensing.model.cpix import (
    CpixInvalid,
    Document,
    DocumentKey,
    DocumentSystem,
    KeyPeriod,
    UsageRule,
)
from cuemark.contexts.licensing.model.keys import MAX_PERIODS
from cuemark.contexts.licensing.model.systems import PsshInvalid
from cuemark.contracts.protection import SYSTEM_IDS, KeySignal, Scheme, System

VERSION = "2.0"
VERSION_HEADER, AGENT_HEADER = "x-speke-version", "x-speke-user-agent"
MEDIA_TYPE = "application/xml"
KEY_BYTES = IV_BYTES = 16

PIXELS: Mapping[str, tuple[int | None, int | None]] = {
    "SD": (None, 1024 * 576),
    "HD": (1024 * 576 + 1, 1920 * 1080),
    "UHD1": (1920 * 1080 + 1, 4096 * 2160),
    "UHD2": (4096 * 2160 + 1, None),
}
"""The fewest and the most pixels of each label (PRESET-VIDEO-4), as packaging has them."""

_EVERY = "ALL"
_ASKED_OF_ALL = ("pssh",)
_ASKED: Mapping[System, tuple[str, ...]] = {"fairplay": ("media",)}
_CONTENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TRACK_TYPE = re.compile(r"[A-Z][A-Z0-9_+]{0,31}")
_SKD = re.compile(r'URI="(skd://[!#-z|~]{1,500})"')
_SYSTEMS: Mapping[str, System] = {
    system_id: system for system, system_id in SYSTEM_IDS.items() if system != "common"
}


@dataclass(frozen=True)
class GivenKey:
    """A key as a server gave it for a label; ``iv`` (hex) is its own, or made here."""

    label: str
    kid: str
    key: bytes = field(repr=False)
    iv: str
    signals: tuple[KeySignal, ...]
    period: int = 0


def request_of(
    content_id: str,
    kids: Mapping[str, str],
    scheme: Scheme,
    named: Sequence[System],
    period: int | None = None,
) -> Document:
    """What asks for a key of each label, whose ids are ``kids``, to be named to systems.

    ``period`` is the crypto period that they are for, where the content has several.
    """
    period_id = "" if period is None else f"period-{period}"
    asked = [system for system in named if system != "common"]
    wanted = [
        DocumentSystem(kid, SYSTEM_IDS[system], asks=_ASKED.get(system, _ASKED_OF_ALL))
        for kid in kids.values()
        for system in asked
    ]
    return Document(
        content_id,
        tuple(DocumentKey(kid, scheme=scheme) for kid in kids.values()),
        tuple(wanted),
        tuple(
            UsageRule(kid, label, label not in PIXELS, *PIXELS.get(label, (None, None)), period_id)
            for label, kid in kids.items()
        ),
        () if period is None else (KeyPeriod(period_id, period),),
    )


def given_keys(
    answer: Document,
    content_id: str,
    kids: Mapping[str, str],
    named: Sequence[System],
    period: int = 0,
) -> list[GivenKey]:
    """The keys of an answer to ``request_of``; raises ``CpixInvalid`` where it is none."""
    if answer.content_id not in ("", content_id):
        raise CpixInvalid("it is about other content than was asked for")
    labels = {kid: label for label, kid in kids.items()}
    found: dict[str, DocumentKey] = {}
    for key in answer.keys:
        if key.kid not in labels:
            raise CpixInvalid("it gives a key that was not asked for")
        label = labels[key.kid]
        if label in found:
            raise CpixInvalid(f"it gives the key for {label} twice")
        if not key.key:
            raise CpixInvalid(f"it gives no key for {label}")
        if len(key.key) != KEY_BYTES:
            raise CpixInvalid(f"the key for {label} has {len(key.key)} bytes, not {KEY_BYTES}")
        if len(key.iv) not in (0, IV_BYTES):
            raise CpixInvalid(f"the IV for {label} has {len(key.iv)} bytes, not {IV_BYTES}")
        found[label] = key
    for label in kids:
        if label not in found:
            raise CpixInvalid(f"it gives no key for {label}")
    if len({key.key for key in found.values()}) != len(found):
        raise CpixInvalid("it gives the same key for two labels")
    return [
        GivenKey(
            label,
            kid,
            found[label].key,
            found[label].iv.hex() or secrets.token_hex(IV_BYTES),
            _signals(answer, kid, label, named),
            period,
        )
        for label, kid in kids.items()
    ]


def _signals(
    answer: Document, kid: str, label: str, named: Sequence[System]
) -> tuple[KeySignal, ...]:
    """What the answer says of how a key is named; a system that it says nothing of has none."""
    signals: dict[System, KeySignal] = {}
    for told in answer.systems:
        system = _SYSTEMS.get(told.system_id)
        if told.kid != kid or system is None or system not in named:
            continue
        if system == "fairplay":
            if address := _SKD.search(told.media):
                signals[system] = systems.of_skd(address[1])
        elif told.pssh:
            try:
                signals[system] = systems.of_pssh(system, kid, told.pssh)
            except PsshInvalid as error:
                raise CpixInvalid(f"the PSSH of {system} for {label} is wrong: {error}") from error
    return tuple(signals.values())


def wanted_labels(request: Document) -> dict[str, str]:
    """The label of each key id that a request asks a key for; raises ``CpixInvalid``.

    The label is what SPEKE calls the tracks that a key is for, ALL where the request does not say.
    """
    if not _CONTENT_ID.fullmatch(request.content_id):
        raise CpixInvalid("its content id has other characters than letters, digits, - and _")
    if not request.keys:
        raise CpixInvalid("it asks for no key")
    types: dict[str, set[str]] = {}
    for rule in request.rules:
        types.setdefault(rule.kid, set()).add(rule.track_type)
    found: dict[str, str] = {}
    for key in request.keys:
        if key.key:
            raise CpixInvalid("it has a key in it, where it should ask for one")
        if key.kid in found:
            raise CpixInvalid("it asks for one key twice")
        told = types.get(key.kid, {""})
        label = next(iter(told)) or _EVERY
        if len(told) > 1 or not _TRACK_TYPE.fullmatch(label):
            raise CpixInvalid("it says of a key for several kinds of tracks, or for none there is")
        found[key.kid] = label
    periods = wanted_periods(request)
    if len({(label, periods[kid]) for kid, label in found.items()}) != len(found):
        raise CpixInvalid("it asks for two keys for one kind of track")
    return found


def wanted_periods(request: Document) -> dict[str, int]:
    """The crypto period of each key id that a request asks a key for, 0 where it names none;
    raises ``CpixInvalid``."""
    indexes = {period.period_id: period.index for period in request.periods}
    if len(indexes) != len(request.periods) or any(
        index >= MAX_PERIODS for index in indexes.values()
    ):
        raise CpixInvalid(f"its periods have one id twice, or more than {MAX_PERIODS}")
    named = {rule.kid: rule.period_id for rule in request.rules if rule.period_id}
    if not set(named.values()) <= indexes.keys():
        raise CpixInvalid("it has a key for a period that it does not list")
    if any(rule.period_id != named.get(rule.kid, "") for rule in request.rules):
        raise CpixInvalid("it has a key for more than one period")
    return {key.kid: indexes[named[key.kid]] if key.kid in named else 0 for key in request.keys}


def scheme_of(request: Document) -> Scheme:
    """The scheme that a request says it uses its keys by; raises ``CpixInvalid``."""
    told = {key.scheme for key in request.keys}
    if told == {"cenc"}:
        return "cenc"
    if told <= {"cbcs", ""}:
        return "cbcs"
    raise CpixInvalid("it has keys for other schemes than one of cbcs and cenc")


def systems_of(request: Document) -> list[System]:
    """The DRM systems to which a request wants its keys named, those that are known here."""
    found = [_SYSTEMS[each.system_id] for each in request.systems if each.system_id in _SYSTEMS]
    return list(dict.fromkeys(found))


def answer_of(
    request: Document, keys: Mapping[str, DocumentKey], signals: Mapping[str, Sequence[KeySignal]]
) -> Document:
    """The request, filled in: ``keys`` and how they are named, by key id.

    Of a system it has what the request asks for, or all where it asks for nothing by name.
    """
    methods = {"cbcs": "SAMPLE-AES", "cenc": "SAMPLE-AES-CTR"}
    filled = []
    for asked in request.systems:
        system = _SYSTEMS.get(asked.system_id)
        for signal in signals.get(asked.kid, ()):
            if signal.system == system:
                attributes = f"METHOD={methods[scheme_of(request)]},{signal.hls_attributes}"
                wants = asked.asks or ("pssh", "media", "master")
                filled.append(
                    DocumentSystem(
                        asked.kid,
                        asked.system_id,
                        base64.b64decode(signal.pssh) if "pssh" in wants else b"",
                        f"#EXT-X-KEY:{attributes}" if "media" in wants else "",
                        f"#EXT-X-SESSION-KEY:{attributes}" if "master" in wants else "",
                    )
                )
    return Document(
        request.content_id,
        tuple(keys[key.kid] for key in request.keys),
        tuple(filled),
        request.rules,
        request.periods,
    )
