"""One run of the lab: everything is started, viewers watch, faults come and go, all is told."""

import contextlib
import random
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import imageio_ffmpeg
import msgspec

from cuemark.lab.cdn.faults import CLIENT, Fault, Step, steps_of
from cuemark.lab.cdn.install import Lab
from cuemark.lab.cdn.layout import HUB, Layout, Place
from cuemark.lab.cdn.network import LabUnable, Network
from cuemark.lab.cdn.outcome import Outcome, outcome_of, viewer_of, visits_of

TITLE = "The film of the lab"
READY_S = 90.0
BUFFERED_S = 40.0
"""How much longer than the run the film is: players fetch ahead, and are to fetch to the end."""
LAST_S = 45.0
"""How long after the run's end a viewer may still play: what it waited, and its start."""
TICK_S = 0.05


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is run. ``film`` None: one that is made. ``capacity_kbps`` is what appliances say that
    they carry, ``line_kbps`` what each viewer's line does, 0 for no bound. With ``browse`` one more
    visits the page and begins plays."""

    seconds: float
    faults: list[Fault]
    film: Path | None = None
    form: str = "dash"
    seed: int = 1
    spread_s: float = 2.0
    capacity_kbps: int = 100_000
    line_kbps: int = 0
    browse: bool = False


def run(folder: Path, layout: Layout, wish: Wish, tell: Callable[[str], None]) -> Outcome:
    """Build the lab on an empty ``folder``, run it once, and take it down.

    Raises ``LabUnable``.
    """
    with Network(layout) as network:
        lab = Lab(folder, layout, network)
        try:
            tell("starting the install")
            lab.make_install(wish.capacity_kbps)
            for each in layout.networks:
                lab.start_router(each)
            for each in layout.edges:
                tell(f"starting {each.name}")
                lab.start_appliance(each.name)
            tell("making the film watchable")
            lab.ingest(wish.film or _film(folder, wish.seconds + BUFFERED_S), TITLE)
            tell("waiting until each appliance has it")
            lab.wait_ready(1, READY_S)
            return _Run(lab, layout, network, wish, tell).watched()
        finally:
            tell("stopping")
            lab.stop()


class _Run:
    """The time in which viewers watch."""

    def __init__(
        self,
        lab: Lab,
        layout: Layout,
        network: Network,
        wish: Wish,
        tell: Callable[[str], None],
    ) -> None:
        self._lab = lab
        self._layout = layout
        self._network = network
        self._wish = wish
        self._tell = tell
        self._chance = random.Random(wish.seed)

    def watched(self) -> Outcome:
        zero_s = time.monotonic()
        if self._wish.browse:
            self._lab.start_visitor(TITLE)
        places = self._layout.clients
        pause_s = self._wish.spread_s / len(places)
        children = []
        for place in places:
            self._tell(f"{place.name} begins to watch")
            if self._wish.line_kbps:
                self._network.bound(place.name, self._wish.line_kbps)
            children.append(
                self._lab.start_viewer(place, TITLE, self._wish.seconds, self._wish.form)
            )
            time.sleep(pause_s)
        began_s = time.monotonic()
        for step in steps_of(self._wish.faults, self._wish.seconds):
            self._wait(began_s + step.at_s, children)
            self._tell(f"{step.fault.name} {'begins' if step.begins else 'is over'}")
            self._do(step)
        self._tell("the viewers watch to the end")
        self._wait(began_s + self._wish.seconds + LAST_S, children)
        told = [self._lab.glances_of(place) for place in places]
        viewers = [
            viewer_of(place.name, f"net-{place.network}", glances, ending, zero_s)
            for place, (glances, ending) in zip(places, told, strict=True)
        ]
        late_s = began_s - zero_s
        endings = [ending for _, ending in told]
        seconds = time.monotonic() - zero_s
        found = outcome_of(seconds, late_s, viewers, self._wish.faults, endings)
        if not self._wish.browse:
            return found
        return msgspec.structs.replace(found, visits=visits_of(self._lab.visits(), zero_s))

    def _wait(self, until_s: float, children: Sequence[subprocess.Popen[bytes]]) -> None:
        """Until then, or until nobody watches any more."""
        while time.monotonic() < until_s and any(child.poll() is None for child in children):
            time.sleep(TICK_S)

    def _do(self, step: Step) -> None:
        fault, begins = step.fault, step.begins
        match fault.kind:
            case "kill":
                if begins:
                    self._network.kill(fault.what)
                elif fault.what == HUB:
                    self._lab.start_install()
                else:
                    self._lab.start_appliance(fault.what)
            case "freeze":
                self._network.send(fault.what, signal.SIGSTOP if begins else signal.SIGCONT)
            case "drain":
                self._lab.cuemark("appliances", "drain" if begins else "undrain", fault.what)
            case "rot":
                self._rot(fault)
            case "cut":
                self._network.plug(fault.what, in_=not begins)
            case "slow":
                before = self._wish.line_kbps if fault.what.startswith(CLIENT) else 0
                self._network.bound(fault.what, fault.value if begins else before)
            case "withdraw":
                self._lab.route(self._place(fault), tells=not begins)
            case "silence":
                if begins:
                    self._lab.silence(self._place(fault))
                else:
                    self._lab.start_router(self._place(fault))
            case "away":
                self._lab.send(fault.what, signal.SIGSTOP if begins else signal.SIGCONT)
            case _:
                raise LabUnable(f"nobody knows how to do {fault.name}")

    def _place(self, fault: Fault) -> Place:
        return self._layout.named(fault.what)

    def _rot(self, fault: Fault) -> None:
        """Flip a bit in the middle of files that it holds, chosen by the seed."""
        files = self._lab.stored_files(fault.what)
        for file in self._chance.sample(files, min(fault.value, len(files))):
            with contextlib.suppress(FileNotFoundError), file.open("r+b") as opened:
                opened.seek(file.stat().st_size // 2)
                byte = opened.read(1)
                opened.seek(-len(byte), 1)
                opened.write(bytes(each ^ 1 for each in byte))


def _film(folder: Path, seconds: float) -> Path:
    """A film of moving shapes and a tone, of few frames: it is encoded before anybody watches."""
    film = folder / "film.mp4"
    pictures = f"testsrc2=size=640x360:rate=8:duration={seconds:g}"
    sound = f"sine=frequency=330:sample_rate=48000:duration={seconds:g}"
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", pictures]
    argv += ["-f", "lavfi", "-i", sound, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"]
    done = subprocess.run(
        [*argv, "-c:a", "aac", str(film)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LabUnable(f"the film cannot be made: {done.stderr.strip()}")
    return film
