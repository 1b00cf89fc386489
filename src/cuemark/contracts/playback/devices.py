"""Devices: what they say that they can play, and which of them an account has used."""

from datetime import datetime

import msgspec

from cuemark.contracts.ids import AccountId
from cuemark.contracts.protection import Robustness, ScreenHdcp, System


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a device says that it can play. It may say less than it can, and a licence server finds
    out where it says more.

    ``codecs`` are families of pictures and ``dynamic_ranges`` what its screen shows, by the names
    that renditions have; a name that is not known here is left alone. ``max_height`` is in lines,
    0 for any. ``hdcp`` protects the way to its screen. ``max_channels`` is of its speakers.
    ``system`` is the DRM system by which it takes keys, None for keys in the clear, and
    ``robustness`` how well it protects them.
    """

    codecs: list[str] = msgspec.field(default_factory=lambda: ["h264"])
    max_height: int = 1080
    dynamic_ranges: list[str] = msgspec.field(default_factory=lambda: ["sdr"])
    hdcp: ScreenHdcp = "none"
    system: System | None = None
    robustness: Robustness = "software"
    sounds: list[str] = msgspec.field(default_factory=lambda: ["aac", "opus", "eac3"])
    max_channels: int = 8


class ListDevices(msgspec.Struct, frozen=True, kw_only=True):
    """The devices on which an account has played, the latest first; there are ``MOST_DEVICES`` at
    most, of which those go first that were not used for the longest time."""

    account_id: AccountId


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """``device_id`` is what the device calls itself by, unique within its account, and ``name``
    what it calls itself for people; ``capabilities`` is what it said last."""

    device_id: str
    name: str
    first_seen_at: datetime
    seen_at: datetime
    capabilities: Capabilities | None = None


class DeviceList(msgspec.Struct, frozen=True, kw_only=True):
    devices: list[Device]


MOST_DEVICES = 100
