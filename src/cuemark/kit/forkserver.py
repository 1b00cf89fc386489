"""The forkserver: a process that has imported what others need, and forks them.

``python -m cuemark.kit.forkserver DESCRIPTOR PLAN`` serves the Unix socket (``SOCK_SEQPACKET``)
that it inherits under ``DESCRIPTOR``, as long as somebody holds the other end. ``PLAN`` is JSON:
for each module that can be started, the modules to import first. It imports them in that order,
and starts a module once its own are there; so the first is up while the last still load.

Each request is a ``Start`` with the descriptors of the child's output and of what it inherits.
The answers are ``Started`` in the order of the requests, and an ``Ended`` for each child. A child
leads a process group, runs the module's ``main()``, and dies with the forkserver as that dies
with its own parent. Nothing here may start a thread: what a thread holds at a fork is held for
ever in the child.
"""

import contextlib
import fcntl
import importlib
import json
import os
import select
import socket
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

import msgspec
from setproctitle import setproctitle

from cuemark.kit.garbage import keep_loaded
from cuemark.kit.launcher import become_child
from cuemark.kit.process import run_and_leave

MOST_BYTES = 64 << 10
MOST_DESCRIPTORS = 16
SINGLE_THREADED = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""The environment in which the numeric libraries start no threads when they are imported."""


class Start(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A module to run under a name. ``inherited`` are the numbers under which the child has the
    descriptors that come with the request, after the first of them, which is its output."""

    name: str
    module: str
    arguments: list[str]
    inherited: list[int]
    on_parent_death: int


class Started(msgspec.Struct, frozen=True, tag=True):
    pid: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    """``status`` is the exit status, negative for a signal."""

    pid: int
    status: int


class _Request(msgspec.Struct, frozen=True):
    start: Start
    descriptors: list[int]


class Forkserver:
    """Imports by plan, forks on request. Single-threaded: ``run`` is the whole process."""

    def __init__(self, control: socket.socket, plan: Mapping[str, Sequence[str]]) -> None:
        self._control = control
        self._imports = deque((module, name) for module in plan for name in [*plan[module], module])
        self._loading = set(plan)
        self._waiting: deque[_Request] = deque()
        self._children: dict[int, int] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def run(self) -> None:
        """Serve until the other end of the socket is closed."""
        while True:
            for descriptor, _ in self._poll.poll(0 if self._imports else None):
                if descriptor in self._children:
                    self._reap(descriptor)
                elif not self._receive():
                    return
            if self._imports:
                self._import_next()
            while self._waiting and self._waiting[0].start.module not in self._loading:
                self._fork(self._waiting.popleft())

    def _import_next(self) -> None:
        module, name = self._imports.popleft()
        importlib.import_module(name)
        if name == module:
            self._loading.discard(module)
            # What is there now stays: a collection in a child would write to the pages it shares.
            keep_loaded()

    def _receive(self) -> bool:
        message, descriptors, _, _ = socket.recv_fds(self._control, MOST_BYTES, MOST_DESCRIPTORS)
        if not message:
            return False
        self._waiting.append(_Request(msgspec.json.decode(message, type=Start), descriptors))
        return True

    def _fork(self, request: _Request) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(request, parent)
        # The child does the same: whoever is first, its group is there when its id is told.
        with contextlib.suppress(ProcessLookupError):
            os.setpgid(pid, pid)
        for descriptor in request.descriptors:
            os.close(descriptor)
        watch = os.pidfd_open(pid)
        self._children[watch] = pid
        self._poll.register(watch, select.POLLIN)
        self._tell(Started(pid))

    def _reap(self, watch: int) -> None:
        pid = self._children.pop(watch)
        self._poll.unregister(watch)
        os.close(watch)
        _, status = os.waitpid(pid, 0)
        self._tell(Ended(pid, os.waitstatus_to_exitcode(status)))

    def _tell(self, what: Started | Ended) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._control.send(msgspec.json.encode(what))

    def _become(self, request: _Request, parent: int) -> NoReturn:
        """Be the child that was asked for, to its end."""
        try:
            start = request.start
            become_child(parent, start.on_parent_death)
            self._control.close()
            for descriptor in [*self._children, *_of(self._waiting)]:
                os.close(descriptor)
            _place(request.descriptors, start.inherited)
            setproctitle(" ".join(["cuemark", start.name, *start.arguments]))
            sys.argv = [start.module, *start.arguments]
            run_and_leave(importlib.import_module(start.module).main)
        except BaseException:  # noqa: BLE001
            # A child's last words; it must not go on as a second forkserver.
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(os.EX_SOFTWARE)


def _of(waiting: Iterable[_Request]) -> list[int]:
    return [descriptor for request in waiting for descriptor in request.descriptors]


def _place(descriptors: Sequence[int], inherited: Sequence[int]) -> None:
    """Give the first descriptor the numbers 1 and 2, and the others those of ``inherited``."""
    free = 1 + max([2, *inherited])
    moved = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, free) for each in descriptors]
    for each in descriptors:
        os.close(each)
    output, *others = moved
    for number, source in [(1, output), (2, output), *zip(inherited, others, strict=True)]:
        os.dup2(source, number)
    for each in moved:
        os.close(each)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    plan = json.loads(sys.argv[2])
    setproctitle("cuemark forkserver")
    Forkserver(control, plan).run()


if __name__ == "__main__":
    main()
