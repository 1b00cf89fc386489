"""A worker's process that encodes one chunk on record: what is killed while it does."""

import sys
from pathlib import Path

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.contexts.encoding.wiring import policy_of
from cuemark.contexts.encoding.workflow.spending import begin, do_on_record
from cuemark.contexts.encoding.workflow.tasks import Parts, Task
from cuemark.contexts.licensing import wiring as licensing
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.ids import VersionId
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.event_loop import EventLoopThread
from cuemark.kit.objects import Objects
from cuemark.kit.outbox import Log
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

UNIT = "a chunk"
MADE_FOR = "a rung"


def encode(database_url: str, root: Path, sha256: str, recipe: Recipe, chunk: Chunk) -> str:
    """Encode a chunk for the job ``ver_1``, as a worker does it; the key of the result."""
    clock, database = SystemClock(), Database(database_url, pool_size=2)
    room = licensing.build(
        database=database, clock=clock, rights=Notary(clock), catalog=Films(clock), vault=vault_of()
    )
    parts = Parts(
        shop=Workshop(Objects(root, writer="working"), from_wheels()),
        ledger=Ledger(database, Log(clock), clock),
        licensing=room.service,
        clock=clock,
        loop=EventLoopThread(),
        manifests=lambda version: ManifestsOf(*manifests_of(version)),
        policy=policy_of({}),
    )
    task = Task(
        kind="encode",
        version_id=VersionId("ver_1"),
        stage="encode",
        urgency=Urgency.FULL,
        sha256=sha256,
        chunk=chunk,
        recipe=recipe,
        made_for=MADE_FOR,
    )
    attempt, _ = begin(parts, task, UNIT)
    result, _ = do_on_record(parts, task, attempt)
    parts.loop.run(database.close())
    return result


if __name__ == "__main__":
    _, url, folder, master, preset, lines = sys.argv
    what = Recipe(int(lines) * 16 // 9, int(lines), 20.0, preset)
    encode(url, Path(folder), master, what, Chunk(0, 0, 90, [0, 30, 60]))
