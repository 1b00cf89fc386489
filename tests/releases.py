"""Other releases of Cuemark for the tests: this one's code, changed, in a folder of its own."""

import importlib.metadata
import shutil
import sys
from pathlib import Path

import cuemark
from cuemark.kit.release import build_of

SOURCE = Path(cuemark.__file__).parent
CRASH = 'raise RuntimeError("this release cannot serve")\n'


def make_release(releases: Path, note: str, broken: str = "") -> str:
    """Put a release into a folder of releases, as `bin/cuemark` and all of its code; its name.

    ``note`` is what tells it from others; ``broken`` is a module that fails when it is imported.
    """
    draft = releases / f"draft-{note}"
    package = draft / "src" / "cuemark"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "note.txt").write_text(note)
    if broken:
        (package / broken).write_text(CRASH)
    release = f"{importlib.metadata.version('cuemark')}+{build_of(package)}"
    program = draft / "bin" / "cuemark"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'here=$(dirname "$(dirname "$(readlink -f "$0")")")\n'
        f'PYTHONPATH="$here/src" exec {sys.executable} -m cuemark.app.cli "$@"\n'
    )
    program.chmod(0o755)
    draft.rename(releases / release)
    return release
