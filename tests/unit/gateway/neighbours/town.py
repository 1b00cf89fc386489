"""A gateway with all of its neighbours."""

from collections.abc import Callable
from pathlib import Path

from cuemark.gateway.badges import Badges
from cuemark.gateway.limits import Limiter
from cuemark.gateway.machine import Machine, ProcessState
from cuemark.gateway.parts import GatewayParts
from cuemark.gateway.plans import Plans
from cuemark.kit.clock import Clock, ManualClock
from cuemark.kit.log_errors import LoggedError
from cuemark.kit.log_lines import LogLine
from cuemark.kit.objects import Objects
from cuemark.kit.passport import PassportOffice
from tests.unit.gateway.neighbours.billing import Till
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.encoding import Studio
from tests.unit.gateway.neighbours.fill import Granary
from tests.unit.gateway.neighbours.fraud import Watchman
from tests.unit.gateway.neighbours.functions import Errands
from tests.unit.gateway.neighbours.identity import People
from tests.unit.gateway.neighbours.licensing import Keys
from tests.unit.gateway.neighbours.playback import Theatre
from tests.unit.gateway.neighbours.rights import Notary
from tests.unit.gateway.neighbours.search import Finder
from tests.unit.gateway.neighbours.steering import Guide
from tests.unit.gateway.neighbours.telemetry import Scribe
from tests.unit.gateway.neighbours.viewers import Memory

MACHINE = Machine(
    doing="serving",
    started_at=None,
    processes=[ProcessState(name="worker-1", pid=7, alive=False, restarts=3, memory_bytes=9)],
    disk_free_bytes=10**9,
    disk_total_bytes=10**11,
)


class Town:
    """All neighbours of one gateway, and the parts it is built from."""

    def __init__(
        self,
        folder: Path,
        public_base_url: str | Callable[[], str] = "http://127.0.0.1:8080",
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.people = People(self.clock)
        self.till = Till(self.clock)
        self.films = Films(self.clock)
        self.memory = Memory(self.clock)
        self.theatre = Theatre(self.clock)
        self.keys = Keys(self.clock)
        self.notary = Notary(self.clock)
        self.finder = Finder(self.clock, films=self.films)
        self.studio = Studio(self.clock)
        self.guide = Guide(self.clock)
        self.scribe = Scribe(self.clock)
        self.errands = Errands(self.clock)
        self.granary = Granary(self.clock)
        self.watchman = Watchman(self.clock)
        self.badges = Badges(b"1" * 32, self.clock)
        self.objects = Objects(folder / "objects")
        self.page_folder = folder / "page"
        self.errors: list[LoggedError] = []
        self.lines: list[LogLine] = []
        self.office = PassportOffice(b"0" * 32, self.clock)
        self.parts = GatewayParts(
            identity=self.people,
            billing=self.till,
            catalog=self.films,
            viewers=self.memory,
            playback=self.theatre,
            licensing=self.keys,
            rights=self.notary,
            search=self.finder,
            encoding=self.studio,
            fill=self.granary,
            fraud=self.watchman,
            functions=self.errands,
            steering=self.guide,
            telemetry=self.scribe,
            objects=self.objects,
            office=self.office,
            badges=self.badges,
            plans=Plans(self.till, self.clock),
            limiter=Limiter(self.clock),
            clock=self.clock,
            page_folder=self.page_folder,
            public_base_url=public_base_url,
            service_name="Cuemark",
            machine=lambda: MACHINE,
            last_errors=lambda limit: self.errors[:limit],
            trace_lines=lambda trace_id: [line for line in self.lines if line.trace_id == trace_id],
        )
