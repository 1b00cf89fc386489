"""A box: where a program of somebody else runs with all that it starts, and can only fail.

``python -I -S box.py SPEC`` (``SPEC`` is the JSON of ``cuemark.kit.boxing.Box``) stands between us
and the program as a process group of three:

- this process, which dies with its parent;
- the box's first process, in namespaces of its own (user_namespaces(7), pid_namespaces(7),
  mount_namespaces(7), network_namespaces(7)): whatever the program starts ends with it, and what
  is written goes to a file system in memory of a bounded size;
- the program, under rlimits (setrlimit(2)) and Landlock (landlock(7)).

When the program has ended, the first process ends all else in the box, copies the regular files of
``output/`` out of it, and writes ``Ended`` as JSON. A kernel that does not permit a part of this
leaves it out: ``python -m cuemark.kit.boxing`` tells which. This runs before each function, without
``site``, and imports few modules.
"""

import ctypes
import errno
import json
import os
import resource
import select
import signal
import stat
import sys
from typing import Any, NoReturn

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 2, 4, 1 << 14, 1 << 18
_PR_SET_PDEATHSIG = 1
_RESERVED_PIDS = 300
"""Ids that the kernel gives once and then no more: a bound on ids counts from there."""
_PART_BYTES = 1 << 16
_DEEPEST = 4

OUTPUT = "output"


class Unkept(Exception):
    """What the program left cannot be kept; the text is one sentence without its full stop."""


