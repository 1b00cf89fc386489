"""The folder of the functions: which there are, and what is wrong with the others.

A function is a file ``NAME.py``, or an executable of any other name's ending, with its header in
it or in ``NAME.toml`` beside it. Files that begin with ``.`` or ``_``, and folders, are none.
"""

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cuemark.contexts.functions.model import header as rules
from cuemark.contexts.functions.model.header import Bound, FunctionInvalid, Kinds

MOST_FUNCTIONS = 100
_HEADER = ".toml"


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a function at one moment, with the header that they had."""

    name: str
    file_name: str
    code: bytes
    bound: Bound

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.code).hexdigest()

    @property
    def is_python(self) -> bool:
        return self.file_name.endswith(".py")


class Shelved(msgspec.Struct, frozen=True, kw_only=True):
    """A function on the shelf; without ``bound``, ``complaint`` says why it cannot be used."""

    name: str
    path: Path
    bound: Bound | None
    complaint: str = ""


_Stamp = tuple[tuple[int, int, int], ...]


class Shelf:
    """The functions in a folder, read again where a file has changed."""

    def __init__(self, folder: Path, kinds: Kinds) -> None:
        self.folder = folder
        self._kinds = kinds
        self._known: dict[Path, tuple[_Stamp, Shelved]] = {}

    def look(self) -> list[Shelved]:
        """What there is now, by name. An unreadable folder is an empty one."""
        paths = self._paths()
        names = [path.stem for path in paths]
        twice = rules.doubled(names)
        found = []
        for path in paths[:MOST_FUNCTIONS]:
            stamp = _stamp(path)
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                known = self._known[path] = (stamp, self._read(path))
            shelved = known[1]
            if path.stem in twice:
                shelved = Shelved(
                    name=path.stem,
                    path=path,
                    bound=None,
                    complaint=f"more than one file is a function named {path.stem}: leave one",
                )
            found.append(shelved)
        self._known = {path: known for path, known in self._known.items() if path in set(paths)}
        return list({each.name: each for each in found}.values())

    def code_of(self, name: str) -> Code:
        """The function as it is now; raises ``FunctionInvalid``, also where it is gone."""
        path = next((path for path in self._paths() if path.stem == name), None)
        if path is None:
            raise FunctionInvalid(f"there is no function {name} in {self.folder} any more")
        return code_at(path, self._kinds)

    def _read(self, path: Path) -> Shelved:
        try:
            bound = code_at(path, self._kinds).bound
        except FunctionInvalid as error:
            return Shelved(name=path.stem, path=path, bound=None, complaint=str(error))
        return Shelved(name=path.stem, path=path, bound=bound)

    def _paths(self) -> Sequence[Path]:
        try:
            return [
                path
                for path in sorted(self.folder.iterdir())
                if path.suffix != _HEADER
                and not path.name.startswith((".", "_"))
                and path.is_file()
            ]
        except OSError:
            return []


def code_at(path: Path, kinds: Kinds) -> Code:
    """A function's bytes and header, read once; raises ``FunctionInvalid`` with one sentence."""
    if not rules.is_name(path.stem):
        raise FunctionInvalid(
            f"{path.name} cannot be a function: its name may have a-z, 0-9 and hyphens"
        )
    try:
        with path.open("rb") as file:
            code = file.read(rules.MOST_CODE_BYTES + 1)
            runs = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & stat.S_IXUSR
        beside = path.with_suffix(_HEADER)
        toml = beside.read_bytes()[: rules.MOST_HEADER_BYTES] if beside.exists() else None
    except OSError as error:
        raise FunctionInvalid(f"{error.filename} cannot be read: {error.strerror}") from error
    if len(code) > rules.MOST_CODE_BYTES:
        raise FunctionInvalid(f"{path} is larger than {rules.MOST_CODE_BYTES >> 20} MiB")
    inline = rules.inline(code)
    if toml is None and inline is None:
        raise FunctionInvalid(
            f"{path} has no header: write a block `# /// script` with [tool.cuemark] into it, or "
            f"{beside.name} beside it"
        )
    if toml is not None and inline is not None:
        raise FunctionInvalid(f"{path} has a header, and {beside.name} is another: leave one")
    if path.suffix != ".py" and not runs:
        raise FunctionInvalid(f"{path} is not executable: chmod +x, or make it a .py")
    text = inline if inline is not None else (toml or b"").decode("utf-8", errors="replace")
    bound = rules.read(text, kinds, is_inline=inline is not None)
    return Code(name=path.stem, file_name=path.name, code=code, bound=bound)


def _stamp(path: Path) -> _Stamp:
    """Changes where the file, or the header beside it, is written or replaced."""
    found = []
    for each in (path, path.with_suffix(_HEADER)):
        try:
            seen = each.stat()
        except OSError:
            continue
        found.append((seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns))
    return tuple(found)
