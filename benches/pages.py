"""The benches in the order in which they are shown, and what is told of each."""

from collections.abc import Mapping

from benches import (
    capacity,
    demo,
    effort,
    encoding,
    farm,
    grain,
    hits,
    ingest,
    inventory,
    lines,
    memory,
    planner,
    routes,
    scrub,
    stampede,
    start,
    steered,
    steering,
    validation,
    watermark,
)

ABOUTS: Mapping[str, str] = {
    "ingest": ingest.ABOUT,
    "start": start.ABOUT,
    "capacity": capacity.ABOUT,
    "memory": memory.ABOUT,
    "steered": steered.ABOUT,
    "stampede": stampede.ABOUT,
    "hits": hits.ABOUT,
    "steering": steering.ABOUT,
    "routes": routes.ABOUT,
    "lines": lines.ABOUT,
    "inventory": inventory.ABOUT,
    "scrub": scrub.ABOUT,
    "validation": validation.ABOUT,
    "effort": effort.ABOUT,
    "farm": farm.ABOUT,
    "grain": grain.ABOUT,
    "planner": planner.ABOUT,
    "watermark": watermark.ABOUT,
    "demo": demo.ABOUT,
    "encoding": encoding.ABOUT,
}
ORDER = list(ABOUTS)
