"""Lines in files, by the hour: what a lakehouse takes over as it is.

``<date>/<hour>/<appliance>.ndjson.gz`` below one folder has the batches of an hour as they came,
one member of gzip each, which together are one gzip (RFC 1952, 2.2). How long a file is says the
database, in the transaction of the batch: what stands behind that was never taken, and is
overwritten.
"""

import os
import shutil
from datetime import date, datetime
from pathlib import Path

from cuemark.contracts.ids import ApplianceId
from cuemark.kit.objects import fsync, make_folder


class Archive:
    """The files below ``folder``. Its methods read and write the disk: for a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @staticmethod
    def file_of(hour: datetime, appliance_id: ApplianceId) -> str:
        """The file of an hour of an appliance, below the folder."""
        return f"{hour:%Y-%m-%d}/{hour:%H}/{appliance_id}.ndjson.gz"

    def append(self, file: str, end: int, body: bytes) -> int:
        """Write ``body`` behind the first ``end`` bytes; where it begins. Raises ``OSError``.

        A file that is shorter than that (of a backup, which has none) goes on where it ends.
        """
        path = self._folder / file
        make_folder(path.parent, 0o700)
        begun = not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            at = min(end, os.fstat(descriptor).st_size)
            os.ftruncate(descriptor, at)
            os.lseek(descriptor, at, os.SEEK_SET)
            with open(descriptor, "wb", closefd=False) as stream:
                stream.write(body)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if begun:
            fsync(path.parent)
        return at

    def read(self, file: str, first_byte: int, size_bytes: int) -> bytes:
        """Bytes of a file; fewer where it has not as many, none where it is gone."""
        try:
            with (self._folder / file).open("rb") as stream:
                stream.seek(first_byte)
                return stream.read(size_bytes)
        except FileNotFoundError:
            return b""

    def forget(self, before: date) -> None:
        """Remove the days before this one."""
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if folder.name < before.isoformat():
                shutil.rmtree(folder, ignore_errors=True)
