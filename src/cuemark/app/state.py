"""What a running install says of itself: the object that ``up`` prints and ``status`` repeats."""

import contextlib
from datetime import datetime
from pathlib import Path

import msgspec
import psutil

from cuemark.app.folder import DataFolder
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import write_private


class RunningAppliance(msgspec.Struct, frozen=True):
    """``pid`` is the appliance's nginx, which answers viewers; ``agent_pid`` its agent."""

    id: str
    url: str
    pid: int
    agent_pid: int


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """``pids`` is every process that the supervisor keeps, by name, and the supervisor.

    ``kept_backup`` is where the database was kept before this start migrated it, else empty.
    ``starts`` is how often each child was started, 1 where it was never restarted.
    """

    member_url: str
    api_url: str
    internal_url: str
    appliances: list[RunningAppliance]
    pids: dict[str, int]
    kept_backup: str = ""
    started_at: datetime | None = None
    starts: dict[str, int] = {}


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor is doing, for whoever waits: ``error`` ends the wait."""

    supervisor_pid: int
    doing: str
    error: str = ""
    running: Running | None = None


def _path(folder: DataFolder) -> Path:
    return folder.run / "state.json"


def write(folder: DataFolder, phase: Phase) -> None:
    write_private(_path(folder), msgspec.json.encode(phase))


def clear(folder: DataFolder) -> None:
    _path(folder).unlink(missing_ok=True)


def read(folder: DataFolder) -> Phase | None:
    """The last phase written, or None where its supervisor no longer runs."""
    with contextlib.suppress(OSError, psutil.Error, *UNREADABLE):
        phase = msgspec.json.decode(_path(folder).read_bytes(), type=Phase)
        if psutil.Process(phase.supervisor_pid).status() != psutil.STATUS_ZOMBIE:
            return phase
    return None
