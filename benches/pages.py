"""The benches, in the order in which they run and are shown, and what is told of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from benches import (
    billing,
    capacity,
    catalog,
    demo,
    effort,
    encoding,
    entitled,
    farm,
    grain,
    hits,
    home,
    households,
    ingest,
    inventory,
    keeping,
    lines,
    memory,
    planner,
    plans,
    plays,
    redirects,
    rights,
    routes,
    scrub,
    search,
    stampede,
    start,
    steered,
    steering,
    stuffing,
    tier,
    validation,
    viewing,
    watermark,
)
from benches.figures import Figure
from benches.stand import Stand


class Measuring(Protocol):
    """A module that measures, and tells what."""

    ABOUT: str

    def measure(self, stand: Stand) -> list[Figure]: ...


@dataclass(frozen=True)
class Bench:
    """``alone`` says that it wants the machine without the shared install, ``edge`` that it
    measures the data plane, and ``control`` the control plane."""

    module: Measuring
    alone: bool = False
    edge: bool = False
    control: bool = False


BENCHES: Mapping[str, Bench] = {
    "ingest": Bench(ingest),
    "start": Bench(start),
    "capacity": Bench(capacity),
    "memory": Bench(memory),
    "steered": Bench(steered, edge=True),
    "stampede": Bench(stampede, alone=True, edge=True),
    "hits": Bench(hits, alone=True, edge=True),
    "lines": Bench(lines, alone=True, edge=True),
    "steering": Bench(steering, alone=True, edge=True),
    "redirects": Bench(redirects, alone=True, edge=True),
    "routes": Bench(routes, alone=True, edge=True),
    "inventory": Bench(inventory, alone=True, edge=True),
    "keeping": Bench(keeping, alone=True, edge=True),
    "scrub": Bench(scrub, alone=True, edge=True),
    "validation": Bench(validation, alone=True),
    "effort": Bench(effort, alone=True),
    "farm": Bench(farm, alone=True),
    "grain": Bench(grain, alone=True),
    "billing": Bench(billing, alone=True, control=True),
    "entitled": Bench(entitled, alone=True, control=True),
    "planner": Bench(planner, alone=True, edge=True),
    "plans": Bench(plans, alone=True, edge=True),
    "tier": Bench(tier, alone=True, edge=True),
    "rights": Bench(rights, alone=True, control=True),
    "households": Bench(households, alone=True, control=True),
    "stuffing": Bench(stuffing, alone=True, control=True),
    "home": Bench(home, alone=True, control=True),
    "viewing": Bench(viewing, alone=True, control=True),
    "watermark": Bench(watermark, alone=True),
    "catalog": Bench(catalog, alone=True, control=True),
    "search": Bench(search, alone=True, control=True),
    "plays": Bench(plays, alone=True, control=True),
    "demo": Bench(demo, alone=True),
}
"""Those that share the install come first."""

ABOUTS: Mapping[str, str] = {
    **{name: bench.module.ABOUT for name, bench in BENCHES.items()},
    "encoding": encoding.ABOUT,
}
"""``benches.encoding`` has a command of its own."""

ORDER = list(ABOUTS)
