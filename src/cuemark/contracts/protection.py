"""The words of content protection that several contracts share."""

from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

Scheme = Literal["cbcs", "cenc"]
"""How samples are encrypted (ISO/IEC 23001-7 section 10)."""

System = Literal["common", "widevine", "playready", "fairplay"]
"""A DRM system, in whose own words a manifest may name a key. ``common`` is that of ISO/IEC 23001-7
section 8.1 and W3C's "cenc" initialization data, which has no licence server of its own."""

Robustness = Literal["software", "hardware"]
"""How well a device keeps keys and frames from its owner. ``hardware`` is Widevine's L1,
PlayReady's SL3000, and FairPlay; all else is ``software``, ClearKey always."""

LEVELS: tuple[Robustness, ...] = get_args(Robustness)
"""The least first."""

Hdcp = Literal["1.4", "2.0", "2.2"]
"""The least version of HDCP by which pictures may leave a device, as W3C's registry of versions for
Encrypted Media Extensions writes it."""

Label = Literal["AUDIO", "SD", "HD", "UHD1", "UHD2"]
Demands = Mapping[Label, Robustness]
"""What the keys of a label demand of a device; one that is not named demands software."""

ScreenHdcp = Literal["none", "1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1", "2.2", "2.3"]
"""The newest version of HDCP that protects the way from a device to its screen."""

HdcpDemands = Mapping[Label, Hdcp]
"""What pictures demand, by the label of their key, of the way to a screen; one that is not named
demands nothing."""

AUDIO = "AUDIO"
"""The label of the key of all sounds; those of pictures go by their size."""

LEAST_PERIOD_S = 60
"""No person may have keys that are used for a shorter time: each boundary asks for licences."""

SYSTEM_IDS: dict[System, str] = {
    "common": "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b",
    "widevine": "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
    "playready": "9a04f079-9840-4286-ab92-e65be0885f95",
    "fairplay": "94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
}
"""As DASH-IF registers them (dashif.org/identifiers/content_protection)."""


class KeySignal(msgspec.Struct, frozen=True, kw_only=True):
    """How manifests name a key to one DRM system.

    ``pssh`` is a whole ``pssh`` box and ``pro`` a PlayReady Object, both in base64;
    ``hls_attributes`` are those of an EXT-X-KEY (rfc8216bis section 4.4.4.4) but for METHOD. What
    the system has no use for is empty.
    """

    system: System
    pssh: str = ""
    pro: str = ""
    hls_attributes: str = ""


def may_be_period(seconds: float) -> bool:
    """Whether a person may have keys that are used for so long, or with 0 for a whole film."""
    return seconds == 0 or seconds >= LEAST_PERIOD_S


def reaches(level: Robustness, label: str, demands: Demands) -> bool:
    """Whether a device of this level may have the keys of ``label``."""
    demanded = next((needs for named, needs in demands.items() if named == label), LEVELS[0])
    return LEVELS.index(level) >= LEVELS.index(demanded)


def protects(hdcp: ScreenHdcp, label: str, demands: HdcpDemands) -> bool:
    """Whether the way to a screen is protected as pictures of ``label`` demand."""
    versions: tuple[str, ...] = get_args(ScreenHdcp)
    demanded = next((needs for named, needs in demands.items() if named == label), versions[0])
    return versions.index(hdcp) >= versions.index(demanded)
