"""What a version was made from: the section of its report on the master."""

from collections.abc import Mapping
from fractions import Fraction

from cuemark.contracts.encoding.inspections import InspectedSound, Inspection
from cuemark.contracts.encoding.versions import DynamicRange
from cuemark.gateway.operations.html import Html, el, join, table

RANGES: Mapping[DynamicRange, str] = {"sdr": "SDR", "hlg": "HLG", "pq": "HDR10"}
_FIELDS = {"tff": "interlaced, the upper field first", "bff": "interlaced, the lower field first"}


def master_section(master: Inspection) -> Html:
    """Its picture, its cadence, its colors, how much moves in it, and each of its sounds."""
    fields = _FIELDS.get(master.fields, "progressive")
    facts = {
        "File": f"{master.codec} in {master.container}",
        "Picture": f"{master.width} by {master.height}, {fields}",
        "Cadence": _cadence(master),
        "Color": _color(master),
        "Shots": f"{master.shots}, the longest {master.longest_shot_s:.1f} s",
        "Complexity": f"SI {master.spatial:.1f}, TI {master.temporal:.1f}",
    }
    rows = [join([el("dt", name), el("dd", value)]) for name, value in facts.items()]
    parts = [el("dl", *rows)]
    if master.notes:
        parts.append(el("ul", *(el("li", note) for note in master.notes)))
    if master.sounds:
        heads = ["Stream", "Language", "Role", "Channels", "LUFS", "dBTP"]
        said = "Sounds of the master; their loudness as stereo, before it is brought to the target"
        found = [_sound(each) for each in master.sounds]
        parts.append(table(said, heads, found, numbers=2))
    return el("section", el("h2", "Master"), *parts)


def _cadence(master: Inspection) -> str:
    rate = f"{float(Fraction(master.frame_rate)):.5g} frames a second"
    if master.cadence == "uneven":
        return f"uneven, brought to {rate}"
    if master.repeats_every:
        return f"{rate}, of which one in {master.repeats_every} repeats the one before it"
    return rate


def _color(master: Inspection) -> str:
    told = [RANGES[master.dynamic_range], f"{master.bit_depth} bit"]
    told += [each for each in (master.primaries, master.matrix) if each]
    if master.full_range:
        told.append("full range")
    if master.mastering_peak_cd_m2 is not None:
        told.append(f"mastered at {master.mastering_peak_cd_m2:.5g} cd/m2")
    light = {"MaxCLL": master.max_cll, "MaxFALL": master.max_fall}
    told += [f"{name} {value}" for name, value in light.items() if value is not None]
    return ", ".join(told)


def _sound(sound: InspectedSound) -> list[str]:
    return [
        str(sound.stream),
        sound.language,
        f"{sound.role}, {sound.title}" if sound.title else sound.role,
        sound.layout,
        "" if sound.lufs is None else f"{sound.lufs:.1f}",
        "" if sound.peak_dbtp is None else f"{sound.peak_dbtp:.1f}",
    ]
