"""The renditions of a full version: probes, ladder, a crf for each shot, encodes, gate."""

import itertools
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec
import structlog

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model import shot_crfs, survey
from cuemark.contexts.encoding.model.chunks import Chunk, sampled
from cuemark.contexts.encoding.model.effort import BUDGETS
from cuemark.contexts.encoding.model.gate import (
    PUBLISHED_WITHIN_VMAF,
    Scores,
    broken_shots,
    joined,
    meets_prediction,
)
from cuemark.contexts.encoding.model.ladder import Point, Probed, Rung
from cuemark.contexts.encoding.model.shot_crfs import Seen, Shot, ShotPlan
from cuemark.contexts.encoding.stages import pictures, scoring
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.ffmpeg import Film, Recipe
from cuemark.contexts.encoding.workflow.steps import Steps
from cuemark.contexts.encoding.workflow.tasks import Priority
from cuemark.kit.cost import Meter

Method = Literal["per shot", "per title"]
_Rungs = tuple[list[RungToPackage], Measured]


class QualityRefused(Exception):
    """A rung does not look as it must; the text says which, and how it measured."""


class Attempt(msgspec.Struct, frozen=True):
    """A rung on its way: ``row`` has a recipe for each chunk, with crfs about ``crf``.

    ``name`` is its own in the walk: what it takes is in the ledger under it. ``measured`` is the
    crf and the mean VMAF of the attempt before it, if there was one.
    """

    name: str
    rung: Rung
    crf: float
    plan: ShotPlan
    row: tuple[Recipe, ...]
    measured: tuple[float, float] | None = None

    @property
    def vmaf(self) -> float:
        """What it is to measure on the frames of the probes."""
        told = self.plan.probed_vmaf
        return self.rung.vmaf if told is None else min(100.0, told)

    @property
    def film_vmaf(self) -> float:
        """What it is to measure on all frames, as far as that was told."""
        return self.rung.vmaf if self.plan.probed_vmaf is None else min(100.0, self.plan.vmaf)


