"""Builds playback."""

from pathlib import Path

from cuemark.contexts.playback.model import dash, hls
from cuemark.contexts.playback.service import Neighbours, PlaybackService
from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding, Version
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import Playback
from cuemark.contracts.steering import RankedAppliance, Steering
from cuemark.contracts.viewers import Viewers
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Log
from cuemark.kit.room import Room

SCHEMA = "playback"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    ids: Ids,
    catalog: Catalog,
    encoding: Encoding,
    licensing: Licensing,
    steering: Steering,
    viewers: Viewers,
) -> Room[Playback]:
    neighbours = Neighbours(catalog, encoding, licensing, steering, viewers)
    return Room(Playback, PlaybackService(database, log, clock, ids, neighbours))


def manifests_of(version: Version) -> tuple[str, str, str]:
    """The DASH manifest and the HLS playlist as any play of ``version`` gets them.

    The third is the address of its files in both: that of an appliance that there is not.
    """
    media_url = f"https://appliance.invalid/{version.version_id}/"
    ranking = [RankedAppliance(appliance_id=ApplianceId("none"), media_url=media_url)]
    playlist = hls.manifest(version, ranking, "https://licences.invalid/plays/none/licence")
    return dash.manifest(version, ranking), playlist, media_url
