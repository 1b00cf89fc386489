"""Builds playback."""

from pathlib import Path

from cuemark.contexts.playback.model import dash, hls
from cuemark.contexts.playback.model.protection import CLEARKEY_ALONE, Offer, of_hls
from cuemark.contexts.playback.service import PlaybackService
from cuemark.contexts.playback.service.ending import RightsKeeper
from cuemark.contexts.playback.service.logins import LoginsKeeper
from cuemark.contexts.playback.service.parts import Neighbours
from cuemark.contexts.playback.service.plans import Plans
from cuemark.contracts import rights as rights_contract
from cuemark.contracts.billing import Billing
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.identity import TOPIC as IDENTITY
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import TOPIC as PLAYBACK
from cuemark.contracts.playback import Playback
from cuemark.contracts.protection import SYSTEM_IDS
from cuemark.contracts.rights import Rights
from cuemark.contracts.steering import RankedAppliance, Steering
from cuemark.contracts.viewers import Viewers
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

__all__ = ["CLEARKEY_ALONE", "MIGRATIONS", "SCHEMA", "Offer", "build", "manifests_of"]

SCHEMA = "playback"
MIGRATIONS = Path(__file__).parent / "migrations"
RIGHTS = "playback.rights"


def build(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    ids: Ids,
    catalog: Catalog,
    encoding: Encoding,
    licensing: Licensing,
    rights: Rights,
    steering: Steering,
    viewers: Viewers,
    fingerprint_key: bytes,
    offer: Offer = CLEARKEY_ALONE,
    billing: Billing | None = None,
) -> Room[Playback]:
    """``fingerprint_key`` is of what sessions' rows of variants are made: with another one no copy
    of before is told. ``offer`` is how this install lets members have keys. With ``billing`` a play
    needs a plan."""
    neighbours = Neighbours(catalog, encoding, licensing, rights, steering, viewers)
    plans = None if billing is None else Plans(billing, database, clock)
    service = PlaybackService(database, log, clock, ids, neighbours, offer, fingerprint_key, plans)
    keeper = RightsKeeper(database, clock, rights, service)
    follower = Follower(RIGHTS, [rights_contract.TOPIC, PLAYBACK], database, log, keeper.take)
    leavers = Follower("playback.leavers", [IDENTITY], database, log, service.follow)
    logins = LoginsKeeper(database, clock, service)
    # A reader of its own: who logs out is not to wait for the catalog, which levels are held to.
    enders = Follower("playback.logins", [IDENTITY], database, log, logins.take)
    return Room(Playback, service, [follower, leavers, enders], [keeper.keep, logins.keep])


def manifests_of(version: Version) -> tuple[str, str, str, dict[str, str]]:
    """The DASH manifest and the HLS playlist as any play of ``version`` gets them.

    The third is the address of its files in both: that of an appliance that there is not. The
    fourth are the HLS playlists for one DRM system each.
    """
    media_url = f"https://appliance.invalid/{version.version_id}/"
    ranking = [RankedAppliance(appliance_id=ApplianceId("none"), media_url=media_url)]
    licence_url = "https://licences.invalid/plays/none/licence"
    every = Offer(systems=tuple(SYSTEM_IDS))
    return (
        dash.manifest(version, ranking, licence_url, every),
        hls.manifest(version, ranking, licence_url),
        media_url,
        {
            system: hls.manifest(version, ranking, licence_url, system)
            for system in of_hls(version, every)
        },
    )
