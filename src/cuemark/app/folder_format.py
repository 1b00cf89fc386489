"""Which release wrote a data folder, and whether this one may use it: ``DATA/format.json``.

The file is written once everything is migrated. Releases before it wrote none; their folders
have the format 1.
"""

import contextlib
import importlib.metadata

import msgspec

from cuemark.app.engines import postgres
from cuemark.app.folder import DataFolder
from cuemark.kit.errors import UNREADABLE, OperatorError
from cuemark.kit.objects import write_private

FORMAT = 1
"""The layout of the data folder, databases apart: their schemas count for themselves."""
RELEASE = importlib.metadata.version("cuemark")
FILE_NAME = "format.json"


class FolderTooNew(OperatorError):
    """A newer release wrote the folder, or its cluster is of a newer PostgreSQL."""


class FolderTooOld(OperatorError):
    """The folder's cluster is of an older PostgreSQL than the bundled one."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """``pipeline`` is what encoded there, see ``encoding.wiring.pipeline``; empty: not known."""

    format: int = FORMAT
    release: str = ""
    pipeline: str = ""


def read(folder: DataFolder) -> Written:
    """What the folder says of itself; the empty ``Written`` where it says nothing."""
    with contextlib.suppress(OSError, *UNREADABLE):
        return msgspec.json.decode((folder.root / FILE_NAME).read_bytes(), type=Written)
    return Written()


def write(folder: DataFolder, pipeline: str) -> None:
    written = Written(format=FORMAT, release=RELEASE, pipeline=pipeline)
    write_private(folder.root / FILE_NAME, msgspec.json.encode(written))


def check(folder: DataFolder) -> None:
    """Raise ``FolderTooNew`` or ``FolderTooOld`` where this release must leave the folder alone."""
    written = read(folder)
    by = f"Cuemark {written.release}" if written.release else "another release"
    if written.format > FORMAT:
        raise FolderTooNew(
            f"the data folder {folder.root} was written by {by} in a format that Cuemark "
            f"{RELEASE} does not know: run that release, or a newer one"
        )
    found = postgres.major_of(folder.postgres)
    if found is None or found == (bundled := postgres.bundled_major()):
        return
    holds = f"the data folder {folder.root} holds a database of PostgreSQL {found}, written by {by}"
    if found > bundled:
        raise FolderTooNew(
            f"{holds}, and Cuemark {RELEASE} brings PostgreSQL {bundled}: run that release, "
            "or a newer one"
        )
    raise FolderTooOld(
        f"{holds}, and Cuemark {RELEASE} brings PostgreSQL {bundled}: make a backup with that "
        "release and restore it with this one"
    )
