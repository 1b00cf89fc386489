"""Programs that a bench starts: in groups of their own, and gone when the bench is."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from benches.failure import BenchFailed
from cuemark.kit.process import kill_group, launch_argv

_LAST_CHARACTERS = 600


@contextlib.contextmanager
def child(
    argv: Sequence[str],
    output: Path,
    *,
    environment: dict[str, str] | None = None,
    drop_root: bool = False,
    stop: signal.Signals = signal.SIGTERM,
    stop_s: float = 60.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs as long as the block, writing to ``output``."""
    with (
        output.open("ab") as stream,
        subprocess.Popen(
            launch_argv(argv, drop_root=drop_root, on_parent_death=stop),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=environment,
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(stop)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(stop_s)
            kill_group(process.pid)


def run(argv: Sequence[str], *, limit_s: float, cwd: Path | None = None) -> str:
    """Run a program to its end within a time; its stdout. Raises ``BenchFailed``."""
    with subprocess.Popen(
        launch_argv(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired as error:
            raise BenchFailed(f"{argv[0]} ran longer than {limit_s:.0f} s") from error
        finally:
            kill_group(process.pid)
    if process.returncode:
        words = stderr.decode(errors="replace").strip()[-_LAST_CHARACTERS:]
        raise BenchFailed(f"{argv[0]} ended with {process.returncode}: {words}")
    return stdout.decode(errors="replace")
