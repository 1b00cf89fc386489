"""The part of a version's report on its cost: CPU, bytes, and the energy that they stand for."""

import math
from collections.abc import Iterable, Sequence

from cuemark.contracts.encoding.reports import CostPart, Costs, StageTime, StoredPart, VersionReport
from cuemark.gateway.operations import bars
from cuemark.gateway.operations.bars import Part
from cuemark.gateway.operations.html import Html, el, join, table

_TRADES = (
    "fast takes less CPU than balanced and more bits for the same quality, best more CPU and fewer "
    "bits; the quick version and the gate are the same for all"
)
_GROUPS = (
    ("rung", "the rungs of this version", 0),
    ("mark", "their variants with the mark", 6),
    ("probes", "probes and ladder", 1),
    ("other_version", "", 4),
    ("title", "inspection, sound, packaging, validation", 2),
    ("in_hand", "still at work", 3),
    ("thrown_away", "thrown away", 5),
)
_PROBING = ("probes", "ladder")


def costs_section(report: VersionReport) -> Html | None:
    """What the job took and what is stored; none where nothing is known of it."""
    if report.costs is None or not report.costs.parts:
        return None
    costs, minutes = report.costs, report.version.duration_s / 60
    return join(
        [
            _tiles(costs, minutes),
            el("p", "Effort: ", el("b", report.effort), f" ({_TRADES})."),
            _whole(report, costs),
            _thrown_away(costs),
            el("h3", "Each rung of this version"),
            _rungs(report, costs),
            el("h3", "Each stage"),
            _stages(report.stages),
            el("h3", "What is stored"),
            _stored(costs.stored),
            _estimate(costs),
            _of_title(costs),
        ]
    )


def _tiles(costs: Costs, minutes: float) -> Html:
    version = [each for each in costs.stored if each.kind != "master"]
    size_bytes = sum(each.size_bytes for each in version)
    year = math.fsum(each.energy_wh_per_year for each in costs.stored)
    lost = _sum(each for each in costs.parts if each.kind == "thrown_away")
    tiles = [
        (
            _seconds(costs.cpu_s),
            f"of CPU for both versions, {_seconds(costs.cpu_s / minutes)} a minute of film",
        ),
        (
            _energy(costs.energy_wh),
            f"to encode, estimated: {_energy(costs.energy_wh / minutes)} a minute of film",
        ),
        (_size(size_bytes), f"this version, {_size(size_bytes / minutes)} a minute of film"),
        (_energy(year), "a year to store it and its master once, estimated"),
        (f"{100 * lost / costs.cpu_s if costs.cpu_s else 0:.0f} %", "of the CPU thrown away"),
    ]
    return el(
        "div",
        *(el("div", el("b", value), el("span", what), class_="tile") for value, what in tiles),
        class_="tiles",
    )


def _whole(report: VersionReport, costs: Costs) -> Html:
    other = "full" if report.version.quality == "quick" else "quick"
    parts = []
    for group, name, color in _GROUPS:
        cpu_s = _sum(each for each in costs.parts if _group(each) == group)
        if cpu_s > 0:
            label = f"{_seconds(cpu_s)}, about {_energy(costs.energy_wh * cpu_s / costs.cpu_s)}"
            name = name or f"the {other} version"
            parts.append(Part(name=name, value=cpu_s, label=label, color=color))
    return bars.whole(
        "spent",
        "Where the CPU went",
        "The CPU of the job in parts that make the whole; the legend has the same figures.",
        parts,
    )


def _group(part: CostPart) -> str:
    return "probes" if part.kind == "title" and part.stage in _PROBING else part.kind


def _thrown_away(costs: Costs) -> Html:
    lost: dict[str, list[CostPart]] = {}
    for each in costs.parts:
        if each.kind == "thrown_away":
            lost.setdefault(each.name, []).append(each)
    if not lost:
        return el("p", "Nothing was done twice or thrown away.", class_="note")
    told = [
        el("li", f"{name}: {_seconds(_sum(some))}, {_size(_bytes(some))}")
        for name, some in lost.items()
    ]
    note = "Thrown away: what was encoded anew or dropped, and what ended with no result."
    return join([el("p", note), el("ul", *told)])


