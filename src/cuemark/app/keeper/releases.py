"""The releases on a host: ``RELEASES/<release>/bin/cuemark``, each complete in itself."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cuemark.kit.release import is_release, release_here

CHECK_S = 20.0
_SAID = 300


class ReleaseUnusable(Exception):
    """A release that cannot be run here. The message is one sentence."""


def program_of(releases: Path, release: str) -> list[str]:
    """What runs a release: this process's own program, or the one in the folder.

    Raises ``ReleaseUnusable``.
    """
    if release in ("", release_here()):
        return [sys.executable, "-m", "cuemark.app.cli"]
    if not is_release(release):
        raise ReleaseUnusable(f"{release[:80]!r} names no release")
    program = releases / release / "bin" / "cuemark"
    if not program.is_file():
        raise ReleaseUnusable(f"release {release} is not in {releases}")
    return [str(program)]


def check(program: Sequence[str], release: str, arguments: Sequence[str]) -> None:
    """Find out, without serving, whether a program is this release and takes this appliance's file.

    ``arguments`` are those of ``cuemark appliance``. Raises ``ReleaseUnusable``.
    """
    said = _run([*program, "--version"], release)
    if release not in said.split():
        raise ReleaseUnusable(f"what lies in the folder of {release} says it is {one_line(said)!r}")
    _run([*program, *arguments, "--check"], release)


def _run(argv: Sequence[str], release: str) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=CHECK_S, check=False
        )
    except OSError as error:
        raise ReleaseUnusable(f"release {release} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ReleaseUnusable(
            f"release {release} did not end within {CHECK_S:.0f} s: {argv[-1]}"
        ) from error
    if done.returncode:
        raise ReleaseUnusable(f"release {release} fails: {one_line(done.stderr or done.stdout)}")
    return done.stdout.strip()


def one_line(said: str) -> str:
    """The end of what a program said, as part of a sentence."""
    lines = said.strip().splitlines()
    last = "".join(each for each in (lines[-1] if lines else "") if each.isprintable())
    return last[-_SAID:] or "it said nothing"
