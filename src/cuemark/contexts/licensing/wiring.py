"""Builds licensing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cuemark.contexts.licensing.model.dialects.entitlement import Office, entitlement
from cuemark.contexts.licensing.model.dialects.forwarded import forwarded
from cuemark.contexts.licensing.model.dialects.widevine import Provider, widevine
from cuemark.contexts.licensing.model.master_keys import (
    FIRST,
    Master,
    MasterKey,
    Vault,
    WrongMasterKey,
)
from cuemark.contexts.licensing.model.policy import Terms
from cuemark.contexts.licensing.servers.asking import Asker, Server
from cuemark.contexts.licensing.servers.key_server import KeyServer
from cuemark.contexts.licensing.service import LicensingService, Protection
from cuemark.contexts.licensing.service.forwarding import LicenceServer
from cuemark.contexts.licensing.service.master_keys import Rotation
from cuemark.contexts.licensing.store import versions_with_keys
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.identity import TOPIC as IDENTITY
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import TOPIC as PLAYBACK
from cuemark.contracts.protection import Demands, System
from cuemark.contracts.rights import Rights
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = [
    "FIRST",
    "MIGRATIONS",
    "SCHEMA",
    "LicenceServer",
    "Master",
    "MasterKey",
    "Office",
    "Provider",
    "Server",
    "Terms",
    "Vault",
    "WrongMasterKey",
    "build",
    "entitlement",
    "forwarded",
    "versions_with_keys",
    "widevine",
]

SCHEMA = "licensing"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    *,
    database: Database,
    clock: Clock,
    rights: Rights,
    catalog: Catalog,
    vault: Vault,
    clearkey: bool = True,
    systems: Sequence[System] = (),
    licence_servers: Mapping[System, LicenceServer] | None = None,
    key_server: Server | None = None,
    sealed: bool = False,
    demands: Demands | None = None,
    terms: Terms | None = None,
) -> Room[Licensing]:
    """Licensing with its keys wrapped by the newest master key of ``vault``.

    Keys are named to ``systems``; those of them that have a licence server get licences from it,
    and with ``clearkey`` all players that take keys in the clear. Keys of new versions come from
    ``key_server``, if there is one, with ``sealed`` encrypted on the way. ``demands`` are what keys
    demand of devices, by their labels. ``terms`` hold for the licences of DRM systems.
    """
    asker = Asker()
    protection = Protection(
        clearkey, tuple(systems), dict(licence_servers or {}), demands or {}, terms or Terms()
    )
    keys = None if key_server is None else KeyServer(asker, key_server, clock, sealed=sealed)
    masters = Rotation(database, vault, clock)
    service = LicensingService(database, clock, rights, catalog, masters, asker, protection, keys)
    leavers = Follower("licensing.leavers", [IDENTITY], database, Log(clock), service.follow)
    stopped = Follower("licensing.plays", [PLAYBACK], database, Log(clock), service.follow)
    readers = leavers, stopped
    return Room(Licensing, service, readers, keepers=[masters.keep], closers=[asker.close])
