"""Settings of the origin and of an appliance: frozen, written by whoever starts them."""

import hashlib
import hmac
from pathlib import Path
from typing import Annotated

import msgspec

from cuemark.contracts.steering.routes import Place
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import write_private


class SettingsInvalid(Exception):
    """A settings file is missing, or holds what this release does not take."""


class OriginSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The origin: serves ``<objects>/versions`` on loopback to callers that show ``key``.

    ``folder`` is for its config, logs and temporary files. ``limit_rate_kbps`` bounds each
    connection, 0 for no bound.
    """

    folder: str
    objects: str
    port: int
    key: str
    limit_rate_kbps: int = 0


Network = Annotated[str, msgspec.Meta(min_length=3, max_length=64)]
Asn = Annotated[int, msgspec.Meta(ge=1, le=(1 << 32) - 1)]


class PeerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A router that tells an appliance routes over BGP, and what is believed of them.

    ``allow`` are the networks that it may announce, whole or in part, up to ``max_prefixes`` of
    them; more than that, and nothing of it counts for a while. Prefixes longer than
    ``longest_ipv4`` or ``longest_ipv6`` are refused, and those that no public network has, unless
    ``private``. ``local_preference`` is that of routes which come without one, as all do from
    another AS. ``local_address`` is this side's of the session.
    """

    address: str
    asn: Asn
    local_address: str
    allow: list[Network]
    max_prefixes: Annotated[int, msgspec.Meta(ge=1, le=500_000)] = 10_000
    longest_ipv4: Annotated[int, msgspec.Meta(ge=8, le=32)] = 24
    longest_ipv6: Annotated[int, msgspec.Meta(ge=16, le=128)] = 48
    private: bool = False
    local_preference: Annotated[int, msgspec.Meta(ge=0, le=(1 << 32) - 1)] = 100
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 179
    hold_time_s: Annotated[int, msgspec.Meta(ge=3, le=3600)] = 90


class BgpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The appliance as a BGP speaker, which hears routes and announces none."""

    asn: Asn
    router_id: str
    peers: Annotated[list[PeerSettings], msgspec.Meta(min_length=1, max_length=32)]


class ApplianceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One appliance: its nginx (``bind``, ``port``) and the agent behind it (``agent_port``).

    ``certificate`` and ``key`` are the PEM files (the chain, and its private key) with which it
    speaks TLS, and HTTP/2 beside HTTP/1.1; without them it speaks HTTP/1.1 in the clear.
    ``nginx`` is the path of another program than the bundled one.
    ``url`` is where viewers reach it, as steering is told. ``passport_key`` is its own, in
    hex. ``log`` is the file of the agent's events, stderr if empty. ``store_limit_bytes`` bounds
    the store, and ``reserve_bytes`` of its disk are left to others, at most a twentieth of it;
    ``background_kbps`` bounds the filling of what nobody has asked for yet, 0 for none of it.
    ``scrub_kbps`` bounds the reading of what is stored, to find what the disk has changed, 0 for
    none; a round of it begins every ``scrub_every_s``, or when the one before is over.
    ``capacity_kbps`` is what its line carries, 0 where nobody said, and ``place`` where it stands.
    ``announced_only`` keeps clients away that none of its routes has. ``region`` is whose members
    it serves, and ``timezone`` the name of its clocks (IANA); empty: home, and UTC. What control
    wants it to have is fetched within ``fill_window`` of those clocks, such as 02:00-14:00, empty
    for all day, at ``fill_kbps``, 0 for none of it. It asks for that every ``manifest_every_s``,
    and tells what it served and holds every ``tell_every_s``.
    ``lines_spool_bytes`` bounds the lines of requests that wait for control, on its disk.
    ``releases`` is the folder of the releases that it can be replaced by; empty: it cannot.
    """

    appliance_id: str
    folder: str
    url: str
    bind: str
    port: int
    agent_port: int
    control_url: str
    passport_key: str
    origin_url: str
    origin_key: str
    log: str = ""
    certificate: str = ""
    key: str = ""
    nginx: str = ""
    store_limit_bytes: int = 50_000_000_000
    reserve_bytes: int = 1_000_000_000
    background_kbps: int = 40_000
    scrub_kbps: int = 200_000
    scrub_every_s: float = 86_400.0
    max_fills: int = 32
    max_waiting_fills: int = 1024
    lines_spool_bytes: int = 256_000_000
    capacity_kbps: int = 0
    announced_only: bool = False
    place: Place | None = None
    bgp: BgpSettings | None = None
    region: str = ""
    timezone: str = ""
    fill_window: str = ""
    fill_kbps: int = 100_000
    manifest_every_s: float = 15.0
    tell_every_s: float = 60.0
    releases: str = ""

    @property
    def agent_key(self) -> str:
        """What this appliance's nginx shows its agent, so that no other process can ask it."""
        name = f"agent:{self.appliance_id}".encode()
        return hmac.new(self.origin_key.encode(), name, hashlib.sha256).hexdigest()

    def write(self, path: Path) -> None:
        """Keep the settings in a private file (mode 0600) for the agent's ``--config``."""
        write_private(path, msgspec.json.encode(self))


def load(path: Path) -> ApplianceSettings:
    """The settings kept at ``path``; raises ``SettingsInvalid`` with one sentence."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ApplianceSettings)
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error.strerror}") from error
    except UNREADABLE as error:
        raise SettingsInvalid(f"{path}: {error}") from error
