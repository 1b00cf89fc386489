"""What a program that reads a stranger's bytes may do: work on its files, and else only fail.

``enter`` confines the process that calls it, and whatever it then runs in its own place:

- rlimits (setrlimit(2)): CPU time, address space, size of a written file, open files, no core;
- a network namespace of its own with nothing in it, inside a user namespace in which it is an
  ordinary user (user_namespaces(7), network_namespaces(7));
- Landlock (landlock(7)): it reads the files that are named and the system's programs and
  libraries, writes in the folders that are named, and reaches no other process.

Limits hold everywhere. Namespaces and Landlock hold where the kernel permits them to whoever
runs us, and ``python -m cuemark.kit.confinement`` prints, as JSON, which of them do.
"""

import contextlib
import ctypes
import errno
import json
import os
import resource
import socket
import struct
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_PLAIN_USER = 1000

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE, _MAKE = 1 << 4 | 1 << 5, 1 << 7 | 1 << 8
_TRUNCATE = 1 << 14
_TCP = 1 << 0 | 1 << 1
_SCOPES = 1 << 0 | 1 << 1
_HANDLED_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_NET_ABI, _IOCTL_ABI, _SCOPE_ABI = 4, 5, 6
_HANDLED_WITH_IOCTL = (1 << 16) - 1

_SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH")


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """Limits of one run, and the paths it works on. ``writable`` are folders."""

    cpu_s: int
    memory_bytes: int
    file_bytes: int
    open_files: int
    niceness: int
    readable: tuple[str, ...]
    writable: tuple[str, ...]

    def encoded(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decoded(cls, text: str) -> "Confinement":
        fields = json.loads(text)
        for name in ("readable", "writable"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def environment() -> dict[str, str]:
    """The environment of a confined program: where programs are, and none of our settings.

    glibc reserves 64 MB of address space for each arena, and by default has eight for each
    core: a limit on address space would mean another thing on every machine.
    """
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}


def enter(confinement: Confinement, program: str) -> None:
    """Confine this process, which is about to run ``program``."""
    os.nice(confinement.niceness)
    leave_network()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, confinement.cpu_s)
    _limit(resource.RLIMIT_FSIZE, confinement.file_bytes)
    _limit(resource.RLIMIT_NOFILE, confinement.open_files)
    restrict_files([program, *confinement.readable], confinement.writable)
    _limit(resource.RLIMIT_AS, confinement.memory_bytes)


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def leave_network() -> bool:
    """Enter a network namespace with no interface that is up; whether that was permitted."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | _CLONE_NEWNET):
        return uid == 0 and libc.unshare(_CLONE_NEWNET) == 0
    # Without the maps the user is nobody inside; files are opened as who we are outside.
    with contextlib.suppress(OSError):
        write_user_maps(uid, gid)
    return True


def write_user_maps(uid: int, gid: int) -> None:
    """Give the user namespace just entered its one user; ``uid`` and ``gid`` are those outside.

    Root is an ordinary user inside. Raises ``OSError`` where the kernel does not permit it.
    """
    inside_uid, inside_gid = (uid, gid) if uid else (_PLAIN_USER, _PLAIN_USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside_gid} {gid} 1")


def restrict_files(readable: Iterable[str], writable: Iterable[str]) -> bool:
    """Hide all other files, TCP and other processes; whether the kernel has Landlock."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    abi = int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION))
    if abi < 1:
        return False
    handled = _HANDLED_BY_ABI.get(abi, _HANDLED_BY_ABI[3])
    handled = _HANDLED_WITH_IOCTL if abi >= _IOCTL_ABI else handled
    asked = struct.pack("=Q", handled)
    if abi >= _NET_ABI:
        asked += struct.pack("=Q", _TCP)
    if abi >= _SCOPE_ABI:
        asked += struct.pack("=Q", _SCOPES)
    ruleset = int(libc.syscall(_CREATE_RULESET, asked, ctypes.c_size_t(len(asked)), 0))
    if ruleset < 0:
        return False
    look = _READ | _LIST | _EXECUTE
    for path in (*_SYSTEM, *readable):
        _allow(libc, ruleset, path, look)
    for path in _DEVICES:
        _allow(libc, ruleset, path, _READ | _WRITE)
    for path in writable:
        _allow(
            libc, ruleset, path, (_READ | _WRITE | _LIST | _REMOVE | _MAKE | _TRUNCATE) & handled
        )
    restricted = libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return bool(restricted == 0)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= _READ | _WRITE | _EXECUTE | _TRUNCATE
    rule = struct.pack("=Qi", rights, descriptor)
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    os.close(descriptor)


def main() -> None:
    """Confine this process and print what held, by trying it."""
    leave_network()
    restrict_files([], [])
    print(json.dumps({"network": not _connects(), "files": not _reads("/etc/passwd")}))


def _connects() -> bool:
    """Whether a datagram has a way out; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("127.0.0.1", 9))
        except OSError as error:
            return error.errno not in (errno.ENETUNREACH, errno.EACCES, errno.EPERM)
        return True


def _reads(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


if __name__ == "__main__":
    main()
