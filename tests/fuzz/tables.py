"""The tables of parsers: in each, by name, a parser and inputs that it takes."""

import importlib
from collections.abc import Callable

Table = dict[str, tuple[Callable[[bytes], None], list[bytes]]]
DEEP = b'{"x":' + b"[" * 3000
"""JSON that is nested for longer than any reader follows."""
MODULES = ("parsers", "typed", "services")
"""Those that import the least first: a run of one parser imports no more than it must."""


def of(module: str) -> Table:
    table: Table = importlib.import_module(f"tests.fuzz.{module}").PARSERS
    return table


def every() -> Table:
    return {name: entry for module in MODULES for name, entry in of(module).items()}


def found(name: str) -> tuple[Callable[[bytes], None], list[bytes]]:
    """A parser and its inputs; raises ``LookupError`` where no table has that name."""
    for module in MODULES:
        if name in (table := of(module)):
            return table[name]
    raise LookupError(f"no parser is called {name}")
