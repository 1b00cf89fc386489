"""The logs that cannot bound themselves: nginx's, and what children write to their own output.

nginx keeps its descriptor until SIGUSR1 says that its logs were renamed. A child's output is
open in the child alone, so its last bytes are copied and it is cut off: what is written between
the two is lost, which for that output is no harm.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from cuemark.app.folder import DataFolder
from cuemark.kit.log_file import MOST_BYTES, older, rotate
from cuemark.kit.log_lines import LogSource

EVERY_S = 20.0
MOST_OUTPUT_BYTES = 4 << 20


def sources_of(folder: DataFolder) -> list[LogSource]:
    """Every structured log of an install, in the order in which a request passes their writers."""
    appliances = sorted(path for path in (folder.root / "appliances").glob("*") if path.is_dir())
    return [
        LogSource("cuemark", folder.log_file, 0),
        *(LogSource(path.name, path / "logs" / "access.jsonl", 1) for path in appliances),
        LogSource("origin", folder.root / "origin" / "logs" / "access.jsonl", 2),
    ]


async def keep_bounded(folder: DataFolder, pids: Callable[[], Mapping[str, int]]) -> None:
    """Rotate what has grown too long, for ever. ``pids`` are the children's, by name."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await asyncio.to_thread(bound, folder, pids())
        except OSError as error:
            structlog.get_logger().error("logs_not_rotated", reason=str(error))


def bound(
    folder: DataFolder,
    pids: Mapping[str, int],
    most_bytes: int = MOST_BYTES,
    most_output_bytes: int = MOST_OUTPUT_BYTES,
) -> None:
    """Rotate the logs of each nginx and the outputs of children that are over their bounds."""
    for source in sources_of(folder)[1:]:
        long = [
            path
            for path in (source.path, source.path.with_name("error.log"))
            if _size(path) > most_bytes
        ]
        for path in long:
            rotate(path)
        if long and (pid := pids.get(source.name)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)
    for output in folder.logs.glob("*.out"):
        if _size(output) > most_output_bytes:
            _cut_off(output, most_output_bytes)


def _cut_off(output: Path, kept_bytes: int) -> None:
    with output.open("r+b") as file:
        file.seek(-kept_bytes, os.SEEK_END)
        older(output, 1).write_bytes(file.read())
        file.truncate(0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
