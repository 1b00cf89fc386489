"""What the machine under an install says of itself, as whoever composes the gateway tells it."""

from datetime import datetime

import msgspec


class ProcessState(msgspec.Struct, frozen=True, kw_only=True):
    """``restarts`` count from the start of the supervisor. Memory is resident, children's too."""

    name: str
    pid: int
    alive: bool
    restarts: int
    memory_bytes: int


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """``started_at`` is the supervisor's, None where none runs here; ``doing`` is its phase."""

    doing: str
    started_at: datetime | None
    processes: list[ProcessState]
    disk_free_bytes: int
    disk_total_bytes: int