def main() -> None:
    # Without site nothing is on the path but the standard library.
    sys.path.append(__file__.rpartition("/cuemark/kit/")[0])
    from cuemark.kit.launcher import become_child

    spec: dict[str, Any] = json.loads(sys.argv[1])
    become_child(spec["parent"])
    separate(online=spec["network"])
    # Who changes what it may do loses the signal on its parent's death.
    become_child(spec["parent"])
    alive, held = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(held)
        be_first(spec, alive)
    os.close(alive)
    _, status = os.waitpid(first, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def separate(*, online: bool) -> dict[str, bool]:
    """Enter namespaces, the network's too unless ``online``; what was permitted of them.

    The next process forked is the first of the new process namespace.
    """
    from cuemark.kit import confining

    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    wanted = _NEWUSER | _NEWNS | _NEWPID | _NEWIPC | (0 if online else _NEWNET)
    if libc.unshare(wanted) == 0:
        try:
            confining.write_user_maps(uid, gid)
        except OSError:
            return {"processes": True, "network": not online, "disk": False}
        return {"processes": True, "network": not online, "disk": True}
    kept_off = not online and confining.leave_network()
    return {"processes": False, "network": kept_off, "disk": False}


def be_first(spec: dict[str, Any], alive: int) -> NoReturn:
    """Be the first process of the box, to its end."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if select.select([alive], [], [], 0)[0]:
        os._exit(1)
    os.close(alive)
    is_init = os.getpid() == 1
    if is_init:
        bound_processes(spec["processes"])
    mount_scratch(libc, spec["scratch"], spec["disk_bytes"], spec["files"])
    os.makedirs(os.path.join(spec["scratch"], OUTPUT), exist_ok=True)
    program = os.fork()
    if program == 0:
        be_program(spec)
    code = wait_for(program)
    ended: dict[str, Any] = {"code": code, "left_out": ""}
    if is_init:
        end_all()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended |= {"cpu_s": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss << 10}
    if code == 0:
        try:
            keep(
                os.path.join(spec["scratch"], OUTPUT),
                spec["kept"],
                spec["output_files"],
                spec["disk_bytes"],
            )
        except (Unkept, OSError) as error:
            ended["left_out"] = str(error)
    with open(spec["ended"], "w") as file:
        json.dump(ended, file)
    os._exit(0)


def bound_processes(most: int) -> None:
    """Let this process namespace have no more ids (Linux 6.14; before, the watch holds it)."""
    try:
        with open("/proc/sys/kernel/pid_max") as file:
            whole = int(file.read())
        # A kernel before 6.14 has one bound for the machine, which is not ours to lower; there
        # the file of a machine's own namespace cannot be written from this one.
        if _own_pid_bound():
            with open("/proc/sys/kernel/pid_max", "w") as file:
                file.write(str(min(whole, _RESERVED_PIDS + most)))
    except (OSError, ValueError):
        return


def _own_pid_bound() -> bool:
    release = os.uname().release.split(".")
    try:
        return (int(release[0]), int(release[1])) >= (6, 14)
    except (ValueError, IndexError):
        return False


def mount_scratch(libc: ctypes.CDLL, scratch: str, size_bytes: int, files: int) -> bool:
    """Put a file system of a bounded size in the scratch folder's place; whether that went."""
    libc.mount(None, b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None)
    options = f"size={size_bytes},nr_inodes={files},mode=0700"
    mounted = libc.mount(
        b"tmpfs",
        os.fsencode(scratch),
        b"tmpfs",
        ctypes.c_ulong(_MS_NOSUID | _MS_NODEV),
        options.encode(),
    )
    return int(mounted) == 0


def be_program(spec: dict[str, Any]) -> NoReturn:
    """Give up all that a program does not need, and become it."""
    from cuemark.kit import confining

    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass
    os.nice(spec["niceness"])
    confining.limit(resource.RLIMIT_CORE, 0)
    confining.limit(resource.RLIMIT_CPU, spec["cpu_s"])
    confining.limit(resource.RLIMIT_FSIZE, spec["disk_bytes"])
    confining.limit(resource.RLIMIT_NOFILE, spec["open_files"])
    confining.limit(resource.RLIMIT_NPROC, spec["processes"])
    os.chdir(spec["scratch"])
    confining.restrict_files(spec["readable"], (), owned=[spec["scratch"]], online=spec["network"])
    confining.restrict_sockets()
    confining.limit(resource.RLIMIT_AS, spec["address_bytes"])
    argv = spec["argv"]
    try:
        os.execve(argv[0], argv, spec["environment"])
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(126)


def wait_for(program: int) -> int:
    """Bury what ends until the program does; its exit status, 128 and the signal where one did."""
    while True:
        pid, status = os.wait()
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def end_all() -> None:
    """End every other process of the namespace, of which this is the first."""
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.wait()
    except (ChildProcessError, ProcessLookupError):
        return


def keep(source: str, target: str, files: int, size_bytes: int) -> None:
    """Copy the regular files under ``source`` to ``target``; raises ``Unkept`` where there is more.

    Nobody else runs in the box any more, and no link is followed.
    """
    left = [files, size_bytes]
    os.mkdir(target, 0o700)
    _keep_folder(source, target, left, 1)


def _keep_folder(source: str, target: str, left: list[int], depth: int) -> None:
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        name = entry.name
        shown = ascii(name)
        if not _is_plain(name):
            raise Unkept(f"the output {shown} has a name with other than A-Z a-z 0-9 . _ -")
        mode = entry.stat(follow_symlinks=False).st_mode
        left[0] -= 1
        if left[0] < 0:
            raise Unkept("the output has more files than a function may leave")
        if stat.S_ISDIR(mode):
            if depth >= _DEEPEST:
                raise Unkept(f"the output has folders more than {_DEEPEST} deep, at {shown}")
            os.mkdir(os.path.join(target, name), 0o700)
            _keep_folder(entry.path, os.path.join(target, name), left, depth + 1)
        elif stat.S_ISREG(mode):
            _keep_file(entry.path, os.path.join(target, name), left)
        else:
            raise Unkept(f"the output {shown} is neither a file nor a folder")


def _keep_file(source: str, target: str, left: list[int]) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    while part := os.read(reading, _PART_BYTES):
        left[1] -= len(part)
        if left[1] < 0:
            raise OSError(errno.EFBIG, "the output is larger than the function's disk")
        os.write(writing, part)
    os.close(reading)
    os.close(writing)


def _is_plain(name: str) -> bool:
    return name.isascii() and not name.startswith((".", "-")) and not set(name) - _PLAIN_LETTERS


_PLAIN_LETTERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


if __name__ == "__main__":
    main()
