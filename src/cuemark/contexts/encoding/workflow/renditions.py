"""The renditions of a full version, codec by codec: ladder, a crf for each shot, encodes, gate."""

from collections.abc import Sequence
from typing import Literal

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model import shot_crfs
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.curves import Curve, curves_of, with_between
from cuemark.contexts.encoding.model.effort import BUDGETS
from cuemark.contexts.encoding.model.families import REFERENCE
from cuemark.contexts.encoding.model.grain import Synthesis, synthesis
from cuemark.contexts.encoding.model.report import CodecMeasures
from cuemark.contexts.encoding.model.shot_crfs import Shot
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.workflow.attempts import Encoded, Encoder, called
from cuemark.contexts.encoding.workflow.making import Making
from cuemark.contexts.encoding.workflow.marking import QualityRefused
from cuemark.contexts.encoding.workflow.probing import Probes, Probing
from cuemark.contexts.encoding.workflow.steps import Steps
from cuemark.contexts.encoding.workflow.trying import Trying
from cuemark.contracts.encoding.versions import Codec
from cuemark.kit.cost import Meter

Method = Literal["per shot", "per title"]
_Rungs = tuple[list[RungToPackage], Measured]


class FullRenditions:
    """The part of a title's walk that makes the full version's renditions."""

    def __init__(
        self,
        shop: Workshop,
        job: JobRow,
        steps: Steps,
        film: Film,
        chunks: Sequence[Chunk],
        starts: list[int],
        quick: Sequence[RungToPackage],
    ) -> None:
        """``quick`` are the rungs of the quick version."""
        self._shop = shop
        self._job = job
        self._budget = BUDGETS[job.effort]
        self._steps = steps.scoring(self._budget.vmaf_every)
        self._film = film
        self._chunks = chunks
        self._starts = starts
        self._probing = Probing(
            shop, job.master_sha256, self._steps, self._budget, film, chunks, starts, quick
        )
        self._sets = [
            (codec, look)
            for codec in job.codecs
            if codec != REFERENCE
            for look in FAMILIES[codec].looks(film.master.color)
        ]
        self._trying = Trying(shop, job, self._steps, film, chunks, starts)
        self._making = Making(self._trying, self._budget, film.master.picture, starts)
        self._grain: Synthesis | None = None

    def rungs(self, method: Method = "per shot") -> _Rungs:
        """Probe the film, plan its rungs, and make them; ``per title`` has one crf for a rung.

        A codec besides the reference that does not look as it must is left out, with a note.
        The rungs ascend by rate, those of all codecs among one another.
        """
        family = FAMILIES[REFERENCE]
        reference = Encoder(
            family, family.presets[self._job.effort], self._film.standard, family.likeness
        )
        probes = self._probing.probes(reference.family, reference.preset)
        per_shot = method == "per shot" and len(self._starts) > 1
        curves = with_between(curves_of(probes.probed))
        shots = self._probing.shots(probes) if per_shot else None
        if shots:
            shots = shot_crfs.with_between(shots, [curve.height for curve in curves])
        measured, made = self._made(reference, curves, probes, shots)
        codecs, left_out = [measured], []
        self._grain = self._synthesis()
        for codec, look in self._sets:
            try:
                measured, rungs = self._also(codec, look, curves, probes, shots)
            except QualityRefused as refused:
                left_out.append(f"what was made in {called(codec, look)} was left out: {refused}")
                continue
            codecs.append(measured)
            made += rungs
        made.sort(key=lambda each: each.rate_kbps)
        levels = [each.level for each in made]
        return [each.rung for each in made], Measured(
            stretches=self._trying.stretches,
            shots=self._starts,
            codecs=codecs,
            shot_plans=[each.plan for each in made],
            made_for=[each.name for each in made],
            levels=levels,
            for_slow_lines=sum(each.for_slow_lines for each in made),
            vmaf_every=self._budget.vmaf_every,
            left_out=left_out,
            grain=None if set(levels) == {None} else self._grain,
        )

    def _synthesis(self) -> Synthesis | None:
        """The grain that is synthesized where a codec can; a film is looked at only for that.

        What a film in high dynamic range has is kept as it is.
        """
        able = any(FAMILIES[codec].grain for codec, _ in self._sets)
        color, lines = self._film.master.color, self._film.master.picture.height
        if self._job.film_grain == "off" or not able or color.dynamic_range != "sdr":
            return None
        return synthesis(self._steps.grain(), lines)

    def _also(
        self,
        codec: Codec,
        look: Look,
        curves: list[Curve],
        probes: Probes,
        shots: dict[int, list[Shot]] | None,
    ) -> tuple[CodecMeasures, list[Encoded]]:
        """The rungs of another codec or range, told from what the reference's ``probes`` said."""
        family = FAMILIES[codec]
        preset = family.presets[self._job.effort]
        grain = self._grain if family.grain else None
        likeness, checks = self._probing.checks(family, preset, look, probes, curves, grain)
        like = [likeness.curve(curve) for curve in curves]
        told = shots and self._probing.shots_like(shots, likeness, checks)
        return self._made(Encoder(family, preset, look, likeness, grain), like, checks, told)

    def _made(
        self,
        encoder: Encoder,
        curves: list[Curve],
        probes: Probes,
        shots: dict[int, list[Shot]] | None,
    ) -> tuple[CodecMeasures, list[Encoded]]:
        """Plan the rungs of one codec, and make them."""
        picture = self._film.master.picture
        self._steps.plan("ladder", 1 + len(self._sets))
        meter = Meter(children=False)
        rungs = ladder_rules.ladder(curves, probes.probed, picture.width, picture.height)
        plans = [
            shot_crfs.plan(shots[rung.height], rung.crf, rung.vmaf)
            if shots
            else shot_crfs.untold(len(self._starts), rung.crf)
            for rung in rungs
        ]
        self._steps.done("ladder", encoder.called, meter.cost)
        made = self._making.made(encoder, curves, rungs, plans, probes)
        measures = CodecMeasures(
            codec=encoder.family.codec,
            dynamic_range=encoder.look.dynamic_range,
            probes=probes.tried,
            planned=[encoder.own(rung) for rung in rungs],
            likeness=encoder.likeness,
        )
        return measures, made
