"""Films that say what each frame is: frame N is flat, and its brightness tells N."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.chunks import Chunk, chunk_plan
from cuemark.contexts.encoding.model.master import Master
from cuemark.contexts.encoding.stages import pictures, scoring
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.conftest import keep

RATE, FRAMES = 25, 40
STEP, KINDS = 13, 16
LOWEST = 24
SIZE = "192x108"
NUMBERED = f"nullsrc=s={SIZE}:r={RATE},geq=lum='{LOWEST}+mod(N*5\\,{KINDS})*{STEP}':cb=128:cr=128"
FAST = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "8", "-pix_fmt", "yuv420p"]
TONE = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={FRAMES / RATE}"]


def numbered(target: Path, *options: str, source: str = NUMBERED, frames: int = FRAMES) -> Path:
    """Render a film of flat frames; ``options`` come last on ffmpeg's command line."""
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", str(frames), [*FAST, *options], str(target))
    return target


def levels(numbers: Sequence[int]) -> list[int]:
    """What tells the frames of these numbers apart."""
    return [number * 5 % KINDS for number in numbers]


def inspected(shop: Workshop, film: Path) -> Master:
    """What the product makes of a film; raises ``MasterRejected``."""
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    return pictures.film_of(shop, sha256).master


def encoded(
    shop: Workshop, film: Path, chunks: Sequence[Chunk] = (), *, compare: bool = True
) -> Path:
    """The film as a rung of its own size, made as the workflow makes it."""
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    pictures.find_shots(shop, sha256)
    master = pictures.film_of(shop, sha256).master
    starts = pictures.shots_of(shop, sha256).starts
    plan = list(chunks) or chunk_plan(starts, master.frames, master.picture.rate)
    recipe = Recipe(master.picture.width, master.picture.height, 12.0, "ultrafast")
    keys = []
    for chunk in plan:
        keys.append(pictures.encode_chunk(shop, sha256, chunk, recipe))
        if not compare:
            continue
        score = scoring.scores_of(shop, scoring.score_chunk(shop, sha256, chunk, recipe))
        assert score.mean > 80, "the encode is compared with other frames than it was made of"
    return shop.path(pictures.join_rung(shop, sha256, keys), pictures.RUNG)


def pictures_of(rung: Path) -> list[NDArray[np.int16]]:
    """The luma of each frame of a file, h by w."""
    with av.open(str(rung)) as container:
        return [
            frame.to_ndarray(format="yuv420p")[: frame.height].astype(np.int16)
            for frame in container.decode(video=0)
        ]


def shown(rung: Path) -> list[int]:
    """The level of each frame."""
    return [round((float(np.median(picture)) - LOWEST) / STEP) for picture in pictures_of(rung)]