def _rungs(report: VersionReport, costs: Costs) -> Html:
    stored = {each.name: each for each in costs.stored if each.kind == "rendition"}
    rungs = {
        rendition.rendition_id: [
            each
            for each in costs.parts
            if each.kind == "rung" and each.name == rendition.rendition_id
        ]
        for rendition in report.version.renditions
    }
    longest = max(_sum(parts) for parts in rungs.values())
    rows = []
    for name, parts in rungs.items():
        measured = [each for each in parts if each.stage == "verify"]
        kept = stored[name]
        rows.append(
            [
                name,
                bars.cell(_sum(parts), longest, 0),
                f"{_sum(parts):.1f}",
                f"{_sum(measured):.1f}" if measured else "",
                _energy(math.fsum(each.energy_wh for each in parts)),
                _size(_bytes(parts)),
                _size(kept.size_bytes),
            ]
        )
    heads = [
        *("Rendition", "", "CPU s", "of it measuring"),
        *("Estimated energy", "Written", "Stored"),
    ]
    caption = "CPU that went into the published renditions; what probes took, serves all of them"
    return table(caption, heads, rows, numbers=5)


def _stages(stages: Sequence[StageTime]) -> Html:
    longest = max((each.cpu_s for each in stages), default=0.0)
    rows = [
        _stage_row(
            each.stage,
            bars.cell(each.cpu_s, longest, 1, each.lost_cpu_s),
            f"{each.elapsed_s:.1f}",
            [each],
        )
        for each in stages
    ]
    rows.append(_stage_row("all", "", "", stages))
    heads = ["Stage", "", "CPU s", "Estimated energy", "Written", "Tasks", "Work s", "Elapsed s"]
    caption = "What the stages of this job took, quick and full version together"
    if any(each.lost_cpu_s for each in stages):
        caption += "; red is what ended with no result"
    return table(caption, heads, rows, numbers=6)


def _stage_row(
    name: str, bar: Html | str, elapsed: str, some: Sequence[StageTime]
) -> list[Html | str]:
    return [
        name,
        bar,
        f"{math.fsum(each.cpu_s for each in some):.1f}",
        _energy(math.fsum(each.energy_wh for each in some)),
        _size(sum(each.written_bytes for each in some)),
        str(sum(each.units for each in some)),
        f"{math.fsum(each.wall_s for each in some):.1f}",
        elapsed,
    ]


def _stored(stored: Sequence[StoredPart]) -> Html:
    colors = {"rendition": 0, "audio": 1, "captions": 2, "thumbnails": 4}
    longest = max((each.size_bytes for each in stored), default=0)
    rows = [
        [
            each.name,
            bars.cell(each.size_bytes, longest, colors.get(each.kind, 3)),
            _size(each.size_bytes),
            _energy(each.energy_wh_per_year),
        ]
        for each in stored
    ]
    heads = ["What", "", "Size", "Estimated energy a year"]
    return table("Each once, without the copies on appliances", heads, rows, numbers=2)


def _estimate(costs: Costs) -> Html:
    model = costs.model
    return el(
        "p",
        f"Watt-hours are estimated, not measured: {model.core_w:g} W for a busy core, "
        f"{model.stored_tb_w:g} W for a stored terabyte, times a PUE of {model.pue:g} "
        "(the setting energy). They hold no network, no appliance and no viewer.",
        class_="note",
    )


def _of_title(costs: Costs) -> Html | None:
    if costs.title_jobs < 2:
        return None
    return el(
        "p",
        f"The title was made {costs.title_jobs} times until now: {_seconds(costs.title_cpu_s)} of "
        f"CPU, about {_energy(costs.title_energy_wh)} in all.",
        class_="note",
    )


def _sum(parts: Iterable[CostPart]) -> float:
    return math.fsum(each.cpu_s for each in parts)


def _bytes(parts: Iterable[CostPart]) -> int:
    return sum(each.written_bytes for each in parts)


def _seconds(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 36000 else f"{seconds / 3600:.1f} h"


def _energy(wh: float) -> str:
    for unit, name in ((1e3, "kWh"), (1.0, "Wh"), (1e-3, "mWh")):
        if wh >= unit:
            return f"{_three(wh / unit)} {name}"
    return f"{_three(wh / 1e-6)} µWh" if wh else "0 Wh"


def _three(value: float) -> str:
    """With three digits, or more where it has more before its point."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _size(size_bytes: float) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= unit:
            return f"{_three(size_bytes / unit)} {name}"
    return f"{size_bytes:.0f} B"
