"""Builds steering."""

from collections.abc import Collection, Sequence
from pathlib import Path

from cuemark.contexts.steering.model.pathways import PlayTokens
from cuemark.contexts.steering.model.redirects import RedirectTokens
from cuemark.contexts.steering.model.tokens import Keyring
from cuemark.contexts.steering.service import SteeringService
from cuemark.contexts.steering.service.holding import Holding
from cuemark.contexts.steering.service.rolling import Rolling
from cuemark.contexts.steering.service.routing import Routing
from cuemark.contexts.steering.store.atlas import Atlas
from cuemark.contracts.encoding.events import TOPIC as ENCODING
from cuemark.contracts.fill import Fill
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.playback import TOPIC as PLAYBACK
from cuemark.contracts.steering import Steering
from cuemark.kit.cat import TokenKey
from cuemark.kit.clock import Clock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.outbox import Follower, Log
from cuemark.kit.room import Room

SCHEMA = "steering"
MIGRATIONS = Path(__file__).parent / "migrations"


def build(
    *,
    database: Database,
    log: Log,
    clock: Clock,
    fill: Fill,
    appliance_ids: Sequence[ApplianceId],
    token_keys: Sequence[TokenKey],
    storage_ids: Collection[ApplianceId] = (),
    atlas: Sequence[Path] = (),
) -> Room[Steering]:
    """Steering for the enrolled appliances; ``fill`` knows what they hold.

    ``token_keys`` are master keys, the current one first; the older ones are still accepted.
    ``storage_ids`` are those of the storage tier, the others are of the edge.
    ``atlas`` are databases in MaxMind's format that say where addresses are.
    """
    routing, holding = Routing(database), Holding(fill)
    rolling = Rolling(database, clock, Ids(clock), appliance_ids, storage_ids)
    service = SteeringService(
        database,
        log,
        clock,
        Keyring(appliance_ids, token_keys),
        routing,
        rolling,
        holding,
        Atlas(atlas, clock),
        PlayTokens(token_keys),
        RedirectTokens(token_keys),
        storage_ids,
    )
    versions = Follower("steering.versions", [ENCODING], database, log, service.take)
    plays = Follower("steering.plays", [PLAYBACK], database, log, service.take_play)
    keepers = routing.follow, rolling.keep, holding.follow
    return Room(Steering, service, (versions, plays), keepers=keepers)
