"""The namespaces of a lab and the cables between them, by ``ip`` and ``tc`` of iproute2."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence

import psutil

from cuemark.lab.cdn.layout import CORE, Layout, Place, prefix_of

PREFIX = "cuelab"
CABLE = "uplink"
_LIMIT_S = 20.0


class LabUnable(Exception):
    """This machine cannot have a lab, or something of it failed; the text is one sentence."""


def call(*argv: str) -> str:
    """Run a program of the system to its end; its stdout. Raises ``LabUnable``."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabUnable(f"{' '.join(argv)}: {error}") from error
    if done.returncode:
        raise LabUnable(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def check() -> None:
    """Raise ``LabUnable`` where namespaces may not be made, or what makes them is missing."""
    if os.geteuid() != 0:
        raise LabUnable("a lab of network namespaces needs root: run it with sudo")
    for program, package in (
        ("ip", "iproute2"),
        ("tc", "iproute2"),
        ("nsenter", "util-linux"),
        ("bird", "bird2"),
        ("birdc", "bird2"),
    ):
        if shutil.which(program) is None:
            raise LabUnable(f"{program} is missing: run apt-get install {package}")


class Network:
    """The namespaces of a layout, for as long as the ``with`` block lasts.

    What runs in them when it ends is killed.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._tag = f"{PREFIX}{os.getpid()}"

    def __enter__(self) -> "Network":
        sweep()
        with contextlib.ExitStack() as half_made:
            half_made.callback(self._unmake)
            self._make()
            half_made.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._unmake()

    def inside(self, name: str, argv: Sequence[str]) -> list[str]:
        """The command line that runs ``argv`` in a namespace."""
        return ["nsenter", f"--net=/run/netns/{self._of(name)}", *argv]

    def send(self, name: str, number: signal.Signals) -> None:
        """Signal every process of a namespace."""
        _send(self._of(name), number)

    def kill(self, name: str) -> None:
        """Kill every process of a namespace: stopped first, so that none starts another."""
        for number in (signal.SIGSTOP, signal.SIGKILL, signal.SIGKILL):
            self.send(name, number)

    def plug(self, name: str, *, in_: bool) -> None:
        """Pull out a cable, or put it in again, with the routes that went with it."""
        place = self._layout.named(name)
        self._ip(place.name, "link", "set", CABLE, "up" if in_ else "down")
        if in_:
            self._ip(place.name, "route", "replace", "default", "via", place.gateway)

    def bound(self, name: str, kbps: int) -> None:
        """Let a place's line carry so much towards viewers; 0: as much as it can.

        That of an appliance or of the hub is bound as it sends, that of a viewer's network or of
        a viewer as it is sent to.
        """
        place = self._layout.named(name)
        sends = place.network == 0 or place in self._layout.edges
        where, device = (name, CABLE) if sends else (place.to, name)
        queue = ("root", "tbf", "rate", f"{kbps}kbit", "burst", "32kb", "latency", "200ms")
        change = ["replace", "dev", device, *queue] if kbps else ["del", "dev", device, "root"]
        call(*self.inside(where, ["tc", "qdisc", *change]))

    def _of(self, name: str) -> str:
        return f"{self._tag}-{name}"

    def _ip(self, name: str, *arguments: str) -> None:
        call("ip", "-n", self._of(name), *arguments)

    def _make(self) -> None:
        for name in (CORE, *(each.name for each in self._layout.places)):
            call("ip", "netns", "add", self._of(name))
            self._ip(name, "link", "set", "lo", "up")
        for place in self._layout.places:
            self._cable(place)
        for place in self._layout.networks:
            route = ("route", "add", prefix_of(place.network), "via", place.address)
            self._ip(CORE, *route)
        forwarding = "echo 1 > /proc/sys/net/ipv4/ip_forward"
        for name in (CORE, *(each.name for each in self._layout.networks)):
            call(*self.inside(name, ["sh", "-c", forwarding]))

    def _cable(self, place: Place) -> None:
        there, here = self._of(place.to), self._of(place.name)
        ends = ("type", "veth", "peer", "name", CABLE, "netns", here)
        call("ip", "link", "add", place.name, "netns", there, *ends)
        for name, device, address in (
            (place.to, place.name, place.gateway),
            (place.name, CABLE, place.address),
        ):
            self._ip(name, "address", "add", f"{address}/30", "dev", device)
            self._ip(name, "link", "set", device, "up")
        self._ip(place.name, "route", "add", "default", "via", place.gateway)

    def _unmake(self) -> None:
        for name in (*(each.name for each in self._layout.places), CORE):
            _remove(self._of(name))


def sweep() -> None:
    """Remove the namespaces of labs that were killed."""
    for name in _namespaces():
        maker = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and maker.isdecimal() and not psutil.pid_exists(int(maker)):
            _remove(name)


def _namespaces() -> Iterator[str]:
    for line in call("ip", "netns", "list").splitlines():
        yield line.split()[0]


def _send(namespace: str, number: signal.Signals) -> None:
    """Signal every process of a namespace; nobody, where it is gone."""
    try:
        pids = call("ip", "netns", "pids", namespace).split()
    except LabUnable:
        return
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), number)


def _remove(namespace: str) -> None:
    _send(namespace, signal.SIGKILL)
    with contextlib.suppress(LabUnable):
        call("ip", "netns", "del", namespace)