class _Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was encoded: its rate, and how far it lies off its prediction."""

    name: str
    rate_kbps: float
    off_vmaf: float
    rung: RungToPackage
    plan: ShotPlan


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
        self._quick = quick
        self._numbers = itertools.count(1)

    def rungs(self, method: Method = "per shot") -> _Rungs:
        """Probe the film, plan its rungs, and make them; ``per title`` has one crf for a rung."""
        picture = self._film.master.picture
        probes = self._probes()
        self._steps.plan("ladder", 1)
        meter = Meter(children=False)
        rungs = ladder_rules.ladder(probes.probed, picture.width, picture.height)
        plans = self._plans(rungs, probes, method)
        attempts = [self._attempt(rung, plan) for rung, plan in zip(rungs, plans, strict=True)]
        self._steps.done("ladder", cost=meter.cost)
        made = self._gated(attempts, probes)
        return [each.rung for each in made], Measured(
            stretches=[(chunk.start, chunk.end) for chunk in self._chunks],
            shots=self._starts,
            probes=probes.probed,
            planned=rungs,
            shot_plans=[each.plan for each in made],
            made_for=[each.name for each in made],
            vmaf_every=self._budget.vmaf_every,
        )

    def _probes(self) -> "_Probes":
        picture = self._film.master.picture
        chunks = sampled(list(self._chunks), self._budget.probe_frames)
        points = ladder_rules.probe_points(picture.height, self._budget.probe_points)
        recipes = [
            Recipe(
                ladder_rules.width_at(point.height, picture.width, picture.height),
                point.height,
                point.crf,
                self._budget.preset,
            )
            for point in points
        ]
        self._steps.plan("probes", len(recipes) * len(chunks))
        rows = [[recipe] * len(chunks) for recipe in recipes]
        keys = self._steps.all("probe", "probes", Priority.PROBE, rows, chunks)
        seen = []
        probed = []
        for point, recipe, row in zip(points, recipes, keys, strict=True):
            scores = joined([scoring.scores_of(self._shop, key) for key in row])
            encoded = [
                pictures.chunk_key(self._shop, self._job.master_sha256, chunk, recipe)
                for chunk in chunks
            ]
            sizes: dict[int, int] = {}
            for chunk, key in zip(chunks, encoded, strict=True):
                sizes |= pictures.frame_bytes(self._shop, key, chunk)
            seen.append(Seen(point, sizes, scores))
            probed.append(Probed(point, self._rate_kbps(encoded, chunks), scores.mean))
        return _Probes(probed, seen, chunks)

    def _plans(self, rungs: Sequence[Rung], probes: "_Probes", method: Method) -> list[ShotPlan]:
        """A crf for each shot; or one for all, for which the rung's own prediction holds."""
        if method == "per title" or len(self._starts) == 1:
            return [shot_crfs.untold(len(self._starts), rung.crf) for rung in rungs]
        shots = self._shots(probes)
        return [shot_crfs.plan(shots[rung.height], rung.crf, rung.vmaf) for rung in rungs]

    def _shots(self, probes: "_Probes") -> dict[int, list[Shot]]:
        """By height, each shot with its curve: its own, or one told from the quick version."""
        frames, rate = self._film.master.frames, float(self._film.master.picture.rate)
        all_probed = len(probes.chunks) == len(self._chunks)
        tasks = len(probes.probed) * len(probes.chunks) + len(self._chunks)
        surveys = 0 if all_probed else len(self._chunks) * len(self._quick)
        self._steps.plan("probes", tasks + surveys)
        itself = self._steps.ceilings("probes", Priority.PROBE, self._chunks)
        ceilings = shot_crfs.ceilings_of(itself, self._starts, frames)
        found = shot_crfs.shots_of(probes.seen, ceilings, self._starts, frames, rate)
        if all_probed:
            return {height: each.shots for height, each in found.items()}
        quick = self._surveyed()
        bounds = list(pairwise([*self._starts, frames]))
        completed = {}
        for height, each in found.items():
            nearest = min(quick, key=lambda seen: abs(seen.point.height - height))
            there = [shot_crfs.within([nearest], start, end, rate) for start, end in bounds]
            completed[height] = survey.completed(
                each,
                [probed[0] if probed else None for probed in there],
                ceilings,
                [shot_crfs.spread_within([nearest], start, end) for start, end in bounds],
            )
        return completed

    def _surveyed(self) -> list[Seen]:
        """What every shot takes and measures in the rungs of the quick version."""
        stretches = [(chunk.start, chunk.end) for chunk in self._chunks]
        keys = [rung.key for rung in self._quick]
        return [
            Seen(Point(rung.height, 0.0), pictures.rung_frame_bytes(self._shop, rung.key), scores)
            for rung, scores in zip(
                self._quick,
                self._steps.scored("probes", Priority.PROBE, keys, stretches),
                strict=True,
            )
        ]

    def _attempt(
        self,
        rung: Rung,
        plan: ShotPlan,
        crf: float | None = None,
        measured: tuple[float, float] | None = None,
    ) -> Attempt:
        about = rung.crf if crf is None else crf
        name = f"attempt {next(self._numbers)}: {rung.height} lines, crf {about:g}"
        return Attempt(name, rung, about, plan, self._row(rung, plan), measured)

    def _row(self, rung: Rung, plan: ShotPlan) -> tuple[Recipe, ...]:
        preset = self._budget.preset
        return tuple(
            _recipe(rung, plan.crfs, chunk, self._starts, preset) for chunk in self._chunks
        )

    def _corrected(self, attempt: Attempt, vmaf: float) -> Attempt:
        """The same rung again, all its crfs moved so that it should meet its prediction."""
        rung = attempt.rung
        slope = ladder_rules.measured_slope(rung, attempt.measured, (attempt.crf, vmaf))
        crf = ladder_rules.corrected_crf(attempt.vmaf, slope, attempt.crf, vmaf)
        crfs = shot_crfs.moved(attempt.plan.crfs, crf - attempt.crf)
        plan = msgspec.structs.replace(attempt.plan, crfs=crfs)
        return self._attempt(rung, plan, crf, (attempt.crf, vmaf))

    def _gated(self, attempts: Sequence[Attempt], probes: "_Probes") -> list[_Encoded]:
        """Encode the rungs until each measures what was predicted; drop what never comes near.

        Ascending by rate. A rung that a probe dominates gives way to that probe. Raises
        ``QualityRefused`` where no rung is left, or where one does not show the film.
        """
        kept: dict[tuple[Recipe, ...], _Encoded] = {}
        nearest: dict[Rung, _Encoded] = {}
        pending = list(attempts)
        stretches = [(chunk.start, chunk.end) for chunk in self._chunks]
        encodes = verifies = 0
        for _ in range(1 + self._budget.corrections):
            encodes += len(pending) * len(self._chunks)
            verifies += len(pending) * (1 + len(self._chunks))
            self._steps.plan("encode", encodes)
            self._steps.plan("verify", verifies)
            rows, names = [each.row for each in pending], [each.name for each in pending]
            encoded = self._steps.all(
                "encode", "encode", Priority.ENCODE, rows, self._chunks, names
            )
            scored = self._steps.joined_and_scored(
                "verify", Priority.ENCODE, encoded, stretches, names
            )
            again = []
            for attempt, row, (key, scores) in zip(pending, encoded, scored, strict=True):
                other = self._judged(attempt, row, scores, probes)
                seen = probes.of_same_frames(scores)
                made = _Encoded(
                    name=attempt.name,
                    rate_kbps=self._rate_kbps(row, self._chunks),
                    off_vmaf=abs(seen.mean - attempt.vmaf),
                    rung=packaged(attempt.rung, key, scores, attempt.film_vmaf),
                    plan=attempt.plan,
                )
                if other is None:
                    kept[attempt.row] = made
                    continue
                again.append(other)
                nearest[attempt.rung] = min(
                    made, nearest.get(attempt.rung, made), key=lambda each: each.off_vmaf
                )
            pending = list({each.row: each for each in again if each.row not in kept}.values())
            if not pending:
                break
        for attempt in pending:
            spare = nearest.get(attempt.rung)
            if spare and spare.off_vmaf <= PUBLISHED_WITHIN_VMAF:
                kept[attempt.row] = spare
                continue
            structlog.get_logger().warning(
                "rung_dropped",
                version_id=self._job.version_id,
                height=attempt.rung.height,
                crf=attempt.crf,
            )
        if not kept:
            raise QualityRefused(
                f"no rendition measures within {PUBLISHED_WITHIN_VMAF:g} VMAF of its prediction "
                f"after {self._budget.corrections} corrections"
            )
        return sorted(kept.values(), key=lambda each: each.rate_kbps)

    def _judged(
        self, attempt: Attempt, encoded: Sequence[str], scores: Scores, probes: "_Probes"
    ) -> Attempt | None:
        """What is to be tried instead of an attempt that was measured; none where it is good."""
        rung = attempt.rung
        seen_before = [each.scores for each in probes.seen]
        if broken := broken_shots(scores, seen_before, self._starts, attempt.plan.shot_vmaf):
            raise QualityRefused(
                f"the rendition at {rung.height} lines does not show the film in the "
                f"shot that begins with frame {broken[0]}"
            )
        seen = probes.of_same_frames(scores)
        if not meets_prediction(attempt.vmaf, seen):
            return self._corrected(attempt, seen.mean)
        of_probed = {chunk.index for chunk in probes.chunks}
        here = [
            key
            for key, chunk in zip(encoded, self._chunks, strict=True)
            if chunk.index in of_probed
        ]
        rate_kbps = self._rate_kbps(here, probes.chunks)
        if better := ladder_rules.dominating(rate_kbps, seen.mean, probes.probed):
            instead = ladder_rules.rung_of(better, rung)
            return self._attempt(instead, shot_crfs.untold(len(self._starts), instead.crf))
        return None

    def _rate_kbps(self, encoded: Sequence[str], chunks: Sequence[Chunk]) -> float:
        size = sum(pictures.chunk_bytes(self._shop, key) for key in encoded)
        seconds = sum(chunk.frames for chunk in chunks) / self._film.master.picture.rate
        return size * 8 / float(seconds) / 1000


