"""What a program that reads a stranger's bytes may do: work on its files, and else only fail.

``cuemark.kit.launcher`` confines itself, and whatever it then runs in its own place:

- rlimits (setrlimit(2)): CPU time, address space, size of a written file, open files, no core;
- a network namespace of its own with nothing in it, inside a user namespace in which it is an
  ordinary user (user_namespaces(7), network_namespaces(7));
- seccomp (seccomp(2)): it opens sockets of the internet families alone, and no others;
- Landlock (landlock(7)): it reads the files that are named and the system's programs and
  libraries, writes in the folders that are named, and reaches no other process.

Limits hold everywhere. Namespaces and Landlock hold where the kernel permits them to whoever
runs us, and ``python -m cuemark.kit.confinement`` prints, as JSON, which of them do.
"""

import errno
import json
import socket
from dataclasses import dataclass

from cuemark.kit.confining import leave_network, restrict_files


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

    def arguments(self) -> list[str]:
        """What the launcher is told, as words: numbers, then each list behind its length."""
        numbers = [
            self.cpu_s,
            self.memory_bytes,
            self.file_bytes,
            self.open_files,
            self.niceness,
        ]
        words = [str(number) for number in numbers]
        for paths in (self.readable, self.writable):
            words += [str(len(paths)), *paths]
        return words


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
