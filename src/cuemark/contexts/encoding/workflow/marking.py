"""The two variants of rungs that were kept: encoded, joined, held against the plain ones."""

from collections.abc import Sequence

import msgspec

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import Look
from cuemark.contexts.encoding.model.costs import MARKED
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.gate import Scores, mark_refusal
from cuemark.contexts.encoding.model.watermark import VARIANTS, Mark
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.steps import Steps
from cuemark.contracts.encoding.jobs import Stage
from cuemark.contracts.encoding.versions import Codec


class QualityRefused(Exception):
    """A rung does not look as it must; the text says which, and how it measured."""


class Plain(msgspec.Struct, frozen=True):
    """A rung as it was made without a mark: ``row`` has a recipe for each chunk."""

    name: str
    row: Sequence[Recipe]
    rung: RungToPackage
    scores: Scores


class Variants(msgspec.Struct, frozen=True):
    """A rung in its variants: it measures what the worse one does. ``chunks`` are those of each."""

    rung: RungToPackage
    scores: Scores
    chunks: list[list[str]]


def marked(
    steps: Steps,
    mark_key_id: str,
    plain: Sequence[Plain],
    chunks: Sequence[Chunk],
    starts: list[int],
    stretches: Sequence[tuple[int, int]],
    *,
    stages: tuple[Stage, Stage],
    urgency: Urgency,
    codec: Codec = "h264",
    look: Look | None = None,
    without_grain: bool = False,
) -> list[Variants]:
    """Make both variants of rungs. ``stages`` are those of encoding and of what follows.

    ``without_grain`` is how the plain rungs were compared.

    Raises ``QualityRefused``.
    """
    rows = [
        [msgspec.structs.replace(recipe, mark=Mark(variant, mark_key_id)) for recipe in each.row]
        for each in plain
        for variant in VARIANTS
    ]
    names = [f"{each.name}{MARKED}" for each in plain for _ in VARIANTS]
    encoded = steps.all("encode", stages[0], urgency, rows, chunks, names)
    scored = steps.joined_and_scored(
        *(stages[1], urgency, encoded, stretches, names, codec, look), without_grain=without_grain
    )
    found = []
    for number, each in enumerate(plain):
        here = slice(len(VARIANTS) * number, len(VARIANTS) * (number + 1))
        for _, scores in scored[here]:
            if why := mark_refusal(each.scores, scores, starts):
                raise QualityRefused(
                    f"the rendition at {each.rung.height} lines cannot be marked: {why}; make "
                    "this film without a mark"
                )
        key, worse = min(scored[here], key=lambda pair: pair[1].mean)
        rung = msgspec.structs.replace(
            each.rung,
            key=key,
            vmaf_mean=worse.mean,
            vmaf_p5=min(scores.p5 for _, scores in scored[here]),
            variants=tuple(rung for rung, _ in scored[here]),
        )
        found.append(Variants(rung, worse, encoded[here]))
    return found