class _Probes:
    """The probes of a title: what they gave, by frame and as a whole, and on which chunks."""

    def __init__(self, probed: list[Probed], seen: list[Seen], chunks: Sequence[Chunk]) -> None:
        self.probed = probed
        self.seen = seen
        self.chunks = chunks
        self._frames = set(seen[0].scores.frames)

    def of_same_frames(self, scores: Scores) -> Scores:
        """The scores of those frames that the probes were scored on."""
        pairs = [
            pair for pair in zip(scores.frames, scores.vmaf, strict=True) if pair[0] in self._frames
        ]
        return Scores([frame for frame, _ in pairs], [score for _, score in pairs])


def packaged(
    rung: Rung | Recipe, key: str, scores: Scores, predicted: float | None = None
) -> RungToPackage:
    """A joined rung (its key) with what it measured."""
    return RungToPackage(
        key=key,
        width=rung.width,
        height=rung.height,
        vmaf_mean=scores.mean,
        vmaf_p5=scores.p5,
        vmaf_predicted=predicted,
    )


def _recipe(
    rung: Rung, crfs: Sequence[float], chunk: Chunk, starts: Sequence[int], preset: str
) -> Recipe:
    """A chunk's recipe: the crf of the shot that it begins in, and a turn where that changes."""
    first = rung.crf
    turns: list[tuple[int, float]] = []
    for start, crf in zip(starts, crfs, strict=True):
        if start <= chunk.start:
            first = crf
        elif start < chunk.end and crf != (turns[-1][1] if turns else first):
            turns.append((start - chunk.start, crf))
    return Recipe(rung.width, rung.height, first, preset, tuple(turns))
