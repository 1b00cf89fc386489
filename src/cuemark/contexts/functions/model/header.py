"""The header of a function: what it is bound to, and what it may take.

It is TOML: the table ``[tool.cuemark]`` of an inline block (Python packaging's "Inline script
metadata", PEP 723) in a file whose comments begin with ``#``, or the file ``NAME.toml`` beside one.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from cuemark.kit.errors import OperatorError

MOST_HEADER_BYTES = 64 << 10
MOST_CODE_BYTES = 64 << 20

Reads = Literal["title", "titles", "version", "report", "files", "master"]
"""What a function may ask to find beside its event: see docs/reference/functions.md."""
NEEDS: Mapping[str, tuple[str, ...]] = {
    "title": ("title_id",),
    "titles": (),
    "version": ("version_id",),
    "report": ("version_id",),
    "files": ("version_id",),
    "master": ("sha256", "master_sha256"),
}
"""The fields of an event by which each is found; one of them is enough."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_BEGIN, _END = "# /// script", "# ///"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_OURS = ("PATH", "HOME", "TMPDIR", "LANG")


class FunctionInvalid(OperatorError):
    """A function cannot be used as it stands."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a function is bound to and may take; docs/reference/functions.md tells each field."""

    on: Annotated[list[str], Meta(min_length=1, max_length=50)]
    timeout_s: Annotated[int, Meta(ge=1, le=3600)] = 60
    memory_mb: Annotated[int, Meta(ge=32, le=65536)] = 512
    disk_mb: Annotated[int, Meta(ge=1, le=16384)] = 128
    processes: Annotated[int, Meta(ge=1, le=1000)] = 64
    retries: Annotated[int, Meta(ge=0, le=20)] = 3
    backoff_s: Annotated[int, Meta(ge=1, le=3600)] = 10
    concurrency: Annotated[int, Meta(ge=1, le=16)] = 1
    network: bool = False
    reads: Annotated[list[Reads], Meta(max_length=6)] = []
    environment: Annotated[dict[str, str], Meta(max_length=50)] = {}


class Kinds:
    """The kinds of event that there are: ``topic.Name``, and the fields of each."""

    def __init__(self, fields: Mapping[str, frozenset[str]]) -> None:
        self.fields = fields

    def named(self, pattern: str) -> list[str]:
        """The kinds that ``topic.Name`` or ``topic.*`` names; none where there are none."""
        if pattern.endswith(".*"):
            return [kind for kind in self.fields if kind.startswith(pattern[:-1])]
        return [pattern] if pattern in self.fields else []


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A header with the kinds of event that it means, each ``topic.Name``."""

    header: Header
    kinds: tuple[str, ...]

    @property
    def topics(self) -> list[str]:
        return sorted({kind.partition(".")[0] for kind in self.kinds})


def is_name(name: str) -> bool:
    """Whether a function may have this name: a-z, 0-9 and hyphens, 63 of them at most."""
    return _NAME.fullmatch(name) is not None


def inline(code: bytes) -> str | None:
    """The TOML of the inline block ``script``, None where there is none.

    Raises ``FunctionInvalid`` where there are several.
    """
    text = code[:MOST_HEADER_BYTES].decode("utf-8", errors="replace").replace("\r\n", "\n")
    blocks = _blocks(text.split("\n"))
    if len(blocks) > 1:
        raise FunctionInvalid("it has more than one block `# /// script`: leave one")
    return "\n".join(line[2:] for line in blocks[0]) if blocks else None


def _blocks(lines: Sequence[str]) -> list[Sequence[str]]:
    """The lines of each block: it goes on to the last end among the comments that follow it.

    The regular expression of PEP 723 finds the same, and takes a time that grows with the square
    of the lines.
    """
    found = []
    at = 0
    while at < len(lines):
        begin, at = at, at + 1
        if lines[begin] != _BEGIN:
            continue
        end = begin
        while at < len(lines) and (lines[at] == "#" or lines[at].startswith("# ")):
            end = at if lines[at] == _END else end
            at += 1
        if end > begin + 1:
            found.append(lines[begin + 1 : end])
    return found


def read(toml: str, kinds: Kinds, *, is_inline: bool) -> Bound:
    """The header in TOML; raises ``FunctionInvalid`` with one sentence."""
    try:
        table = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        raise FunctionInvalid(f"its header is not TOML: {error}") from error
    if is_inline:
        tools = table.get("tool")
        found = tools.get("cuemark") if isinstance(tools, dict) else None
        if not isinstance(found, dict):
            raise FunctionInvalid("its header has no table [tool.cuemark]: write `on` into one")
        table = found
    try:
        header = msgspec.convert(table, Header)
    except msgspec.ValidationError as error:
        raise FunctionInvalid(f"its header is not right: {error}{_known(str(error))}") from error
    _check_environment(header)
    return Bound(header=header, kinds=_bound(header, kinds))


def _known(said: str) -> str:
    if "missing required field `on`" in said:
        return ': name the events, such as on = ["encoding.VersionPublished"]'
    if "unknown field" in said:
        return f": the fields are {', '.join(Header.__struct_fields__)}"
    return f": it reads {', '.join(get_args(Reads))}" if "$.reads" in said else ""


def _check_environment(header: Header) -> None:
    for name, value in header.environment.items():
        if not _VARIABLE.fullmatch(name) or name in _OURS or "\0" in value:
            raise FunctionInvalid(
                f"its header sets {name!r} in `environment`: names are of A-Z, 0-9 and _, and "
                f"{', '.join(_OURS)} are ours"
            )


def _bound(header: Header, kinds: Kinds) -> tuple[str, ...]:
    found: list[str] = []
    for pattern in header.on:
        named = kinds.named(pattern)
        if not named:
            raise FunctionInvalid(
                f"no event is called {pattern!r}: there are {', '.join(sorted(kinds.fields))}"
            )
        found += named
    for reading in header.reads:
        wanted = NEEDS[reading]
        for kind in found:
            if wanted and not kinds.fields[kind].intersection(wanted):
                raise FunctionInvalid(
                    f"it reads {reading!r}, which {kind} does not name: such an event has no "
                    f"{' or '.join(wanted)}"
                )
    return tuple(dict.fromkeys(found))


def doubled(names: Sequence[str]) -> set[str]:
    """Names that more than one of the given ones has."""
    return {name for name in names if names.count(name) > 1}
