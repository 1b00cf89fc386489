"""The supervisor's side of the forkserver: children that are forked instead of started anew.

What control and workers import takes seconds; a fork of a process that has it takes milliseconds,
shares its memory, and is as much a process of its own as any.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import msgspec

from cuemark.app.readiness import at_once
from cuemark.app.supervisor import ChildSpec, Launched, LauncherAway, launched
from cuemark.kit.forkserver import MOST_BYTES, SINGLE_THREADED, Ended, Start, Started

AWAY_S = 30.0


class Forked:
    """A child of the forkserver. ``returncode`` is negative for a signal, None while it runs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._over = asyncio.Event()

    def end(self, status: int) -> None:
        self.returncode = status
        self._over.set()

    async def wait(self) -> int:
        await self._over.wait()
        assert self.returncode is not None
        return self.returncode


class Forkserver:
    """Starts children through the forkserver of this supervisor, which ``spec`` keeps running.

    ``plan`` has, for each module that can be started, the modules that it needs.
    """

    def __init__(self, plan: Mapping[str, Sequence[str]]) -> None:
        self.plan = plan
        self._control: socket.socket | None = None
        self._connected = asyncio.Event()
        self._turn = asyncio.Lock()
        self._asked: asyncio.Future[Forked] | None = None
        self._children: dict[int, Forked] = {}

    def spec(self) -> ChildSpec:
        """The forkserver itself. It takes requests from its start on."""
        return ChildSpec(name="forkserver", argv=(), ready=at_once, launch=self._launch_itself)

    async def launch(self, spec: ChildSpec, output: BinaryIO) -> Forked:
        """Fork a child that runs ``spec``'s module; raises ``LauncherAway``."""
        module, *arguments = spec.argv
        inherited = [listener.fileno() for listener in spec.listeners]
        request = Start(
            name=spec.name,
            module=module,
            arguments=arguments,
            inherited=inherited,
            on_parent_death=int(spec.on_parent_death),
        )
        async with self._turn:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AWAY_S):
                    await self._connected.wait()
            if self._control is None:
                raise self._away()
            self._asked = asyncio.get_running_loop().create_future()
            try:
                descriptors = [output.fileno(), *inherited]
                socket.send_fds(self._control, [msgspec.json.encode(request)], descriptors)
            except OSError as error:
                self._disconnect()
                raise self._away() from error
            try:
                return await self._asked
            finally:
                self._asked = None

    async def _launch_itself(self, spec: ChildSpec, output: BinaryIO) -> Launched:
        self._disconnect()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            plan = msgspec.json.encode(self.plan).decode()
            argv = [sys.executable, "-m", "cuemark.kit.forkserver", str(theirs.fileno()), plan]
            process = await launched(
                argv,
                output,
                on_parent_death=spec.on_parent_death,
                pass_fds=[theirs.fileno()],
                environment={**os.environ, **SINGLE_THREADED},
            )
        ours.setblocking(False)
        self._control = ours
        self._connected.set()
        asyncio.get_running_loop().add_reader(ours, self._hear)
        return process

    def _hear(self) -> None:
        assert self._control is not None
        try:
            message = self._control.recv(MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._disconnect()
            return
        match msgspec.json.decode(message, type=Started | Ended):
            case Started(pid):
                child = self._children[pid] = Forked(pid)
                if self._asked is None or self._asked.done():
                    # Whoever asked was cancelled, and knows nothing of a child.
                    os.kill(pid, signal.SIGKILL)
                else:
                    self._asked.set_result(child)
            case Ended(pid, status):
                self._children.pop(pid).end(status)

    def _disconnect(self) -> None:
        """The forkserver is gone, and its children with it."""
        self._connected.clear()
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(self._away())
        for child in self._children.values():
            child.end(-signal.SIGKILL)
        self._children.clear()

    def _away(self) -> LauncherAway:
        return LauncherAway("the forkserver ended (its last words are in forkserver.out)")
