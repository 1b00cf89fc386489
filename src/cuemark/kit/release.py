"""Which release of Cuemark this is: the package's version, and a hash of its code.

The hash is taken of what is there, so that nobody has to keep a number: two folders with the same
code say the same, and one changed byte says so.
"""

import functools
import importlib.metadata
import re
from pathlib import Path

from blake3 import blake3

_PACKAGE = Path(__file__).parent.parent
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_BUILD_DIGITS = 10


def is_release(name: str) -> bool:
    """Whether this can be the name of a release, and of a folder that has it."""
    return _NAME.fullmatch(name) is not None and ".." not in name


@functools.cache
def release_here() -> str:
    """The release of this process, such as ``0.1.0+3fa2b81c01``."""
    return f"{importlib.metadata.version('cuemark')}+{build_of(_PACKAGE)}"


def build_of(package: Path) -> str:
    """The hash of a package's files, but for those that are made of them: bytecode, the page."""
    digest = blake3()
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        made = "__pycache__" in inside.parts or inside.parts[:2] == ("gateway", "page")
        if not made and path.is_file():
            body = path.read_bytes()
            digest.update(f"{inside.as_posix()}\0{len(body)}\0".encode())
            digest.update(body)
    return digest.hexdigest()[:_BUILD_DIGITS]
