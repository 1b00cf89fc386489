"""The launcher: what stands between us and each child until the child's program runs.

``python -m cuemark.kit.launcher [--drop-root | --confined JSON] SIGNAL PARENT -- PROGRAM ARG...``
leads a new process group, asks the kernel for ``SIGNAL`` on the parent's death
(``PR_SET_PDEATHSIG``), and runs the program in its own place. It runs before each of a film's
many small tools, so it imports the standard library only.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

from cuemark.kit import confinement
from cuemark.kit.confinement import Confinement

_PR_SET_PDEATHSIG = 1


def become_child(
    expected_parent: int,
    on_parent_death: signal.Signals = signal.SIGKILL,
    *,
    drop_root: bool = False,
) -> None:
    """Make this process a well-kept child: own group, own user, dead when its parent dies."""
    libc = ctypes.CDLL(None, use_errno=True)
    os.setpgid(0, 0)
    uid, gid = os.getuid(), os.getgid()
    if drop_root and uid == 0 and libc.unshare(confinement.CLONE_NEWUSER) == 0:
        confinement.write_user_maps(uid, gid)
    libc.prctl(_PR_SET_PDEATHSIG, on_parent_death, 0, 0, 0)
    if os.getppid() != expected_parent:
        sys.exit(1)


def main() -> None:
    arguments = sys.argv[1:]
    drop_root, confined = arguments[0] == "--drop-root", arguments[0] == "--confined"
    name, parent, _, *argv = arguments[1 if drop_root else 2 if confined else 0 :]
    become_child(int(parent), signal.Signals[name], drop_root=drop_root)
    environment: Mapping[str, str] = os.environ
    if confined:
        confinement.enter(Confinement.decoded(arguments[1]), argv[0])
        environment = confinement.environment()
    try:
        os.execvpe(argv[0], argv, environment)
    except OSError as error:
        sys.exit(f"{argv[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
