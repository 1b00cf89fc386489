"""The report of a version: what is kept of its measurements, and what they say."""

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model import grain as grain_rules
from cuemark.contexts.encoding.model.complexity import Complexity
from cuemark.contexts.encoding.model.curves import candidates, curves_of, with_between
from cuemark.contexts.encoding.model.gate import Scores, by_shot
from cuemark.contexts.encoding.model.grain import Synthesis
from cuemark.contexts.encoding.model.ladder import Rung, upper_hull
from cuemark.contexts.encoding.model.likeness import Likeness
from cuemark.contexts.encoding.model.probes import Probed
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contexts.encoding.model.validation.policy import Validation
from cuemark.contracts.encoding.artwork import ArtworkCandidate
from cuemark.contracts.encoding.inspections import Inspection
from cuemark.contracts.encoding.reports import (
    EncodePoint,
    RenditionReport,
    ShotComplexity,
    ShotReport,
    StageTime,
    VersionReport,
)
from cuemark.contracts.encoding.validation import ValidationFinding
from cuemark.contracts.encoding.versions import Codec, DynamicRange, Rendition, Version

MOST_POINTS = 600
POOR_VMAF = 60.0
PEAK_TIMES = 2.0


class CodecMeasures(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried and planned in one codec and range. The crfs are those of its own encoder, and
    ``likeness`` says how they lie to the reference's."""

    codec: Codec
    dynamic_range: DynamicRange = "sdr"
    probes: list[Probed]
    planned: list[Rung]
    likeness: Likeness = Likeness()


class Synthesized(msgspec.Struct, frozen=True, kw_only=True):
    """A rendition of a film with grain, which is compared without it: the level at which players
    synthesize it (0: they do not), and its mean VMAF as it is shown, against the film as it is."""

    level: int
    vmaf_mean: float


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept beside a version: what was tried and planned in each codec, the reference first,
    each rendition's crf by shot, and every scored frame. ``grain`` is there where it is synthesized
    in some of the renditions, which are ``synthesized``. ``for_slow_lines`` counts those that were
    not planned.

    ``captions`` is what is odd about its captions, sentences without their full stops, and
    ``master`` what it was made from, which older releases did not keep. The oldest kept ``probes``
    and ``planned`` of H.264 alone.
    """

    codecs: list[CodecMeasures] = []

    probes: list[Probed] = []
    planned: list[Rung] = []
    shots: list[int] = []
    complexity: list[Complexity] = []
    scores: dict[str, Scores] = {}
    shot_plans: dict[str, ShotPlan] = {}
    captions: list[str] = []
    master: Inspection | None = None
    grain: Synthesis | None = None
    synthesized: dict[str, Synthesized] = {}
    for_slow_lines: int = 0

    @property
    def tried(self) -> list[CodecMeasures]:
        """What is known of each codec, the reference first; nothing of a quick version."""
        if not self.probes:
            return self.codecs
        return [CodecMeasures(codec="h264", probes=self.probes, planned=self.planned)]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the object store holds of a version: its measures, each rendition's segment sizes, the
    sizes of all files by their paths, the keys of the pictures of worst frames by their rendition,
    what could be its artwork, and what validating it found."""

    measures: Measures = Measures()
    segment_bytes: dict[str, list[int]] = {}
    file_bytes: dict[str, int] = {}
    pictures: dict[str, tuple[str, str]] = {}
    artworks: list[ArtworkCandidate] = []
    validation: Validation = Validation(checks=[], judged=[])


def worst_frame(scores: Scores) -> int:
    """The frame with the least score, the first of them."""
    return scores.frames[min(range(len(scores.vmaf)), key=scores.vmaf.__getitem__)]


def of_version(
    version: Version, kept: Kept, stages: list[StageTime], trace_id: str
) -> VersionReport:
    measures = kept.measures
    return VersionReport(
        version=version,
        trace_id=trace_id,
        probes=[_point(each, probe) for each in measures.tried for probe in each.probes],
        hull=[
            _point(each, point)
            for each in measures.tried
            for point in _hull(each, measures.tried[0].probes)
        ],
        planned=[
            EncodePoint(
                height=r.height,
                crf=r.crf,
                rate_kbps=r.rate_kbps,
                vmaf=r.vmaf,
                codec=each.codec,
                dynamic_range=each.dynamic_range,
            )
            for each in measures.tried
            for r in each.planned
        ],
        master=measures.master,
        shots=measures.shots,
        complexity=[
            ShotComplexity(start=start, spatial=each.spatial, temporal=each.temporal)
            for start, each in zip(measures.shots, measures.complexity, strict=False)
        ],
        grain_sigma=measures.grain.sigma if measures.grain else None,
        renditions=[_rendition(each, kept) for each in version.renditions],
        stages=stages,
        findings=findings(version, kept),
        artworks=kept.artworks,
        checks=[*kept.validation.checks],
        validation=_validation(kept.validation),
    )


def _validation(validation: Validation) -> list[ValidationFinding]:
    return [
        ValidationFinding(
            check=each.finding.check,
            severity=each.finding.severity,
            action=each.action,
            text=f"{each.finding.text[0].upper()}{each.finding.text[1:]}.",
        )
        for each in validation.judged
        if each.action != "ignore"
    ]


def _rendition(rendition: Rendition, kept: Kept) -> RenditionReport:
    name = rendition.rendition_id
    scores = kept.measures.scores.get(name, Scores([], []))
    frames, means, least = binned(scores, MOST_POINTS)
    picture, master = kept.pictures.get(name, ("", ""))
    made = kept.measures.synthesized.get(name)
    return RenditionReport(
        rendition_id=name,
        frames=frames,
        vmaf_mean=means,
        vmaf_least=least,
        worst_frame=worst_frame(scores) if scores.frames else 0,
        segment_bytes=kept.segment_bytes.get(name, []),
        picture_key=picture,
        master_picture_key=master,
        shots=_shots(kept.measures, name, scores),
        vmaf_neg_mean=_mean(scores.neg),
        cambi_mean=_mean(scores.cambi),
        psnr_mean=_mean(scores.psnr),
        grain_level=made.level if made else None,
        vmaf_with_grain_mean=made.vmaf_mean if made else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _shots(measures: Measures, name: str, scores: Scores) -> list[ShotReport]:
    plan = measures.shot_plans.get(name)
    if plan is None:
        return []
    found = by_shot(scores, measures.shots)
    return [
        ShotReport(start=start, crf=crf, vmaf=found.get(start), vmaf_predicted=predicted)
        for start, crf, predicted in zip(measures.shots, plan.crfs, plan.shot_vmaf, strict=True)
    ]


def binned(scores: Scores, most: int) -> tuple[list[int], list[float], list[float]]:
    """At most ``most`` stretches of equal size: first frames, mean and least VMAF of each."""
    size = max(1, math.ceil(len(scores.frames) / most))
    starts = range(0, len(scores.frames), size)
    parts = [scores.vmaf[at : at + size] for at in starts]
    return (
        [scores.frames[at] for at in starts],
        [round(math.fsum(part) / len(part), 2) for part in parts],
        [round(min(part), 2) for part in parts],
    )


def findings(version: Version, kept: Kept) -> list[str]:
    """What a person should look at, each in one sentence."""
    said = []
    if kept.measures == Measures():
        said.append(
            "No measurements were kept for this version: it was made by an older release, "
            "or they were removed."
        )
    planned = sum(len(each.planned) for each in kept.measures.tried)
    dropped = planned + kept.measures.for_slow_lines - len(version.renditions)
    if planned and dropped > 0:
        said.append(
            f"{_count(dropped, 'planned rung was', 'planned rungs were')} dropped: what was "
            "encoded did not measure what the probes predicted, equaled another rung, or took more "
            "than lines carry."
        )
    for rendition in version.renditions:
        said += _rendition_findings(rendition, kept)
    kinds = [(each.codec, each.dynamic_range) for each in version.renditions]
    for kind in dict.fromkeys(kinds):
        made = [each for each, its in zip(version.renditions, kinds, strict=True) if its == kind]
        for lower, upper in pairwise(made):
            if upper.vmaf_mean <= lower.vmaf_mean:
                said.append(
                    f"{upper.rendition_id} needs more bits than {lower.rendition_id} "
                    "and measures no better."
                )
    if grain := kept.measures.grain:
        synthesized = kept.measures.synthesized
        lines = {each.rendition_id: each.height for each in version.renditions}
        told = grain_rules.told(
            grain.sigma, [(lines[name], each.level) for name, each in synthesized.items()]
        )
        said.append(
            f"{told[0].upper()}{told[1:]}. The VMAF of {', '.join(synthesized)} is of the picture "
            "without grain against the film without grain."
        )
    said += [f"{note[0].upper()}{note[1:]}." for note in kept.measures.captions]
    if not version.audio:
        said.append("The version has no sound.")
    return said


def _rendition_findings(rendition: Rendition, kept: Kept) -> list[str]:
    name, said = rendition.rendition_id, []
    scores = kept.measures.scores.get(name)
    if scores is not None and min(scores.vmaf) < POOR_VMAF:
        said.append(
            f"{name} falls to VMAF {min(scores.vmaf):.1f} at frame {worst_frame(scores)}: "
            "see the picture of it."
        )
    if rendition.peak_bitrate_kbps > PEAK_TIMES * rendition.bitrate_kbps:
        times = rendition.peak_bitrate_kbps / rendition.bitrate_kbps
        said.append(f"The largest segment of {name} has {times:.1f} times its mean bitrate.")
    return said


def _hull(tried: CodecMeasures, reference: Sequence[Probed]) -> list[Probed]:
    """The hull that a codec's ladder was chosen on, from the same candidates, at its own crfs."""
    if not tried.probes:
        return []
    likeness = tried.likeness
    probes = [likeness.probed(probe) for probe in tried.probes]
    curves = [likeness.curve(curve) for curve in with_between(curves_of(list(reference)))]
    return [likeness.own(point) for point in upper_hull(candidates(curves, probes))]


def _point(tried: CodecMeasures, probe: Probed) -> EncodePoint:
    return EncodePoint(
        height=probe.point.height,
        crf=probe.point.crf,
        rate_kbps=round(probe.rate_kbps, 1),
        vmaf=round(probe.vmaf, 2),
        codec=tried.codec,
        dynamic_range=tried.dynamic_range,
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
