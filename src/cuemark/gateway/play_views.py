"""What the API takes and gives about plays and the devices that they are on."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from cuemark.contracts.experiments.settings import Value
from cuemark.contracts.playback import Play
from cuemark.contracts.playback.devices import Capabilities, Device
from cuemark.contracts.protection import Robustness, ScreenHdcp, System
from cuemark.gateway.views import API, DASH_FILE, HLS_FILE, MEDIA, IdText, Line, View

DeviceId = Annotated[str, Meta(max_length=100, pattern=r"^[\x21-\x7e]*\Z")]
Name = Annotated[str, Meta(max_length=40, pattern=r"^[\x21-\x7e]*\Z")]
Names = Annotated[list[Name], Meta(max_length=32)]
Size = Annotated[int, Meta(ge=0, le=65_536)]


class CapabilitiesBody(View, frozen=True):
    """What a device says that it can play; what it leaves out is what every device can."""

    codecs: Names = msgspec.field(default_factory=lambda: ["h264"])
    max_height: Size = 1080
    dynamic_ranges: Names = msgspec.field(default_factory=lambda: ["sdr"])
    hdcp: ScreenHdcp = "none"
    system: System | None = None
    robustness: Robustness = "software"
    sounds: Names = msgspec.field(default_factory=lambda: ["aac", "opus", "eac3"])
    max_channels: Size = 8


class PlayBody(View, frozen=True):
    title_id: IdText
    device: Line = ""
    robustness: Robustness = "software"
    networks: list[Line] = msgspec.field(default_factory=list)
    device_id: DeviceId = ""
    instead_of: str = ""
    capabilities: CapabilitiesBody | None = None


class SystemView(View, frozen=True):
    """A DRM system by which a play may have its keys."""

    system: System
    licence_url: str
    hls_url: str


class PlayView(View, frozen=True):
    """``systems`` has the preferred one first. Whoever has one of the ``redirected`` addresses has
    the play's manifest and media, without a login. ``settings`` are what the player is to go by."""

    session_id: str
    title_id: str
    version_id: str
    duration_s: float
    resume_s: float
    appliances: list[str]
    dash_url: str
    hls_url: str
    licence_url: str
    progress_url: str
    expires_at: datetime
    systems: list[SystemView] = msgspec.field(default_factory=list)
    redirected_dash_url: str = ""
    redirected_hls_url: str = ""
    ads: bool = False
    settings: dict[str, Value] = msgspec.field(default_factory=dict)


class PlayDeviceView(View, frozen=True):
    """A device on which the account has played; ``capabilities`` is what it said last."""

    device_id: str
    name: str
    first_seen_at: datetime
    seen_at: datetime
    capabilities: CapabilitiesBody | None


class PlayDevicesView(View, frozen=True):
    devices: list[PlayDeviceView]


def play_view(play: Play) -> PlayView:
    here = f"{API}/plays/{play.session_id}"
    return PlayView(
        session_id=play.session_id,
        title_id=play.title_id,
        version_id=play.version_id,
        duration_s=play.duration_s,
        resume_s=play.resume_s,
        appliances=list(play.appliances),
        dash_url=f"{here}/manifest.mpd",
        hls_url=f"{here}/master.m3u8",
        licence_url=f"{here}/licence",
        progress_url=f"{here}/progress",
        expires_at=play.expires_at,
        systems=[
            SystemView(
                system=system,
                licence_url=f"{here}/licence/{system}",
                hls_url=f"{here}/master.m3u8?system={system}",
            )
            for system in play.systems
            if system != "common"
        ],
        redirected_dash_url=f"{MEDIA}/{play.redirect_token}/{DASH_FILE}",
        redirected_hls_url=f"{MEDIA}/{play.redirect_token}/{HLS_FILE}",
        ads=play.ads,
        settings=dict(play.settings),
    )


def said_by(body: CapabilitiesBody | None) -> Capabilities | None:
    return None if body is None else Capabilities(**msgspec.structs.asdict(body))


def device_view(device: Device) -> PlayDeviceView:
    said = device.capabilities
    return PlayDeviceView(
        device_id=device.device_id,
        name=device.name,
        first_seen_at=device.first_seen_at,
        seen_at=device.seen_at,
        capabilities=CapabilitiesBody(**msgspec.structs.asdict(said)) if said else None,
    )
