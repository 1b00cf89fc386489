"""Who works, and what waits."""

import msgspec

from cuemark.contracts.encoding.jobs import Priority, Stage
from cuemark.contracts.ids import VersionId


class GetFarm(msgspec.Struct, frozen=True, kw_only=True):
    pass


class InHand(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker does now, and since when by the database's clock."""

    version_id: VersionId
    kind: str
    stage: Stage
    made_for: str
    since_s: float


class WorkerState(msgspec.Struct, frozen=True, kw_only=True):
    """A worker, and how long ago it was heard. ``state`` is ``working``, ``idle``, or ``lost``:
    one that was silent for longer than its lease, whose work others do."""

    executor_id: str
    host: str
    slot: int
    pid: int
    state: str
    heard_s: float
    in_hand: InHand | None = None


class QueueLength(msgspec.Struct, frozen=True, kw_only=True):
    """Open jobs of a priority, and their tasks that wait and that are in hand."""

    priority: Priority
    jobs: int
    waiting: int
    in_hand: int


class Farm(msgspec.Struct, frozen=True, kw_only=True):
    """``lease_s`` is how long a worker may be silent before others do its work."""

    workers: list[WorkerState]
    queues: list[QueueLength]
    lease_s: float
