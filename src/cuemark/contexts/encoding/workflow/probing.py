"""What a film tells of itself before its ladder is made: probes, shots, and the likeness of codecs.

The reference codec is probed at several places. Another codec is tried at two of them only: how
it lies to the reference is told from that (``model/likeness.py``).
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from cuemark.contexts.encoding.model import complexity, shot_crfs, survey
from cuemark.contexts.encoding.model import likeness as likeness_rules
from cuemark.contexts.encoding.model.chunks import Chunk, sampled
from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.curves import Curve
from cuemark.contexts.encoding.model.effort import Budget
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.families import Family
from cuemark.contexts.encoding.model.gate import Scores, joined
from cuemark.contexts.encoding.model.grain import Synthesis
from cuemark.contexts.encoding.model.likeness import Likeness
from cuemark.contexts.encoding.model.probes import (
    Point,
    Probed,
    check_points,
    probe_points,
    width_at,
)
from cuemark.contexts.encoding.model.shot_crfs import Seen, Shot
from cuemark.contexts.encoding.stages import pictures, scoring
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.steps import Steps


class Probes(msgspec.Struct, frozen=True):
    """What encodes of ``chunks`` gave, by frame and as a whole.

    Points are on the scale of the reference's crf; ``tried`` are the same on the encoder's own.
    """

    probed: list[Probed]
    seen: list[Seen]
    chunks: list[Chunk]
    tried: list[Probed]

    def of_same_frames(self, scores: Scores) -> Scores:
        """The scores of those frames that the probes were scored on."""
        frames = set(self.seen[0].scores.frames)
        pairs = [pair for pair in zip(scores.frames, scores.vmaf, strict=True) if pair[0] in frames]
        return Scores([frame for frame, _ in pairs], [score for _, score in pairs])


class Probing:
    """The part of a title's walk that probes it. ``quick`` are the rungs of the quick version."""

    def __init__(
        self,
        shop: Workshop,
        sha256: str,
        steps: Steps,
        budget: Budget,
        film: Film,
        chunks: Sequence[Chunk],
        starts: list[int],
        quick: Sequence[RungToPackage],
    ) -> None:
        self._shop = shop
        self._sha256 = sha256
        self._steps = steps
        self._budget = budget
        self._film = film
        self._chunks = chunks
        self._starts = starts
        self._quick = quick
        picture = film.master.picture
        most = budget.frames_to_probe(picture.width * picture.height)
        told = pictures.shots_of(shop, sha256).complexity
        self._sampled = sampled(chunks, most, complexity.of_chunks(told, starts, chunks))
        self._tasks = 0

    def probes(self, reference: Family, preset: str) -> Probes:
        """What the reference gives at each of its points."""
        lines = self._film.master.picture.height
        points = probe_points(lines, self._budget.probe_points)
        return self._tried(reference, preset, self._film.standard, points)

    def checks(
        self,
        family: Family,
        preset: str,
        look: Look,
        reference: Probes,
        curves: Sequence[Curve],
        grain: Synthesis | None = None,
    ) -> tuple[Likeness, Probes]:
        """How a codec, in a look, lies to the reference on this film, and what told so.

        ``curves`` are those of the reference's probes, ``grain`` what the codec synthesizes.
        """
        expected = family.likeness
        points = [
            Point(point.height, expected.crf_at(point.crf))
            for point in check_points([each.point for each in reference.probed])
        ]
        tried = self._tried(family, preset, look, points, grain)
        found = likeness_rules.fitted(expected, curves, tried.tried)
        return found, msgspec.structs.replace(
            tried, probed=[found.probed(each) for each in tried.tried]
        )

    def _tried(
        self,
        family: Family,
        preset: str,
        look: Look,
        points: Sequence[Point],
        grain: Synthesis | None = None,
    ) -> Probes:
        """Encode and score the sampled chunks at points on the scale of the family's own crf."""
        picture, chunks = self._film.master.picture, self._sampled
        recipes = [
            Recipe(
                width_at(point.height, picture.width, picture.height),
                point.height,
                point.crf,
                preset,
                codec=family.codec,
                look=look,
                grain=grain.level(point.height) if grain else 0,
            )
            for point in points
        ]
        self._plan(len(recipes) * len(chunks))
        rows = [[recipe] * len(chunks) for recipe in recipes]
        keys = self._steps.all(
            "probe", "probes", Urgency.FULL, rows, chunks, without_grain=grain is not None
        )
        seen, probed = [], []
        for point, recipe, row in zip(points, recipes, keys, strict=True):
            scores = joined([scoring.scores_of(self._shop, key) for key in row])
            encoded = [
                pictures.chunk_key(self._shop, self._sha256, chunk, recipe) for chunk in chunks
            ]
            sizes: dict[int, int] = {}
            for chunk, key in zip(chunks, encoded, strict=True):
                sizes |= pictures.frame_bytes(self._shop, key, chunk)
            seen.append(Seen(point, sizes, scores))
            kbps = rate_kbps(self._shop, self._film, encoded, chunks)
            probed.append(Probed(point, kbps, scores.mean))
        like = [family.likeness.probed(each) for each in probed]
        return Probes(like, seen, chunks, probed)

    def shots(self, probes: Probes) -> dict[int, list[Shot]]:
        """By height, each shot with its curve: its own, or one told from the quick version."""
        frames, rate = self._film.master.frames, float(self._film.master.picture.rate)
        all_probed = len(probes.chunks) == len(self._chunks)
        self._plan(len(self._chunks) * (1 if all_probed else 1 + len(self._quick)))
        itself = self._steps.ceilings("probes", Urgency.FULL, self._chunks)
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

    def shots_like(
        self, shots: dict[int, list[Shot]], likeness: Likeness, checks: Probes
    ) -> dict[int, list[Shot]]:
        """The shots of another codec, from those of the reference."""
        frames, rate = self._film.master.frames, float(self._film.master.picture.rate)
        bounds = list(pairwise([*self._starts, frames]))
        there = [
            {
                each.point.height: likeness.probed(probed[0])
                for each in checks.seen
                if (probed := shot_crfs.within([each], start, end, rate))
            }
            for start, end in bounds
        ]
        return likeness_rules.shots_like(shots, likeness, there)

    def _surveyed(self) -> list[Seen]:
        """What every shot takes and measures in the rungs of the quick version."""
        stretches = [(chunk.start, chunk.end) for chunk in self._chunks]
        keys = [rung.key for rung in self._quick]
        return [
            Seen(Point(rung.height, 0.0), pictures.rung_frame_bytes(self._shop, rung.key), scores)
            for rung, scores in zip(
                self._quick,
                self._steps.scored("probes", Urgency.FULL, keys, stretches),
                strict=True,
            )
        ]

    def _plan(self, tasks: int) -> None:
        self._tasks += tasks
        self._steps.plan("probes", self._tasks)


def rate_kbps(shop: Workshop, film: Film, encoded: Sequence[str], chunks: Sequence[Chunk]) -> float:
    """The mean rate of encoded chunks (their keys)."""
    size = sum(pictures.chunk_bytes(shop, key) for key in encoded)
    seconds = sum(chunk.frames for chunk in chunks) / film.master.picture.rate
    return size * 8 / float(seconds) / 1000
