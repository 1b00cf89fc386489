"""Keeps one appliance running, on one release at a time.

The appliance is a child, run by its release's own program: ``cuemark appliance ... --kept``. An
order of control's, which its agent has written down, replaces it: what it is sending is sent, then
the other release is started on the same folder. One that does not stand its trial makes room
for the release before. A child that ends by itself and is on no trial ends its keeper, with its
status: whatever starts the one has always started the other.
"""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog
from msgspec.structs import replace

from cuemark.app.appliance import FINISH_S
from cuemark.app.folder import DataFolder
from cuemark.app.keeper.releases import ReleaseUnusable, check, one_line, program_of
from cuemark.app.keeper.trial import Trial
from cuemark.app.lock import AlreadyRunning
from cuemark.contracts.steering.reports import ReleaseOrder
from cuemark.edge.orders import HEARD, read_kept, read_order, write_kept
from cuemark.edge.settings import ApplianceSettings
from cuemark.kit.clock import Clock
from cuemark.kit.process import group_alive, kill_group, launch_argv
from cuemark.kit.release import release_here

LOOK_S = 0.2
CONNECT_S = 1.0
STOP_S = 30.0
TOLD_TO_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Keeper:
    """Keeps the appliance of ``settings``, which ``cuemark`` with these ``arguments`` runs."""

    def __init__(
        self,
        folder: DataFolder,
        settings: ApplianceSettings,
        arguments: Sequence[str],
        clock: Clock,
    ) -> None:
        self._root = folder.root
        self._settings = settings
        self._folder = Path(settings.folder)
        self._releases = Path(settings.releases)
        self._arguments = list(arguments)
        self._clock = clock
        self._kept = read_kept(self._folder)
        self._trial: Trial | None = None
        self._stop = False
        self._output = folder.logs / "kept.out"

    def run(self) -> int:
        """Keep it until SIGTERM, SIGINT or SIGHUP; the exit status."""
        for each in TOLD_TO_STOP:
            signal.signal(each, self._told_to_stop)
        with _lock(self._root):
            self._start_kept()
            while not self._stop:
                time.sleep(LOOK_S)
                status = self._child.poll()
                if status is not None and self._trial is None:
                    return status if status >= 0 else 1
                self._look(ended=status is not None)
            self._end(signal.SIGTERM)
        return 0

    def _told_to_stop(self, number: int, frame: object) -> None:
        self._stop = True

    def _look(self, *, ended: bool) -> None:
        now_s = self._clock.monotonic_s()
        if self._trial is not None:
            fault = f"it ended: {self._last_line()}" if ended else self._judged(now_s)
            if fault:
                self._go_back(fault)
                return
        order = read_order(self._folder)
        if order is not None and order.order_id != self._kept.order_id:
            self._obey(order)

    def _judged(self, now_s: float) -> str:
        assert self._trial is not None
        serves = _answers("127.0.0.1", self._settings.agent_port) and _answers(
            _near(self._settings.bind), self._settings.port
        )
        heard = (self._folder / HEARD).exists()
        self._trial = self._trial.seen(now_s, serves=serves, heard=heard)
        if self._trial.over(now_s):
            self._trial = None
            self._keep(on_trial=False)
            structlog.get_logger().info("release_stays", release=self._kept.release)
            return ""
        return self._trial.fault(now_s)

    def _obey(self, order: ReleaseOrder) -> None:
        """Replace the release, unless it can be known before that it would not do."""
        runs = self._kept.release or release_here()
        trouble = ""
        try:
            program = program_of(self._releases, order.release)
            if order.release != runs:
                check(program, order.release, self._arguments)
        except ReleaseUnusable as error:
            trouble = str(error)
        if trouble or order.release == runs:
            structlog.get_logger().warning("order_kept", release=order.release, trouble=trouble)
            self._keep(order_id=order.order_id, trouble=trouble)
            return
        structlog.get_logger().info("release_changes", runs=runs, release=order.release)
        self._keep(
            release=order.release,
            before=runs,
            on_trial=True,
            order_id=order.order_id,
            trouble="",
        )
        self._end(signal.SIGQUIT)
        self._start_kept()

    def _go_back(self, fault: str) -> None:
        release, before = self._kept.release, self._kept.before
        trouble = f"release {release} was left for {before}: {fault}"
        structlog.get_logger().error("release_left", release=release, before=before, fault=fault)
        self._end(signal.SIGTERM)
        self._trial = None
        self._keep(release=before, before="", on_trial=False, trouble=trouble)
        self._start_kept()

    def _start_kept(self) -> None:
        """Start the release that is kept, or where that is gone, what there is."""
        program: list[str] = []
        kept = self._kept
        for release in (kept.release, kept.before, ""):
            try:
                program = program_of(self._releases, release)
                break
            except ReleaseUnusable as error:
                structlog.get_logger().error("release_gone", release=release, trouble=str(error))
                self._keep(release="", before="", on_trial=False, trouble=str(error))
        if release != self._kept.release:
            self._keep(release=release)
        _wait_for_lock(self._root / "run" / "lock")
        (self._folder / HEARD).unlink(missing_ok=True)
        argv = launch_argv([*program, *self._arguments, "--kept"], on_parent_death=signal.SIGTERM)
        with self._output.open("wb") as output:
            self._child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=output)
        self._trial = Trial.begun(self._clock.monotonic_s()) if self._kept.on_trial else None
        structlog.get_logger().info(
            "release_started", release=self._kept.release or release_here(), pid=self._child.pid
        )

    def _end(self, how: signal.Signals) -> None:
        """End the child by this signal, then by force."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(FINISH_S + STOP_S)
        kill_group(self._child.pid)
        self._child.wait()
        while group_alive(self._child.pid):
            time.sleep(0.02)

    def _keep(self, **changes: str | bool) -> None:
        self._kept = replace(self._kept, **changes)
        try:
            write_kept(self._folder, self._kept)
        except OSError as error:
            # A full disk. What is not written is known here, and at worst done once more.
            structlog.get_logger().error("release_not_written_down", trouble=str(error))

    def _last_line(self) -> str:
        with contextlib.suppress(OSError):
            return one_line(self._output.read_text(errors="replace"))
        return "it said nothing"


def _near(bind: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)


def _answers(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), CONNECT_S):
        return True
    return False


def _wait_for_lock(path: Path) -> None:
    """Wait until the child of a keeper that was killed has ended, which it does by itself."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for _ in range(int((FINISH_S + STOP_S) / LOOK_S)):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(LOOK_S)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One keeper for a folder at a time; the appliance's own lock is its child's."""
    descriptor = os.open(root / "run" / "keeper", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise AlreadyRunning(
            f"an appliance runs on {root} already: end it, or choose another folder with --data"
        ) from None
    finally:
        os.close(descriptor)
