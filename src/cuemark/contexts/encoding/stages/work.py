"""Work that is done once: results in the object store under the hash of what they are made of.

A key is the SHA-256 over the stage's name, its parameters, the keys of what it reads and the
fingerprint of the tools. Under ``work/<key>/`` lie the stage's files and ``record.json``; the
folder appears whole or not at all, so a worker that dies in a stage leaves nothing, and one
that comes to a finished stage does nothing.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from cuemark.contexts.encoding.tools.programs import Programs
from cuemark.kit.objects import Objects

T = TypeVar("T", bound=msgspec.Struct)

RELEASE = 1
"""Raised when our own code makes other results of the same parameters."""
_RECORD = "record.json"


class Bench:
    """Where stages work: the object store, and the tools."""

    def __init__(self, objects: Objects, programs: Programs) -> None:
        self.objects = objects
        self.programs = programs
        self._fingerprint = programs.fingerprint()

    def key(self, stage: str, parameters: object) -> str:
        """The key of a stage's result for parameters that msgspec can write."""
        text = msgspec.json.encode([RELEASE, self._fingerprint, stage, parameters], order="sorted")
        return hashlib.sha256(text).hexdigest()

    def file(self, key: str, name: str) -> Path:
        """A file of a finished result."""
        return self.objects.path(f"work/{key}") / name

    def record(self, key: str, kind: type[T]) -> T | None:
        """The record of a finished result, or None where the stage has not been done."""
        try:
            return msgspec.json.decode(self.file(key, _RECORD).read_bytes(), type=kind)
        except FileNotFoundError:
            return None

    def once(self, key: str, kind: type[T], make: Callable[[Path], T]) -> T:
        """The result of ``key``: as it was recorded, or made now in a scratch folder."""
        done = self.record(key, kind)
        if done is not None:
            return done
        with self.objects.scratch() as scratch:
            result = scratch / "result"
            result.mkdir()
            made = make(result)
            (result / _RECORD).write_bytes(msgspec.json.encode(made))
            self.objects.adopt(result, f"work/{key}")
        return made
