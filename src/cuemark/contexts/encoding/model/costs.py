"""What a version cost: where the CPU of its job went, what is stored, and the energy of both.

Watt-hours are an estimate after Cloud Carbon Footprint's methodology: time of use times the watts
of what is used times the PUE. A CPU second counts as a second of a busy core, so what a machine
draws while it waits is nobody's.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from cuemark.contracts.encoding.jobs import Stage
from cuemark.contracts.encoding.reports import CostPart, Costs, EnergyModel, StageTime, StoredPart
from cuemark.contracts.encoding.versions import Quality, Version

HOURS_A_YEAR = 8760
MARKED = ", marked"
"""The end of the names for which the variants of a rung are made; before it is the rung's."""
UNFINISHED = "attempts that ended with no result"
_OF_RUNGS: Mapping[Stage, Quality] = {"quick": "quick", "encode": "full", "verify": "full"}

Outcome = Literal["done", "lost", "open"]
Rungs = Mapping[Quality, Mapping[str, str] | None]
"""Of each version of a job its renditions, by the name under which they were made; None for a
version that is not there (yet)."""


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What some work of a stage took.

    ``made_for`` is the name of the rung it was done for, the quality of the version, or nothing.
    ``lost`` are attempts that ended with no result, ``open`` those that run.
    """

    stage: Stage
    made_for: str
    outcome: Outcome
    cpu_s: float
    written_bytes: int


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """What all jobs of a title took."""

    jobs: int
    cpu_s: float


def energy_wh(cpu_s: float, model: EnergyModel) -> float:
    """The estimated watt-hours of so many seconds of a busy core."""
    return cpu_s / 3600 * model.core_w * model.pue


def storing_wh_per_year(size_bytes: int, model: EnergyModel) -> float:
    """The estimated watt-hours of storing so many bytes once, for a year."""
    return size_bytes / 1e12 * model.stored_tb_w * HOURS_A_YEAR * model.pue


def timed(stages: Sequence[StageTime], model: EnergyModel) -> list[StageTime]:
    """The stages with their estimated energy."""
    return [
        msgspec.structs.replace(each, energy_wh=energy_wh(each.cpu_s, model)) for each in stages
    ]


def costs_of(
    spent: Sequence[Spent],
    stored: Sequence[StoredPart],
    total: Total,
    quality: Quality,
    rungs: Rungs,
    model: EnergyModel,
) -> Costs:
    """What a version of this quality cost."""
    parts = parts_of(spent, quality, rungs, model)
    cpu_s = math.fsum(each.cpu_s for each in parts)
    return Costs(
        model=model,
        cpu_s=cpu_s,
        written_bytes=sum(each.written_bytes for each in parts),
        energy_wh=energy_wh(cpu_s, model),
        parts=parts,
        stored=list(stored),
        title_jobs=total.jobs,
        title_cpu_s=total.cpu_s,
        title_energy_wh=energy_wh(total.cpu_s, model),
    )


def parts_of(
    spent: Sequence[Spent], quality: Quality, rungs: Rungs, model: EnergyModel
) -> list[CostPart]:
    """Where the CPU of a job went, as the report of its version of this quality tells it."""
    sums: dict[tuple[str, str, Stage], tuple[list[float], list[int]]] = {}
    for each in spent:
        kind, name = _went_into(each, quality, rungs)
        cpu, written = sums.setdefault((kind, name, each.stage), ([], []))
        cpu.append(each.cpu_s)
        written.append(each.written_bytes)
    return [
        CostPart(
            kind=kind,
            name=name,
            stage=stage,
            cpu_s=math.fsum(cpu),
            written_bytes=sum(written),
            energy_wh=energy_wh(math.fsum(cpu), model),
        )
        for (kind, name, stage), (cpu, written) in sums.items()
    ]


def _went_into(spent: Spent, quality: Quality, rungs: Rungs) -> tuple[str, str]:
    """The kind and the name of the part that it belongs to."""
    if spent.outcome == "lost":
        return "thrown_away", UNFINISHED
    if spent.outcome == "open":
        return "in_hand", "at work"
    if not spent.made_for:
        return "title", spent.stage
    version = _OF_RUNGS.get(spent.stage)
    if version is None:
        mine = spent.made_for == quality
        return ("title", spent.stage) if mine else ("other_version", spent.made_for)
    found = rungs[version]
    made_for = spent.made_for.removesuffix(MARKED)
    if found is not None and made_for not in found:
        return "thrown_away", spent.made_for
    if version != quality:
        return "other_version", version
    if found is None:
        return "title", spent.stage
    return "rung" if made_for == spent.made_for else "mark", found[made_for]


def stored_parts(
    version: Version, file_bytes: Mapping[str, int], master_bytes: int, model: EnergyModel
) -> list[StoredPart]:
    """What is stored of a version, from the sizes of its files by their paths."""
    kinds = {each.rendition_id: "rendition" for each in version.renditions}
    kinds |= {each.track_id: "audio" for each in version.audio}
    kinds |= {each.track_id: "captions" for each in version.captions}
    if version.thumbnails:
        kinds[version.thumbnails.track_id] = "thumbnails"
    sizes = dict.fromkeys(kinds, 0)
    other = 0
    for path, size_bytes in file_bytes.items():
        name = path.partition("/")[0]
        name = name if name in sizes else name.rpartition(".")[0].removesuffix(".iframes")
        if name in sizes:
            sizes[name] += size_bytes
        else:
            other += size_bytes
    found = [*((kinds[name], name, size) for name, size in sizes.items())]
    found += [("other", "index", other), ("master", "master", master_bytes)]
    return [
        StoredPart(
            kind=kind,
            name=name,
            size_bytes=size,
            energy_wh_per_year=storing_wh_per_year(size, model),
        )
        for kind, name, size in found
    ]
