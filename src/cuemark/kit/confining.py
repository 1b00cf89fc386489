"""Confining the process that calls, and whatever it then runs in its own place.

``enter`` does what ``cuemark.kit.confinement`` tells of. This is imported before each of a film's
many small tools, so it needs few modules, and those that load fast.
"""

import ctypes
import errno
import os
import resource
import struct
from collections.abc import Iterable

CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_PLAIN_USER = 1000

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE, _MAKE = 1 << 4 | 1 << 5, 1 << 7 | 1 << 8
_DEVICE_NODES = 1 << 6 | 1 << 11
_TRUNCATE = 1 << 14
_TCP = 1 << 0 | 1 << 1
_SCOPES = 1 << 0 | 1 << 1
_HANDLED_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_NET_ABI, _IOCTL_ABI, _SCOPE_ABI = 4, 5, 6
_HANDLED_WITH_IOCTL = (1 << 16) - 1

_PR_SET_SECCOMP, _FILTER_MODE = 22, 2
_SECCOMP = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine, the architecture as audit.h has it and the number of socket(2)."""
_IO_URING_SETUP, _OTHER_CALLS = 425, 0x40000000
"""io_uring opens sockets that no filter sees; from the second on, calls are those of x32."""
_FAMILIES = (2, 10, 16)
"""AF_INET and AF_INET6, and AF_NETLINK, by which the C library looks at interfaces."""
_PERMIT, _REFUSE = 0x7FFF0000, 0x00050000

_SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH")


def environment() -> dict[str, str]:
    """The environment of a confined program: where programs are, and none of our settings.

    glibc reserves 64 MB of address space for each arena, and by default has eight for each
    core: a limit on address space would mean another thing on every machine.
    """
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}


def enter(
    *,
    cpu_s: int,
    memory_bytes: int,
    file_bytes: int,
    open_files: int,
    niceness: int,
    readable: Iterable[str],
    writable: Iterable[str],
) -> None:
    """Confine this process. The parameters are those of ``Confinement``."""
    os.nice(niceness)
    leave_network()
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_CPU, cpu_s)
    limit(resource.RLIMIT_FSIZE, file_bytes)
    limit(resource.RLIMIT_NOFILE, open_files)
    restrict_files(readable, writable)
    restrict_sockets()
    limit(resource.RLIMIT_AS, memory_bytes)


def limit(what: int, value: int) -> None:
    """Set a limit, soft and hard, as far as the hard one allows (setrlimit(2))."""
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
    try:  # noqa: SIM105 - contextlib takes as long to import as all the rest
        write_user_maps(uid, gid)
    except OSError:
        pass
    return True


def write_user_maps(uid: int, gid: int) -> None:
    """Give the user namespace just entered its one user; ``uid`` and ``gid`` are those outside.

    Root is an ordinary user inside. Raises ``OSError`` where the kernel does not permit it.
    """
    inside_uid, inside_gid = (uid, gid) if uid else (_PLAIN_USER, _PLAIN_USER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside_uid} {uid} 1"),
        ("gid_map", f"{inside_gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def restrict_files(
    readable: Iterable[str],
    writable: Iterable[str],
    *,
    owned: Iterable[str] = (),
    online: bool = False,
) -> bool:
    """Hide all other files, TCP unless ``online``, and other processes.

    In the folders that are ``owned`` all is permitted that can be done with files. Whether the
    kernel has Landlock.
    """
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
        asked += struct.pack("=Q", 0 if online else _TCP)
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
    for path in owned:
        _allow(libc, ruleset, path, handled & ~_DEVICE_NODES)
    restricted = libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return bool(restricted == 0)


def restrict_sockets() -> bool:
    """Permit sockets of the internet families alone (seccomp(2)); whether the kernel took it.

    Landlock does not govern connect(2) to a socket in the file system, and whoever may connect to
    that of a database or of a container engine has all that those may do. Pairs of sockets are
    another call, which stays. ``restrict_files`` comes first: it gives up new privileges.
    """
    numbers = _SECCOMP.get(os.uname().machine)
    if numbers is None:
        return False
    architecture, socket_number = numbers
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    program = [
        (load, 0, 0, 4),
        (equal, 0, 8, architecture),
        (load, 0, 0, 0),
        (at_least, 6, 0, _OTHER_CALLS),
        (equal, 5, 0, _IO_URING_SETUP),
        (equal, 0, 5, socket_number),
        (load, 0, 0, 16),
        *((equal, 3 - n, 0, family) for n, family in enumerate(_FAMILIES)),
        (answer, 0, 0, _REFUSE | errno.EACCES),
        (answer, 0, 0, _PERMIT),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    held = ctypes.create_string_buffer(code, len(code))
    filters = struct.pack("@HP", len(program), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, filters, 0, 0)) == 0


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
