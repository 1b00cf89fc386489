"""Coverage-guided fuzzing of one parser: ``python -m tests.fuzz PARSER SECONDS SEED [CORPUS]``.

Atheris follows which lines an input reaches and keeps what reaches new ones, in ``CORPUS`` where
one is named. It ends with an error, and the input in a file ``crash-*``, where a parser raises
what it does not promise.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

from tests.fuzz import tables


def main() -> None:
    name, seconds, seed, *corpus = sys.argv[1:]
    with atheris.instrument_imports(include=["cuemark", "tests.fuzz"]):
        parser, seeds = tables.found(name)
    with contextlib.ExitStack() as stack:
        folder = Path(corpus[0] if corpus else stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(seeds):
            (folder / f"seed-{number}").write_bytes(data)
        flags = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=4096", "-timeout=10"]
        atheris.Setup([sys.argv[0], *flags, "-rss_limit_mb=2048", str(folder)], parser)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
