"""Coverage-guided fuzzing of parsers: ``python -m tests.fuzz PARSER SECONDS SEED [CORPUS]``.

Atheris follows which lines an input reaches and keeps what reaches new ones, in ``CORPUS`` where
one is named. It ends with an error, and the input in a file ``crash-*``, where a parser raises
what it does not promise. ``every`` for a parser is all of them, one after the other, each with a
folder of its own in ``CORPUS``: what they import is instrumented once.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

from tests.fuzz import tables

EVERY = "every"


def main() -> int:
    name, seconds, seed, *corpus = sys.argv[1:]
    with atheris.instrument_imports(include=["cuemark", "tests.fuzz"]):
        chosen = tables.every() if name == EVERY else {name: tables.found(name)}
    with tempfile.TemporaryDirectory() as temporary:
        kept = Path(corpus[0] if corpus else temporary)
        broken: dict[str, Path] = {}
        for each, (parser, seeds) in chosen.items():
            folder = kept / each if name == EVERY else kept
            folder.mkdir(parents=True, exist_ok=True)
            for number, data in enumerate(seeds):
                (folder / f"seed-{number}").write_bytes(data)
            crash = kept / f"crash-{each}" if name == EVERY else Path(f"crash-{each}")
            flags = [f"-max_total_time={seconds}", f"-seed={seed}", f"-exact_artifact_path={crash}"]
            if not _survives(parser, folder, flags):
                broken[each] = crash
        for each, crash in broken.items():
            _tell(each, chosen[each][0], crash)
    return 1 if broken else 0


def _survives(parser: Callable[[bytes], None], folder: Path, flags: list[str]) -> bool:
    # Atheris ends the process that it fuzzes in.
    pid = os.fork()
    if pid == 0:
        limits = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *flags, *limits, str(folder)], parser)
        atheris.Fuzz()
    return os.waitpid(pid, 0)[1] == 0


def _tell(name: str, parser: Callable[[bytes], None], crash: Path) -> None:
    data = crash.read_bytes() if crash.exists() else b""
    print(f"Broken: {name}, by {data!r}", file=sys.stderr)
    try:
        parser(data)
    except Exception:
        logging.exception("It raised:")


if __name__ == "__main__":
    sys.exit(main())
