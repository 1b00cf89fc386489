"""Filesystems of a test's own: small ones that fill, and ones whose power can be cut.

They are ext4 on loop devices, mounted in a mount namespace of the test process, so that nothing
of them outlives it. This needs root.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

BALLAST = "ballast"

_CLONE_NEWNS = 0x00020000
_EXT4_IOC_SHUTDOWN = 0x8004587D
_WITHOUT_THE_JOURNAL = 2
_LETS_GO_S = 20.0

_SYNCS_NOTHING_BY_ITSELF = "noatime,noauto_da_alloc,data=writeback,commit=600"
"""ext4 at its most forgetful: no flush on a rename, none after a while, data in no order."""


def mount_in_private() -> None:
    """Give this process a mount namespace of its own, once; skips the test where it may not."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("a filesystem of the test's own needs root and mkfs.ext4")
    if os.environ.get("CUEMARK_TEST_MOUNTS") == str(os.getpid()):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        pytest.skip("this machine lets nobody mount")
    _run("mount", "--make-rprivate", "/")
    os.environ["CUEMARK_TEST_MOUNTS"] = str(os.getpid())


class Disk:
    """An ext4 of ``size_mb`` in the file ``image``, mounted at ``at``."""

    def __init__(self, image: Path, at: Path) -> None:
        self.image = image
        self.at = at

    def format(self, size_mb: int) -> None:
        with self.image.open("wb") as file:
            file.truncate(size_mb << 20)
        _run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1", str(self.image))

    def mount(self) -> None:
        self.at.mkdir(parents=True, exist_ok=True)
        options = f"loop,{_SYNCS_NOTHING_BY_ITSELF}"
        _run("mount", "-o", options, str(self.image), str(self.at))
        shutil.rmtree(self.at / "lost+found", ignore_errors=True)

    def unmount(self) -> None:
        """Unmount it; raises ``AssertionError`` where somebody holds it still after a while.

        A process that was killed is gone before its last files are: the kernel closes what its
        threads and its rings had open in its own time.
        """
        until_s = time.monotonic() + _LETS_GO_S
        while (told := _told(["umount", str(self.at)])) and time.monotonic() < until_s:
            time.sleep(0.05)
        assert not told, f"{told}; held by {_holders(self.at)}"

    def cut_power(self) -> None:
        """From now on nothing reaches the disk, not even the journal of what was done before.

        What the filesystem then shows, mounted again, is what a machine finds after its power
        was cut: what was synced, and nothing that anybody must rely on besides.
        """
        descriptor = os.open(self.at, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _EXT4_IOC_SHUTDOWN, struct.pack("I", _WITHOUT_THE_JOURNAL))
        finally:
            os.close(descriptor)

    def fill(self) -> None:
        """Leave no byte free. What is freed later is free: fill again to take that as well."""
        with contextlib.suppress(OSError), (self.at / BALLAST).open("ab", buffering=0) as ballast:
            while ballast.write(b"\xa5" * (1 << 20)):
                pass
        with contextlib.suppress(OSError), (self.at / BALLAST).open("ab", buffering=0) as ballast:
            while ballast.write(b"\xa5" * 512):
                pass

    def make_room(self) -> None:
        (self.at / BALLAST).unlink()


def _run(*argv: str) -> None:
    assert not (told := _told(argv)), told


def _told(argv: Sequence[str]) -> str:
    """Why a command failed; empty where it did not."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return f"{' '.join(argv)}: {done.stderr.strip()}" if done.returncode else ""


def _holders(folder: Path) -> list[str]:
    """The threads with a file open below ``folder``: also those of a process that is a zombie."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/task/*/fd/*"):
        with contextlib.suppress(OSError):
            if descriptor.readlink().is_relative_to(folder):
                command = (descriptor.parents[1] / "comm").read_text().strip()
                found.append(f"{command} ({descriptor.parents[1].name}): {descriptor.readlink()}")
    return found
