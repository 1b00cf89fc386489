"""Where a codec cannot make a rung as poor as it was planned."""

from itertools import pairwise
from pathlib import Path

from benches.encoding.lab import Lab
from cuemark.contexts.encoding.model.ladder import STEP_VMAF
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.workflow.renditions import FullRenditions
from tests.e2e.installation import ffmpeg

CITY = Path(__file__).parents[4] / "shared" / "media" / "city_cc0_405p25.mpg"


def test_what_is_better_than_planned_at_the_last_crf_of_its_codec_is_taken_as_it_is(
    tmp_path: Path,
) -> None:
    """A noisy film: AV1 smooths the noise away, and what it shows then is like the reference's
    only where both have many bits."""
    film = tmp_path / "film.mkv"
    ffmpeg(
        ["-i", str(CITY)],
        ["-vf", "crop=720:404:0:0", "-frames:v", "50", "-c:v", "libx264", "-crf", "4"],
        str(film),
    )
    lab = Lab(tmp_path / "lab")
    clip = lab.clip("city", film)
    job, steps = lab.steps(clip, "fast", ("h264", "av1"))
    walk = FullRenditions(
        lab.shop, job, steps, clip.film, clip.chunks, clip.starts, lab.quick(clip)
    )
    rungs, measured = walk.rungs("per title")
    crfs = [plan.crfs[0] for plan in measured.shot_plans]
    found = [pair for pair in zip(rungs, crfs, strict=True) if pair[0].codec == "av1"]
    told = [(rung.height, crf, rung.vmaf_mean, rung.vmaf_predicted) for rung, crf in found]
    ends = [crf for rung, crf in found if rung.vmaf_predicted is None]
    assert ends, told
    assert set(ends) == {FAMILIES["av1"].likeness.most_crf}, told
    qualities = sorted(rung.vmaf_mean for rung, _ in found)
    assert all(b - a >= STEP_VMAF / 3 for a, b in pairwise(qualities)), told
