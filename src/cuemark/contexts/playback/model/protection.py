"""What manifests say of a version's keys: scheme, key ids, and the systems that may have the keys.

A DRM system is signalled where the version was packaged for it and the install still names it: one
without a licence server would only mislead players.
"""

from dataclasses import dataclass, field

import msgspec

from cuemark.contexts.playback.model import xml
from cuemark.contexts.playback.model.presentation import Span
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.playback.devices import Capabilities
from cuemark.contracts.protection import (
    AUDIO,
    SYSTEM_IDS,
    Demands,
    HdcpDemands,
    KeySignal,
    Robustness,
    Scheme,
    System,
    reaches,
)

NAMESPACES = {"xmlns:mspr": "urn:microsoft:playready", "xmlns:dashif": "https://dashif.org/CPS"}
_METHODS: dict[Scheme, str] = {"cbcs": "SAMPLE-AES", "cenc": "SAMPLE-AES-CTR"}
_PROTECTION = "urn:mpeg:dash:mp4protection:2011"
_CLEARKEY = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
_NAMES: dict[System, str] = {
    "common": "common",
    "widevine": "Widevine",
    "playready": "MSPR 2.0",
    "fairplay": "FairPlay",
}


@dataclass(frozen=True)
class Offer:
    """How an install lets members have keys: the DRM systems that it names, the preferred first,
    whether ClearKey is among the ways, and what keys demand of devices by their labels, and
    pictures of the way to a screen."""

    systems: tuple[System, ...] = ()
    clearkey: bool = True
    demands: Demands = field(default_factory=dict)
    hdcp: HdcpDemands = field(default_factory=dict)


CLEARKEY_ALONE = Offer()


def offered(version: Version, offer: Offer) -> list[System]:
    """The DRM systems by which a play of ``version`` may get its keys, the preferred first."""
    signalled = {signal.system for signals in version.signals.values() for signal in signals}
    return [system for system in offer.systems if system in signalled]


def of_hls(version: Version, offer: Offer) -> list[System]:
    """Those of ``offered`` that have playlists in HLS."""
    named = {
        signal.system
        for signals in version.signals.values()
        for signal in signals
        if signal.hls_attributes
    }
    return [system for system in offered(version, offer) if system in named]


def level_of(version: Version, offer: Offer, said: Capabilities) -> Robustness:
    """What a play can reach that says so much of its device: without a DRM system's licence server,
    which finds out, no more than software. A device that does not say its system may have any."""
    proving = [system for system in offered(version, offer) if system != "common"]
    if said.system is not None and said.system not in proving:
        return "software"
    return said.robustness if proving else "software"


def within(version: Version, level: Robustness, offer: Offer) -> Version:
    """The version without the renditions whose keys demand more than this level."""
    return msgspec.structs.replace(
        version,
        renditions=[
            each for each in version.renditions if reaches(level, each.label, offer.demands)
        ],
        audio=version.audio if reaches(level, AUDIO, offer.demands) else [],
    )


def keyed(version: Version, span: Span) -> Version:
    """The version as if the keys of a stretch were those of all of it."""
    if not span.kids:
        return version
    return msgspec.structs.replace(
        version,
        renditions=[
            msgspec.structs.replace(each, kid=span.kids[each.label]) for each in version.renditions
        ],
        audio=[msgspec.structs.replace(each, kid=span.kids[AUDIO]) for each in version.audio],
    )


LICENCES = "<licences>"
"""Where the address of a session's licences goes: no text of a manifest can hold this."""


def content_protection(version: Version, kid: str, offer: Offer) -> list[str]:
    """The elements by which players of DASH know scheme, key and systems (DASH-IF IOP part 6).

    The licences of a DRM system are at the child ``/<system>`` of ``LICENCES``; ClearKey's address
    is not told, because it would overrule the player's own.
    """
    named = {"schemeIdUri": _PROTECTION, "value": version.scheme, "cenc:default_KID": _uuid(kid)}
    found = [xml.element("ContentProtection", named)]
    signals = {signal.system: signal for signal in version.signals.get(kid, ())}
    for system in offered(version, offer):
        if system in signals and signals[system].pssh:
            found.append(_of_system(signals[system]))
    if offer.clearkey:
        found.append(xml.descriptor("ContentProtection", _CLEARKEY, "ClearKey1.0"))
    return found


def session_keys(version: Version, system: System) -> list[str]:
    """The keys of a session as a multivariant playlist tells them early (rfc8216bis section
    4.4.6.5), each once; where keys change, those with which the film begins."""
    labels = {each.label for each in version.renditions} | {AUDIO}
    first = {each.kid for each in version.renditions} | {each.kid for each in version.audio}
    if version.periods:
        first = {kid for label, kid in version.periods[0].kids.items() if label in labels}
    lines = [
        f"#EXT-X-SESSION-KEY:METHOD={_METHODS[version.scheme]},{signal.hls_attributes}"
        for kid, signals in version.signals.items()
        for signal in signals
        if signal.system == system and kid in first
    ]
    return list(dict.fromkeys(lines))


def _of_system(signal: KeySignal) -> str:
    content = [xml.element("cenc:pssh", {}, xml.text(signal.pssh))]
    if signal.pro:
        content.append(xml.element("mspr:pro", {}, xml.text(signal.pro)))
    if signal.system != "common":
        content.append(xml.element("dashif:Laurl", {}, f"{LICENCES}/{signal.system}"))
    scheme = f"urn:uuid:{SYSTEM_IDS[signal.system]}"
    return xml.descriptor("ContentProtection", scheme, _NAMES[signal.system], *content)


def _uuid(kid: str) -> str:
    return "-".join((kid[:8], kid[8:12], kid[12:16], kid[16:20], kid[20:]))
