"""The launcher: what stands between us and each child until the child's program runs.

``python -I -S launcher.py [--drop-root | --confined WORD...] SIGNAL PARENT -- PROGRAM ARG...``
leads a new process group, asks the kernel for the signal of that number on the parent's death
(``PR_SET_PDEATHSIG``), and runs the program in its own place. ``WORD...`` are those of
``Confinement.arguments``. It runs before each of a film's many small tools, so it is run by its
path, without ``site``, and imports few modules.
"""

import ctypes
import os
import sys
from collections.abc import Mapping

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def become_child(
    expected_parent: int, on_parent_death: int = _SIGKILL, *, drop_root: bool = False
) -> None:
    """Make this process a well-kept child: own group, own user, dead when its parent dies."""
    libc = ctypes.CDLL(None, use_errno=True)
    os.setpgid(0, 0)
    uid, gid = os.getuid(), os.getgid()
    if drop_root and uid == 0:
        from cuemark.kit import confining

        if libc.unshare(confining.CLONE_NEWUSER) == 0:
            confining.write_user_maps(uid, gid)
    libc.prctl(_PR_SET_PDEATHSIG, on_parent_death, 0, 0, 0)
    if os.getppid() != expected_parent:
        sys.exit(1)


def main() -> None:
    arguments = sys.argv[1:]
    flag = arguments.pop(0) if arguments[0].startswith("--") else ""
    limits, readable, writable = [], [], []
    if flag == "--confined":
        limits = [int(arguments.pop(0)) for _ in range(5)]
        readable = [arguments.pop(0) for _ in range(int(arguments.pop(0)))]
        writable = [arguments.pop(0) for _ in range(int(arguments.pop(0)))]
    number, parent, _, *argv = arguments
    become_child(int(parent), int(number), drop_root=flag == "--drop-root")
    environment: Mapping[str, str] = os.environ
    if flag == "--confined":
        from cuemark.kit import confining

        cpu_s, memory_bytes, file_bytes, open_files, niceness = limits
        confining.enter(
            cpu_s=cpu_s,
            memory_bytes=memory_bytes,
            file_bytes=file_bytes,
            open_files=open_files,
            niceness=niceness,
            readable=[argv[0], *readable],
            writable=writable,
        )
        environment = confining.environment()
    try:
        os.execvpe(argv[0], argv, environment)
    except OSError as error:
        sys.exit(f"{argv[0]}: {error.strerror}")


if __name__ == "__main__":
    # Without site nothing is on the path but the standard library.
    sys.path.append(__file__.rpartition("/cuemark/kit/")[0])
    main()
