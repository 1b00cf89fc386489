"""A title of an easy and a hard shot, made whole: a crf for each shot, and what it brings."""

import pytest

from benches.encoding.bd import bd_rate
from benches.encoding.lab import Clip, Lab
from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.stages import pictures
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.workflow.renditions import FullRenditions, Method
from tests.e2e.installation import ffmpeg

RATE, EASY_FRAMES, HARD_FRAMES = 25, 40, 40
SIZE = "256x144"

Made = tuple[list[RungToPackage], Measured]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("per-shot"))


@pytest.fixture(scope="module")
def clip(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A test card of flat colors, then a fractal that the camera falls into."""
    target = tmp_path_factory.mktemp("clip") / "film.mkv"
    easy = f"testsrc2=s={SIZE}:r={RATE}"
    hard = f"mandelbrot=s={SIZE}:r={RATE}:start_scale=0.6"
    ffmpeg(
        ["-f", "lavfi", "-i", easy, "-f", "lavfi", "-i", hard],
        [
            "-filter_complex",
            f"[0:v]trim=end_frame={EASY_FRAMES},format=yuv420p,setsar=1[a];"
            f"[1:v]trim=end_frame={HARD_FRAMES},format=yuv420p,setsar=1[b];"
            "[a][b]concat=n=2[v]",
        ],
        ["-map", "[v]", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", str(target)],
    )
    return lab.clip("two shots", target)


def made(lab: Lab, clip: Clip, method: Method) -> Made:
    job, steps = lab.steps(clip)
    return FullRenditions(lab.shop, job, steps, clip.film, clip.chunks, clip.starts).rungs(method)


@pytest.fixture(scope="module")
def per_title(lab: Lab, clip: Clip) -> Made:
    return made(lab, clip, "per title")


@pytest.fixture(scope="module")
def per_shot(lab: Lab, clip: Clip) -> Made:
    return made(lab, clip, "per shot")


def scores(lab: Lab, clip: Clip, rung: RungToPackage) -> Scores:
    key = pictures.score_rung(lab.shop, clip.sha256, rung.key, (0, clip.film.master.frames))
    return pictures.scores_of(lab.shop, key)


def curve(lab: Lab, clip: Clip, rungs: list[RungToPackage], what: str) -> list[tuple[float, float]]:
    found = [lab.rung(clip, rung.key, rung.height, rung.vmaf_predicted) for rung in rungs]
    return [(each.rate_kbps, getattr(each, what)) for each in found]


def test_bits_go_to_the_hard_shot(per_shot: Made, clip: Clip) -> None:
    rungs, measured = per_shot
    assert clip.starts == [0, EASY_FRAMES]
    assert len(rungs) >= 2
    assert [len(plan.crfs) for plan in measured.shot_plans] == [2] * len(rungs)
    assert all(easy >= hard for easy, hard in (plan.crfs for plan in measured.shot_plans))
    assert any(easy > hard for easy, hard in (plan.crfs for plan in measured.shot_plans))


def test_every_rung_measures_what_was_predicted(per_shot: Made) -> None:
    for rung in per_shot[0]:
        assert rung.vmaf_predicted is not None
        assert rung.vmaf_mean == pytest.approx(rung.vmaf_predicted, abs=1.0)


@pytest.mark.parametrize(("quality", "at_most"), [("vmaf", 1.0), ("p5", -2.0)])
def test_no_more_bits_for_the_same_quality(
    lab: Lab, clip: Clip, per_title: Made, per_shot: Made, quality: str, at_most: float
) -> None:
    title, shots = (curve(lab, clip, made[0], quality) for made in (per_title, per_shot))
    difference = bd_rate(title, shots)
    assert difference is not None
    print("BD", quality, difference, title, shots, per_shot[1].shot_plans)
    assert difference <= at_most


def test_vmaf_neg_and_banding_are_measured_beside(lab: Lab, clip: Clip, per_shot: Made) -> None:
    found = scores(lab, clip, per_shot[0][-1])
    assert len(found.neg) == len(found.cambi) == len(found.vmaf)
    assert all(neg <= vmaf + 0.5 for neg, vmaf in zip(found.neg, found.vmaf, strict=True))
    assert min(found.cambi) >= 0
