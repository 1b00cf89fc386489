"""A film is made for slow lines too, and no rung takes more than lines carry, whatever it shows."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from benches.encoding.lab import Lab
from cuemark.contexts.encoding.model import rates
from cuemark.contexts.encoding.model.ladder import MOST_KBPS
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.workflow.renditions import FullRenditions
from tests.e2e.installation import ffmpeg

RATE, FRAMES = 25, 24
NOISE = ("testsrc2=size=854x480", "noise=alls=24:allf=t")
NEW_EACH_FRAME = ("nullsrc=size=107x60", "geq=lum='random(1)*220+16':cb=128:cr=128,scale=854:480")
"""Nothing of a frame is in the one before it, so that each costs what a picture costs."""


def rungs_of(film: tuple[str, str], folder: Path) -> tuple[Sequence[RungToPackage], list[float]]:
    """The rungs of a film, and what each takes in kbit/s."""
    source, look = film
    path = folder / "film.mkv"
    ffmpeg(
        ["-f", "lavfi", "-i", f"{source}:rate={RATE}"],
        ["-vf", f"{look},format=yuv420p", "-frames:v", f"{FRAMES}", "-c:v", "libx264", "-crf", "4"],
        str(path),
    )
    lab = Lab(folder / "lab")
    clip = lab.clip("film", path)
    job, steps = lab.steps(clip, "fast")
    walk = FullRenditions(
        lab.shop, job, steps, clip.film, clip.chunks, clip.starts, lab.quick(clip)
    )
    rungs, _ = walk.rungs("per title")
    sizes = [sum(pictures.rung_frame_bytes(lab.shop, rung.key).values()) for rung in rungs]
    return rungs, [size * 8 / (FRAMES / RATE) / 1000 for size in sizes]


def test_noise_takes_no_more_than_lines_carry(tmp_path: Path) -> None:
    """What keeps all of the noise would take several times that."""
    rungs, kbps = rungs_of(NOISE, tmp_path)
    assert MOST_KBPS / 3 <= max(kbps) <= MOST_KBPS * rates.MOST_TIMES, kbps
    assert len(rungs) >= 2


def test_a_film_whose_rungs_of_quality_are_all_heavy_has_others_for_slow_lines(
    tmp_path: Path,
) -> None:
    rungs, kbps = rungs_of(NEW_EACH_FRAME, tmp_path)
    by_quality = [
        rate for rung, rate in zip(rungs, kbps, strict=True) if rung.vmaf_predicted is not None
    ]
    assert min(by_quality) > rates.SLOW_KBPS
    assert min(kbps) == pytest.approx(rates.LEAST_KBPS, rel=0.4)
    assert all(b / a <= 2 * rates.TIMES for a, b in pairwise(kbps)), kbps
    assert all(a.vmaf_mean < b.vmaf_mean for a, b in pairwise(rungs))
