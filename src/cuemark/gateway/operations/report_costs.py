"""The part of a version's report on its cost: CPU, bytes, and the energy that they stand for."""

import math
from collections.abc import Iterable, Sequence

from cuemark.contracts.encoding import CostPart, Costs, StageTime, StoredPart, VersionReport
from cuemark.gateway.operations import bars
from cuemark.gateway.operations.bars import Bar
from cuemark.gateway.operations.html import Html, el, join, table

_TRADES = {
    "fast": "fast: less CPU than balanced, and more bits for the same quality",
    "balanced": "balanced: between fast and best",
    "best": "best: more CPU than balanced, and fewer bits for the same quality",
}
_GROUPS = (
    ("rung", "the rungs of this version", 0),
    ("probes", "probes and ladder", 1),
    ("other_version", "the other version", 4),
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
            el("p", f"Effort: {_TRADES[report.effort]}."),
            _whole(costs),
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
        (_seconds(costs.cpu_s), f"of CPU, {costs.cpu_s / minutes:.0f} s a minute of film"),
        (
            _energy(costs.energy_wh),
            f"to encode, estimated: {_energy(costs.energy_wh / minutes)} a minute of film",
        ),
        (_size(size_bytes), f"this version, {_size(size_bytes / minutes)} a minute of film"),
        (f"{_energy(year)} a year", "to store it and its master once, estimated"),
        (f"{100 * lost / costs.cpu_s if costs.cpu_s else 0:.0f} %", "of the CPU thrown away"),
    ]
    return el(
        "div",
        *(el("div", el("b", value), el("span", what), class_="tile") for value, what in tiles),
        class_="tiles",
    )


def _whole(costs: Costs) -> Html:
    parts = []
    for group, name, color in _GROUPS:
        cpu_s = _sum(each for each in costs.parts if _group(each) == group)
        if cpu_s > 0:
            label = f"{_seconds(cpu_s)}, about {_energy(costs.energy_wh * cpu_s / costs.cpu_s)}"
            parts.append(Bar(name=name, value=cpu_s, label=label, color=color))
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
    rows, drawn = [], []
    for rendition in report.version.renditions:
        name = rendition.rendition_id
        mine = [each for each in costs.parts if each.kind == "rung" and each.name == name]
        measured = [each for each in mine if each.stage == "verify"]
        cpu_s, kept = _sum(mine), stored[name]
        energy = math.fsum(each.energy_wh for each in mine)
        drawn.append(Bar(name=name, value=cpu_s, label=f"{_seconds(cpu_s)}, {_energy(energy)}"))
        rows.append(
            [
                name,
                f"{cpu_s:.1f}",
                f"{_sum(measured):.1f}" if measured else "",
                f"{energy:.3g}",
                f"{_bytes(mine) / 1e6:.2f}",
                f"{kept.size_bytes / 1e6:.2f}",
                f"{kept.energy_wh_per_year:.3g}",
            ]
        )
    heads = [
        *("Rendition", "CPU s", "of it measuring", "Estimated Wh"),
        *("Written MB", "Stored MB", "Estimated Wh a year stored"),
    ]
    caption = "CPU that went into the published renditions; probes serve all of them"
    return join(
        [
            bars.rows("rungs", "CPU of each rung", "The table below has the same figures.", drawn),
            table(caption, heads, rows, numbers=6),
        ]
    )


def _stages(stages: Sequence[StageTime]) -> Html:
    drawn = [
        Bar(
            name=each.stage,
            value=each.cpu_s,
            label=f"{_seconds(each.cpu_s)}, {_energy(each.energy_wh)}",
            color=1,
            inner=each.lost_cpu_s,
        )
        for each in stages
    ]
    rows = [_stage_row(each.stage, f"{each.elapsed_s:.1f}", [each]) for each in stages]
    rows.append(_stage_row("all", "", stages))
    heads = ["Stage", "Tasks", "Elapsed s", "Work s", "CPU s", "Estimated Wh", "Written MB"]
    lost = "red is what ended with no result" if any(each.lost_cpu_s for each in stages) else ""
    caption = "What the stages of this job took, quick and full version together"
    return join(
        [
            bars.rows(
                "stages", "CPU of each stage", "The table below has the same figures.", drawn
            ),
            el("p", f"Of these bars {lost}.", class_="note") if lost else None,
            table(caption, heads, rows, numbers=6),
        ]
    )


def _stage_row(name: str, elapsed: str, some: Sequence[StageTime]) -> list[str]:
    return [
        name,
        str(sum(each.units for each in some)),
        elapsed,
        f"{math.fsum(each.wall_s for each in some):.1f}",
        f"{math.fsum(each.cpu_s for each in some):.1f}",
        f"{math.fsum(each.energy_wh for each in some):.3g}",
        f"{sum(each.written_bytes for each in some) / 1e6:.1f}",
    ]


def _stored(stored: Sequence[StoredPart]) -> Html:
    colors = {"rendition": 0, "audio": 1, "captions": 2, "thumbnails": 4, "other": 3, "master": 3}
    drawn = [
        Bar(
            name=each.name,
            value=float(each.size_bytes),
            label=f"{_size(each.size_bytes)}, {_energy(each.energy_wh_per_year)} a year",
            color=colors.get(each.kind, 3),
            pale=each.kind == "master",
        )
        for each in stored
    ]
    return bars.rows(
        "stored",
        "What is stored",
        "The size of each rendition and track, of thumbnails, index and master, and the estimated "
        "energy of storing it once for a year; each bar says both.",
        drawn,
    )


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
    if wh >= 1000:
        return f"{wh / 1000:.3g} kWh"
    return f"{wh:.3g} Wh" if wh >= 0.1 or wh == 0 else f"{wh * 1000:.3g} mWh"


def _size(size_bytes: float) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.3g} {name}"
    return f"{size_bytes:.0f} B"
