"""Trying to make a rung: what is encoded for it, and what that measures; told in the ledger."""

import itertools
from collections.abc import Sequence

import msgspec
import structlog

from cuemark.contexts.encoding.model import shot_crfs
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.ladder import Rung
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contexts.encoding.model.watermark import VARIANTS
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.workflow.attempts import Attempt, Encoded, Encoder
from cuemark.contexts.encoding.workflow.marking import Plain, marked
from cuemark.contexts.encoding.workflow.probing import rate_kbps
from cuemark.contexts.encoding.workflow.steps import Steps


class Trying:
    """Attempts at the rungs of one film, of all its codecs."""

    def __init__(
        self,
        shop: Workshop,
        job: JobRow,
        steps: Steps,
        film: Film,
        chunks: Sequence[Chunk],
        starts: list[int],
    ) -> None:
        self._shop = shop
        self._job = job
        self._steps = steps
        self._film = film
        self._chunks = chunks
        self._starts = starts
        self._numbers = itertools.count(1)
        self._encodes = self._verifies = 0

    @property
    def is_marked(self) -> bool:
        """Whether the film is to be marked."""
        return bool(self._job.mark_key_id)

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """The frames that rungs are scored on: all of them, by chunk."""
        return [(chunk.start, chunk.end) for chunk in self._chunks]

    def attempt(
        self,
        encoder: Encoder,
        rung: Rung,
        plan: ShotPlan,
        crf: float | None = None,
    ) -> Attempt:
        """A rung with a crf for each shot, about its own or about ``crf``."""
        about = rung.crf if crf is None else crf
        name = f"attempt {next(self._numbers)}: {encoder.told(rung, about)}"
        row = tuple(encoder.recipe(rung, plan.crfs, chunk, self._starts) for chunk in self._chunks)
        return Attempt(name, rung, about, plan, row)

    def moved(self, encoder: Encoder, attempt: Attempt, crf: float) -> Attempt:
        """The same rung about another crf, those of all shots moved by as much."""
        crfs = shot_crfs.moved(attempt.plan.crfs, crf - attempt.crf)
        plan = msgspec.structs.replace(attempt.plan, crfs=crfs)
        return self.attempt(encoder, attempt.rung, plan, crf)

    def encoded(self, attempts: Sequence[Attempt]) -> list[list[str]]:
        """The chunks of each attempt, encoded."""
        self._plan(encodes=len(attempts) * len(self._chunks))
        rows, names = [each.row for each in attempts], [each.name for each in attempts]
        return self._steps.all("encode", "encode", Urgency.FULL, rows, self._chunks, names)

    def scored(
        self, encoder: Encoder, encoded: Sequence[Sequence[str]], names: Sequence[str]
    ) -> list[tuple[str, Scores]]:
        """The joined rungs of encoded chunks, and what they measure."""
        self._plan(verifies=len(encoded) * (1 + len(self._chunks)))
        return self._steps.joined_and_scored(
            "verify",
            Urgency.FULL,
            encoded,
            self.stretches,
            names,
            encoder.family.codec,
            encoder.look,
            without_grain=encoder.grain is not None,
        )

    def kbps(self, row: Sequence[str], of: Sequence[Chunk] = ()) -> float:
        """The mean rate of the chunks of an attempt, of all or ``of`` some."""
        chosen = {chunk.index for chunk in of or self._chunks}
        keys = [key for key, chunk in zip(row, self._chunks, strict=True) if chunk.index in chosen]
        return rate_kbps(self._shop, self._film, keys, of or self._chunks)

    def made(
        self,
        encoder: Encoder,
        attempt: Attempt,
        row: Sequence[str],
        scored: tuple[str, Scores],
        *,
        above_vmaf: float = 0.0,
        beaten: bool = False,
    ) -> Encoded:
        """What came of an attempt whose chunks are ``row``."""
        key, scores = scored
        return Encoded(
            attempt=attempt,
            rate_kbps=self.kbps(row),
            above_vmaf=above_vmaf,
            beaten=beaten,
            rung=encoder.packaged(attempt, key, scores),
            level=encoder.level(attempt.rung) if encoder.grain else None,
            plan=encoder.own_plan(attempt.plan),
            scores=scores,
        )

    def in_variants(self, encoder: Encoder, kept: Sequence[Encoded]) -> list[Encoded]:
        """Rungs in both variants of the mark; raises ``QualityRefused`` where one cannot be."""
        encodes = len(VARIANTS) * len(kept) * len(self._chunks)
        self._plan(encodes, encodes + len(VARIANTS) * len(kept))
        found = marked(
            self._steps,
            self._job.mark_key_id,
            [Plain(each.name, each.attempt.row, each.rung, each.scores) for each in kept],
            self._chunks,
            self._starts,
            self.stretches,
            stages=("encode", "verify"),
            urgency=Urgency.FULL,
            codec=encoder.family.codec,
            look=encoder.look,
            without_grain=encoder.grain is not None,
        )
        return [
            msgspec.structs.replace(
                each,
                rate_kbps=max(self.kbps(row) for row in variants.chunks),
                rung=variants.rung,
                scores=variants.scores,
            )
            for each, variants in zip(kept, found, strict=True)
        ]

    def score_with_grain(self, encoder: Encoder, kept: Sequence[Encoded]) -> None:
        """Score what is published as it is shown, against the master as it is: for the report."""
        self._plan(verifies=len(kept) * len(self._chunks))
        rungs, names = [each.rung.key for each in kept], [each.name for each in kept]
        self._steps.scored("verify", Urgency.FULL, rungs, self.stretches, names, encoder.look)

    def tell_dropped(self, dropped: Sequence[Encoded]) -> None:
        """Say in the log what was made for nothing."""
        for each in dropped:
            structlog.get_logger().warning(
                "rung_dropped", version_id=self._job.version_id, rung=each.name
            )

    def _plan(self, encodes: int = 0, verifies: int = 0) -> None:
        """Tell of so many more tasks of both stages."""
        self._encodes += encodes
        self._verifies += verifies
        if encodes:
            self._steps.plan("encode", self._encodes)
        if verifies:
            self._steps.plan("verify", self._verifies)
