"""Where results are kept: one folder for each stage's result, named by what went into it.

The key of a result is the hash of the stage, its parameters and the builds of the tools. A
result is made in a scratch folder and moved into place whole, so a stage that was killed has
left nothing, and a stage that was done is not done again.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from cuemark.contexts.encoding.model.hindrance import NO_MASTER, of_error, of_room
from cuemark.contexts.encoding.tools.programs import Programs
from cuemark.contexts.encoding.tools.run import Hindered, ToolFailed
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import Objects

T = TypeVar("T")

_FOR_WANT_OF_ROOM = (ToolFailed, MasterRejected, *UNREADABLE, ValueError, LookupError)
"""How a stage fails whose tool wrote half a file and did not say so."""


class Workshop:
    """The results of stages in an object store, and the tools that make them.

    ``written_bytes`` counts what it has stored since it was made.
    """

    def __init__(self, objects: Objects, programs: Programs) -> None:
        self.written_bytes = 0
        self.objects = objects
        self.programs = programs
        self._fingerprint = programs.fingerprint()

    def key(self, stage: str, *parameters: object) -> str:
        """The object key of a stage's result for these parameters."""
        made_from = msgspec.json.encode([stage, self._fingerprint, *parameters], order="sorted")
        digest = hashlib.sha256(made_from).hexdigest()
        return f"work/{digest[:2]}/{digest}"

    def has(self, key: str) -> bool:
        return self.objects.exists(key)

    def path(self, key: str, name: str) -> Path:
        """A file of a result."""
        return self.objects.path(key) / name

    def master(self, sha256: str) -> Path:
        """The file that was uploaded; raises ``Hindered`` where it is not among the objects."""
        path = self.objects.path(f"masters/{sha256}")
        if not path.exists():
            raise Hindered(NO_MASTER, f"there is no masters/{sha256}")
        return path

    def load(self, key: str, name: str, kind: type[T]) -> T:
        return msgspec.json.decode(self.path(key, name).read_bytes(), type=kind)

    @contextlib.contextmanager
    def making(self, key: str) -> Iterator[Path]:
        """A folder to make a result in; it is the result when the block ends without error.

        Raises ``Hindered`` as ``scratch`` does.
        """
        with self.scratch() as scratch:
            folder = scratch / "result"
            folder.mkdir()
            yield folder
            size_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            self.objects.adopt(folder, key)
            self.written_bytes += size_bytes

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder that is gone when the block ends.

        Raises ``Hindered`` where the disk is what the block failed for.
        """
        try:
            with self.objects.scratch() as scratch:
                try:
                    yield scratch
                except _FOR_WANT_OF_ROOM as error:
                    # Looked at before the scratch folder goes, which may be all the room there is.
                    if met := of_room(shutil.disk_usage(scratch).free):
                        said = error.said if isinstance(error, ToolFailed) else None
                        raise Hindered(met, str(error), said) from error
                    raise
        except OSError as error:
            if met := of_error(error.errno):
                raise Hindered(met, str(error)) from error
            raise


def save(folder: Path, name: str, value: object) -> None:
    (folder / name).write_bytes(msgspec.json.encode(value))
