"""A film is made for slow lines too, and no rung takes more than lines carry, whatever it shows."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benches.encoding.lab import Clip, Lab
from cuemark.contexts.encoding.model import rates
from cuemark.contexts.encoding.model.curves import curves_of, with_between
from cuemark.contexts.encoding.model.effort import BUDGETS
from cuemark.contexts.encoding.model.families import REFERENCE
from cuemark.contexts.encoding.model.ladder import MOST_KBPS, ladder
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.workflow.probing import Probing
from cuemark.contexts.encoding.workflow.renditions import FullRenditions
from tests.e2e.installation import ffmpeg

RATE, FRAMES = 25, 24
NOISE = ("testsrc2=size=854x480", "noise=alls=24:allf=t")
NEW_EACH_FRAME = ("nullsrc=size=107x60", "geq=lum='random(1)*220+16':cb=128:cr=128,scale=854:480")
"""Nothing of a frame is in the one before it, so that each costs what a picture costs."""

LARGE = ("testsrc2=size=3840x2160", "null")


def clip_of(film: tuple[str, str], folder: Path) -> tuple[Lab, Clip]:
    """A film in a workshop of its own."""
    source, look = film
    path = folder / "film.mkv"
    ffmpeg(
        ["-f", "lavfi", "-i", f"{source}:rate={RATE}"],
        ["-vf", f"{look},format=yuv420p", "-frames:v", f"{FRAMES}", "-c:v", "libx264", "-crf", "4"],
        str(path),
    )
    lab = Lab(folder / "lab")
    return lab, lab.clip("film", path)


def rungs_of(film: tuple[str, str], folder: Path) -> tuple[Sequence[RungToPackage], list[float]]:
    """The rungs of a film, and what each takes in kbit/s."""
    lab, clip = clip_of(film, folder)
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
    assert rates.LEAST_KBPS * rates.LEAST_TIMES <= min(kbps) <= rates.SLOW_KBPS
    assert all(b / a <= 2 * rates.TIMES for a, b in pairwise(kbps)), kbps
    assert all(a.vmaf_mean < b.vmaf_mean for a, b in pairwise(rungs))


def test_the_ladder_of_a_film_of_2160_lines_has_large_rungs_and_small_ones(tmp_path: Path) -> None:
    """As it is planned from encodes of its sizes."""
    lab, clip = clip_of(LARGE, tmp_path)
    _, steps = lab.steps(clip, "fast")
    probing = Probing(
        lab.shop, clip.sha256, steps, BUDGETS["fast"], clip.film, clip.chunks, clip.starts, []
    )
    family = FAMILIES[REFERENCE]
    probed = probing.probes(family, family.presets["fast"]).probed
    assert max(probe.point.height for probe in probed) == 2160
    rungs = ladder(with_between(curves_of(probed)), probed, 3840, 2160)
    assert rungs[-1].height > 1440
    assert rungs[0].height <= 540
    assert rungs[-1].rate_kbps <= MOST_KBPS
    assert len(rungs) >= 4
