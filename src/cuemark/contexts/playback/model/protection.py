"""What manifests say of a version's keys: scheme, key ids, and the systems that may have the keys.

A DRM system is signalled where the version was packaged for it and the install still names it: one
without a licence server would only mislead players.
"""

from dataclasses import dataclass

from cuemark.contexts.playback.model import xml
from cuemark.contracts.encoding import Version
from cuemark.contracts.protection import SYSTEM_IDS, KeySignal, Scheme, System

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
    and whether ClearKey is among the ways."""

    systems: tuple[System, ...] = ()
    clearkey: bool = True


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


def content_protection(version: Version, kid: str, offer: Offer, licence_url: str) -> list[str]:
    """The elements by which players of DASH know scheme, key and systems (DASH-IF IOP part 6).

    The licences of a DRM system are at the child ``/<system>`` of ``licence_url``; ClearKey's
    address is not told, because it would overrule the player's own.
    """
    named = {"schemeIdUri": _PROTECTION, "value": version.scheme, "cenc:default_KID": _uuid(kid)}
    found = [xml.element("ContentProtection", named)]
    signals = {signal.system: signal for signal in version.signals.get(kid, ())}
    for system in offered(version, offer):
        if system in signals and signals[system].pssh:
            found.append(_of_system(signals[system], f"{licence_url}/{system}"))
    if offer.clearkey:
        found.append(xml.descriptor("ContentProtection", _CLEARKEY, "ClearKey1.0"))
    return found


def session_keys(version: Version, system: System) -> list[str]:
    """The keys of a session as a multivariant playlist tells them early (rfc8216bis section
    4.4.6.5), each once."""
    lines = [
        f"#EXT-X-SESSION-KEY:METHOD={_METHODS[version.scheme]},{signal.hls_attributes}"
        for signals in version.signals.values()
        for signal in signals
        if signal.system == system
    ]
    return list(dict.fromkeys(lines))


def _of_system(signal: KeySignal, licence_url: str) -> str:
    content = [xml.element("cenc:pssh", {}, xml.text(signal.pssh))]
    if signal.pro:
        content.append(xml.element("mspr:pro", {}, xml.text(signal.pro)))
    if signal.system != "common":
        content.append(xml.element("dashif:Laurl", {}, xml.text(licence_url)))
    scheme = f"urn:uuid:{SYSTEM_IDS[signal.system]}"
    return xml.descriptor("ContentProtection", scheme, _NAMES[signal.system], *content)


def _uuid(kid: str) -> str:
    return "-".join((kid[:8], kid[8:12], kid[12:16], kid[16:20], kid[20:]))
