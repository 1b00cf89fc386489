"""Demo: `make demo` from a fresh clone with a fresh home, and again."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benches.children import run
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.kit.process import kill_group, launch_argv

ABOUT = """
The committed work tree is cloned to a new folder, and `make demo` is run there with a new, empty
home, so every wheel and npm package comes over the network. *First film* is from the start of the
command to the line that says that a film can be watched; *all films* to its end, when each of the
seven has a quick version or its full one. *Warm* is a second clone with the home of the first and
its caches. Then the same folder again: while Cuemark runs, and after `cuemark down`. The network,
and whatever package mirror lies in between, is part of the cold figure.
"""

FIRST = re.compile(rb"can be watched since")
COLD_S, AGAIN_S = 1500.0, 600.0


def measure(stand: Stand) -> list[Figure]:
    home = stand.scratch("home")
    rows: list[Figure] = []
    for name in ("cold",) if stand.quick else ("cold", "warm"):
        clone = stand.scratch("clones") / name
        run(["git", "clone", "-q", str(_root()), str(clone)], limit_s=120)
        with _down_at_last(clone, home):
            stand.tell(f"{name}: make demo")
            first_s, all_s = _demo(clone, home, COLD_S)
            rows.append(figure(f"demo: {name}, first film", first_s, "s"))
            rows.append(figure(f"demo: {name}, all films", all_s, "s"))
            if name == "cold":
                stand.tell("again, while it runs")
                rows.append(figure("demo: again, while it runs", _demo(clone, home)[1], "s"))
                stand.tell("again, after down")
                _down(clone, home)
                rows.append(figure("demo: again, after down", _demo(clone, home)[1], "s"))
        # Some 2 GB: the next clone brings its own.
        shutil.rmtree(clone)
    return rows


def _root() -> Path:
    return Path(__file__).parents[1]


def _environment(home: Path) -> dict[str, str]:
    """This environment without what would bring caches or settings of its user along."""
    passed = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CUEMARK_", "XDG_", "UV_CACHE", "npm_config_cache", "VIRTUAL_ENV"))
        and name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "MAKEFLAGS", "MAKELEVEL")
    }
    return {**passed, "HOME": str(home), "PYTHONUNBUFFERED": "1"}


def _demo(clone: Path, home: Path, limit_s: float = AGAIN_S) -> tuple[float, float]:
    """Run ``make demo``: seconds to its line of the first film, and to its end."""
    begun_s, first_s = time.monotonic(), 0.0
    output = clone.with_suffix(".out")
    with (
        output.open("wb") as complaints,
        subprocess.Popen(
            launch_argv(["make", "demo"], on_parent_death=signal.SIGTERM),
            cwd=clone,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as process,
    ):
        limit = threading.Timer(limit_s, kill_group, [process.pid])
        limit.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if FIRST.search(line) and not first_s:
                    first_s = time.monotonic() - begun_s
            process.wait()
        finally:
            limit.cancel()
            kill_group(process.pid)
    if process.returncode or not first_s:
        said = output.read_text(errors="replace")[-400:]
        raise BenchFailed(f"make demo failed, or took {limit_s:.0f} s: {said}")
    return first_s, time.monotonic() - begun_s


@contextlib.contextmanager
def _down_at_last(clone: Path, home: Path) -> Iterator[None]:
    try:
        yield
    finally:
        _down(clone, home)


def _down(clone: Path, home: Path) -> None:
    cuemark = clone / ".venv" / "bin" / "cuemark"
    if cuemark.exists():
        argv = [str(cuemark), "down", "--data", str(clone / ".demo")]
        subprocess.run(
            argv, env=_environment(home), stdout=subprocess.DEVNULL, timeout=120, check=False
        )
