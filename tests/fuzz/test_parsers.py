"""No input makes a parser of ours do anything but read it or refuse it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import tables

PARSERS = tables.every()
GUIDED_S, SEED = 2, 20261121
ROOT = Path(__file__).parents[2]


def changed(seed: bytes) -> st.SearchStrategy[bytes]:
    """``seed`` with a piece of it replaced, taken out or repeated."""
    places = st.integers(0, len(seed))
    return st.builds(
        lambda at, to, piece, times: seed[: min(at, to)] + piece * times + seed[max(at, to) :],
        places,
        places,
        st.binary(max_size=12) | st.just(seed[:40]),
        st.integers(0, 3),
    )


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    parser, seeds = PARSERS[name]
    parser(data.draw(st.binary(max_size=200) | st.sampled_from(seeds).flatmap(changed)))


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="no wheel for this machine")
def test_what_reaches_new_lines_is_read_or_refused(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "tests.fuzz", "every", str(GUIDED_S), str(SEED), str(tmp_path)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    for name, (_, seeds) in PARSERS.items():
        assert len(list((tmp_path / name).iterdir())) >= len(seeds), name
