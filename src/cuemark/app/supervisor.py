"""The supervisor: starts children in order, keeps them running, stops them in reverse order.

Each child leads a process group. A child that ends is noticed at once; what is left of its
group is killed before its successor starts, because an orphan of a killed server would share
the port with it. A child that keeps ending is restarted after a pause that doubles from
``FIRST_PAUSE_S`` to ``LAST_PAUSE_S``.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
import structlog

from cuemark.kit.errors import UNREADABLE, OperatorError
from cuemark.kit.objects import write_private
from cuemark.kit.process import birth_of, group_alive, kill_group, launch_argv

FIRST_PAUSE_S = 0.1
LAST_PAUSE_S = 5.0
STEADY_S = 10.0
BACKLOG = 1024
FIRST_STARTS = 3
HEARSAY_S = 0.2


class StartFailed(OperatorError):
    """A child did not become ready. The message says which, and where its output is."""


class LauncherAway(OSError):
    """What starts a child is not there for the moment."""


class Launched(Protocol):
    """A process of a child. ``returncode`` is negative for a signal, None while it runs."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


async def launched(
    argv: Sequence[str],
    output: BinaryIO,
    *,
    drop_root: bool = False,
    on_parent_death: signal.Signals = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> Launched:
    """Start a program through the launcher."""
    return await asyncio.create_subprocess_exec(
        *launch_argv(argv, drop_root=drop_root, on_parent_death=on_parent_death),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=pass_fds,
        env=environment,
    )


async def launch_program(spec: "ChildSpec", output: BinaryIO) -> Launched:
    """Start a child whose ``argv`` is a program."""
    return await launched(
        spec.argv,
        output,
        drop_root=spec.drop_root,
        on_parent_death=spec.on_parent_death,
        pass_fds=[listener.fileno() for listener in spec.listeners],
    )


@dataclass(frozen=True)
class ChildSpec:
    """How one child is run. ``ready`` says whether it serves; it is asked every 50 ms.

    ``launch`` starts what ``argv`` says, and ``prepare`` runs before each start. ``stop_s`` is how
    long the child may take to end by itself after ``stop_signal`` before its group is killed.
    ``listeners`` are sockets that the supervisor holds and each start of the child inherits under
    the same descriptors: who connects while there is no child waits in the kernel's queue for the
    next one. ``leavings`` are files that the child removes at its end, and cannot where it is
    killed.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    drop_root: bool = False
    on_parent_death: signal.Signals = signal.SIGKILL
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 5.0
    ready_s: float = 30.0
    prepare: Callable[[], None] = field(default=lambda: None)
    listeners: Sequence[socket.socket] = ()
    leavings: Sequence[Path] = ()
    launch: Callable[["ChildSpec", BinaryIO], Awaitable[Launched]] = launch_program


class RecordedGroup(msgspec.Struct, frozen=True):
    """A group that a supervisor started, with what tells it from a later owner of the id.

    ``born`` is when its leader started, as ``birth_of`` has it; no clock that is set moves it.
    """

    name: str
    group: int
    born: str


class Child:
    """One child: its process now, and how often it was started."""

    def __init__(self, spec: ChildSpec, output: Path) -> None:
        self.spec = spec
        self.starts = 0
        self.group = 0
        self.output = output
        self._process: Launched | None = None

    async def start(self) -> None:
        """Start the process. It need not serve yet: see ``wait_ready``."""
        self._remove_leavings()
        self.spec.prepare()
        with self.output.open("ab") as output:
            self._process = await self.spec.launch(self.spec, output)
        self.group = self._process.pid
        self.starts += 1

    @property
    def lives(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended the process."""
        return self._process is not None and (self._process.returncode or 0) < 0

    async def wait_ready(self) -> None:
        deadline = time.monotonic() + self.spec.ready_s
        while not await self.spec.ready():
            if self._process is not None and self._process.returncode is not None:
                raise StartFailed(
                    f"{self.spec.name} ended while starting: {self.last_line()} "
                    f"(all of its output is in {self.output})"
                )
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.spec.name} did not serve within {self.spec.ready_s:.0f} s: "
                    f"see {self.output}"
                )
            await asyncio.sleep(0.05)

    async def ended(self) -> int:
        """Wait for the process to end; its exit status, negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """End the child in its own way, then by force; returns when its group is gone."""
        await self.end(self.spec.stop_signal, self.spec.stop_s)

    async def end(self, how: signal.Signals, within_s: float) -> None:
        """End the child by this signal, then by force; returns when its group is gone."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, how)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._process.wait()
        await self.clear()

    async def clear(self) -> None:
        """Kill what is left of the group and wait until it is gone, with what it left."""
        kill_group(self.group)
        while await asyncio.to_thread(group_alive, self.group):
            await asyncio.sleep(0.02)
        self._remove_leavings()

    def _remove_leavings(self) -> None:
        for path in self.spec.leavings:
            path.unlink(missing_ok=True)

    def last_line(self) -> str:
        """The last that the child said."""
        lines = self.output.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class Supervisor:
    """Runs children until told to stop. ``run_folder`` keeps the record of their groups."""

    def __init__(self, run_folder: Path, logs: Path) -> None:
        self._record = run_folder / "groups.json"
        self._logs = logs
        self._children: list[Child] = []
        self._watchers: dict[str, asyncio.Task[None]] = {}

    @property
    def children(self) -> Sequence[Child]:
        return self._children

    def clear_leftovers(self) -> None:
        """Kill the groups that a supervisor which was killed has left behind."""
        with contextlib.suppress(OSError, *UNREADABLE):
            for left in msgspec.json.decode(self._record.read_bytes(), type=list[RecordedGroup]):
                other_boot = _boot(left.born) != _boot(birth_of(os.getpid()))
                if other_boot or birth_of(left.group) not in (left.born, ""):
                    continue
                kill_group(left.group)
                while group_alive(left.group):
                    time.sleep(0.02)

    async def add(self, spec: ChildSpec) -> Child:
        """Start a child, wait until it serves, and keep it running from then on."""
        child = Child(spec, self._logs / f"{spec.name}.out")
        self._children.append(child)
        try:
            await self._start_first(child)
        except StartFailed:
            await child.stop()
            self._children.remove(child)
            raise
        self._watchers[spec.name] = asyncio.create_task(self._keep(child))
        structlog.get_logger().info("child_started", child=spec.name, pid=child.group)
        return child

    async def run(self, spec: ChildSpec, needs: Child | None = None) -> str:
        """Run a child to its end, and again where it was killed; the last line that it wrote.

        A child that failed while the one that it ``needs`` was away did nothing wrong either.
        Raises ``StartFailed`` where it ended with another status than 0: with that line alone
        where it was 1, which says that the line is a sentence for the user.
        """
        child = Child(spec, self._logs / f"{spec.name}.out")
        # What a cut of power has left of an earlier run's output would stand before this one's.
        child.output.unlink(missing_ok=True)
        self._children.append(child)
        try:
            for starts_left in reversed(range(FIRST_STARTS)):
                starts = needs.starts if needs else 0
                try:
                    await child.start()
                except LauncherAway as error:
                    if not starts_left:
                        raise StartFailed(f"{spec.name} could not be started: {error}") from error
                    continue
                self._write_record()
                status = await child.ended()
                await child.clear()
                if status == 0:
                    return child.last_line()
                if status > 0 and not await self.came_back(needs, starts):
                    break
                structlog.get_logger().warning("child_runs_again", child=spec.name, status=status)
        finally:
            self._children.remove(child)
        said, failed = child.last_line(), f"{spec.name} failed"
        raise StartFailed(said if status == 1 else f"{failed}: {said} (see {child.output})")

    async def came_back(self, child: Child | None, starts: int) -> bool:
        """Whether a child was away since it had been started so often; returns when it serves."""
        if child is None:
            return False
        # Who depends on a child may hear of its end before its supervisor does.
        await asyncio.sleep(HEARSAY_S)
        if child.lives and child.starts == starts:
            return False
        with contextlib.suppress(TimeoutError, StartFailed):
            async with asyncio.timeout(child.spec.ready_s):
                while child.starts == starts:
                    await asyncio.sleep(0.05)
                await child.wait_ready()
        return True

    async def _start_first(self, child: Child) -> None:
        """Start a child until it serves; one that was killed meanwhile did nothing wrong."""
        for starts_left in reversed(range(FIRST_STARTS)):
            try:
                await child.start()
                self._write_record()
                await child.wait_ready()
            except LauncherAway as error:
                if not starts_left:
                    raise StartFailed(f"{child.spec.name} could not be started: {error}") from error
            except StartFailed:
                if not (child.was_killed and starts_left):
                    raise
                await child.clear()
            else:
                return
            structlog.get_logger().warning("child_killed_while_starting", child=child.spec.name)

    async def retire(self, name: str, how: signal.Signals, within_s: float) -> None:
        """End the child of this name by another signal than its own, and keep it no more."""
        child = next(each for each in self._children if each.spec.name == name)
        watcher = self._watchers.pop(name)
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
        await child.end(how, within_s)
        self._children.remove(child)
        structlog.get_logger().info("child_retired", child=name)

    async def stop(self) -> None:
        """Stop all children, the last started first."""
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        for child in reversed(self._children):
            for listener in child.spec.listeners:
                listener.close()
            await child.stop()
            structlog.get_logger().info("child_stopped", child=child.spec.name)
        self._record.unlink(missing_ok=True)

    async def _keep(self, child: Child) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            begun_s = time.monotonic()
            status = await child.ended()
            structlog.get_logger().warning(
                "child_ended", child=child.spec.name, pid=child.group, status=status
            )
            await child.clear()
            if time.monotonic() - begun_s > STEADY_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
            try:
                await child.start()
                self._write_record()
            except OSError as error:
                # A full disk. A child that never started ends at once and is tried again.
                structlog.get_logger().warning(
                    "child_not_started", child=child.spec.name, error=str(error)
                )
                continue
            structlog.get_logger().info(
                "child_restarted", child=child.spec.name, pid=child.group, starts=child.starts
            )
            with contextlib.suppress(StartFailed):
                await child.wait_ready()
                structlog.get_logger().info("child_serves_again", child=child.spec.name)

    def _write_record(self) -> None:
        groups = []
        for child in self._children:
            if born := birth_of(child.group):
                groups.append(RecordedGroup(child.spec.name, child.group, born))
        write_private(self._record, msgspec.json.encode(groups))


def listen(host: str, port: int) -> socket.socket:
    """A socket for a child to inherit; raises ``StartFailed`` where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # Python adds the address to strerror, with brackets of its own.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StartFailed(
            f"nothing can listen on {host} port {port} ({reason}): end what does, or "
            "remove run/ports.json in the data folder so that another port is chosen"
        ) from error
    listener.setblocking(False)
    return listener


def _boot(born: str) -> str:
    return born.partition(":")[0]
