"""The lock on a data folder: one supervisor at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from cuemark.app import state
from cuemark.app.folder import DataFolder
from cuemark.kit.errors import OperatorError


class AlreadyRunning(OperatorError):
    """Another supervisor holds the folder."""


@contextlib.contextmanager
def folder_lock(folder: DataFolder) -> Iterator[None]:
    """Hold the data folder for this process alone; the kernel lets go when it dies."""
    descriptor = os.open(folder.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            phase = state.read(folder)
            where = phase.running.member_url if phase and phase.running else "starting"
            raise AlreadyRunning(
                f"Cuemark runs on {folder.root} already ({where}): use that one, "
                "end it with `cuemark down`, or choose another folder with --data"
            ) from None
        yield
    finally:
        os.close(descriptor)
