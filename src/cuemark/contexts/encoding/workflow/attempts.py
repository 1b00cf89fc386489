"""An attempt at a rung: what is encoded for it, and in what."""

from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import PLAIN, Look
from cuemark.contexts.encoding.model.families import REFERENCE, Family
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.grain import Synthesis
from cuemark.contexts.encoding.model.ladder import Rung
from cuemark.contexts.encoding.model.likeness import Likeness
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contracts.encoding.versions import Codec


class Attempt(msgspec.Struct, frozen=True):
    """A rung on its way: ``row`` has a recipe for each chunk, with crfs about ``crf``.

    ``name`` is its own in the walk: what it takes is in the ledger under it. ``measured`` is the
    crf and the mean VMAF of the attempt before it, if there was one; ``taken`` is that crf and its
    rate, of a rung that is there for its rate.
    """

    name: str
    rung: Rung
    crf: float
    plan: ShotPlan
    row: tuple[Recipe, ...]
    measured: tuple[float, float] | None = None
    taken: tuple[float, float] | None = None

    @property
    def vmaf(self) -> float:
        """What it is to measure on the frames of the probes."""
        told = self.plan.probed_vmaf
        return self.rung.vmaf if told is None else min(100.0, told)

    @property
    def film_vmaf(self) -> float:
        """What it is to measure on all frames, as far as that was told."""
        return self.rung.vmaf if self.plan.probed_vmaf is None else min(100.0, self.plan.vmaf)


class Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was encoded: its rate, and by how much it measures better than predicted.

    ``beaten`` says that a probe dominates it, ``for_slow_lines`` that no quality asked for it.
    ``level`` is that at which grain is synthesized, 0 for not at all; None where it is compared
    with the film as it is.
    """

    attempt: Attempt
    rate_kbps: float
    above_vmaf: float
    beaten: bool
    rung: RungToPackage
    plan: ShotPlan
    level: int | None = None
    scores: Scores
    for_slow_lines: bool = False

    @property
    def name(self) -> str:
        return self.attempt.name

    @property
    def unpredicted(self) -> "Encoded":
        """The same, held to no prediction."""
        rung = msgspec.structs.replace(self.rung, vmaf_predicted=None)
        return msgspec.structs.replace(self, rung=rung)

    @property
    def off_vmaf(self) -> float:
        """How far it lies off its prediction."""
        return abs(self.above_vmaf)


class Encoder(msgspec.Struct, frozen=True):
    """A codec as rungs are made in it: their crfs are the reference's, its recipes have its own.

    Where it synthesizes ``grain``, its rungs are compared with the film without grain.
    """

    family: Family
    preset: str
    look: Look
    likeness: Likeness
    grain: Synthesis | None = None

    @property
    def called(self) -> str:
        """The codec, with its range where that is high."""
        return called(self.family.codec, self.look)

    def told(self, rung: Rung, crf: float) -> str:
        """How a rung is called in the ledger and the log."""
        codec = "" if self.family.codec == REFERENCE else f"{self.called}, "
        return f"{codec}{rung.height} lines, crf {self.likeness.crf_at(crf):g}"

    def own(self, rung: Rung) -> Rung:
        """The rung with the codec's own crf."""
        return msgspec.structs.replace(
            rung,
            crf=self.likeness.crf_at(rung.crf),
            vmaf_per_crf=rung.vmaf_per_crf * self.likeness.reference_per_crf,
        )

    def own_plan(self, plan: ShotPlan) -> ShotPlan:
        """The plan with the codec's own crfs."""
        crfs = [self.likeness.crf_at(crf) for crf in plan.crfs]
        return msgspec.structs.replace(plan, crfs=crfs)

    def recipe(
        self, rung: Rung, crfs: Sequence[float], chunk: Chunk, starts: Sequence[int]
    ) -> Recipe:
        """A chunk's recipe: the crf of the shot that it begins in, a turn where that changes."""
        first = self.likeness.crf_at(rung.crf)
        turns: list[tuple[int, float]] = []
        for start, crf in zip(starts, map(self.likeness.crf_at, crfs), strict=True):
            if start <= chunk.start:
                first = crf
            elif start < chunk.end and crf != (turns[-1][1] if turns else first):
                turns.append((start - chunk.start, crf))
        return Recipe(
            rung.width,
            rung.height,
            first,
            self.preset,
            tuple(turns),
            self.family.codec,
            self.look,
            self.level(rung),
        )

    def level(self, rung: Rung) -> int:
        """The level at which a rung's grain is synthesized, 0 for not at all."""
        return self.grain.level(rung.height) if self.grain else 0

    def packaged(self, attempt: Attempt, key: str, scores: Scores) -> RungToPackage:
        """An attempt that was joined (its key) with what it measured."""
        told = attempt.film_vmaf
        return packaged(attempt.rung, key, scores, told, self.family.codec, self.look)


def called(codec: Codec, look: Look) -> str:
    """A codec, with its range where that is high."""
    return codec if look.dynamic_range == "sdr" else f"{codec} {look.dynamic_range}"


def packaged(
    rung: Rung | Recipe,
    key: str,
    scores: Scores,
    predicted: float | None = None,
    codec: Codec = "h264",
    look: Look = PLAIN,
) -> RungToPackage:
    """A joined rung (its key) with what it measured."""
    return RungToPackage(
        key=key,
        width=rung.width,
        height=rung.height,
        vmaf_mean=scores.mean,
        vmaf_p5=scores.p5,
        vmaf_predicted=predicted,
        codec=codec,
        look=look,
    )
