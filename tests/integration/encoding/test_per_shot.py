"""A title of two shots made whole: a crf for each, and what that brings."""

from pathlib import Path

import pytest

from benches.encoding.bd import bd_rate
from benches.encoding.lab import Clip, Lab
from cuemark.contexts.encoding.model.gate import PUBLISHED_WITHIN_VMAF, Scores
from cuemark.contexts.encoding.stages import scoring
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import RungToPackage
from cuemark.contexts.encoding.workflow.renditions import FullRenditions, Method
from tests.e2e.installation import ffmpeg

MEDIA = Path(__file__).parents[4] / "shared" / "media"
FRAMES = 50

Made = tuple[list[RungToPackage], Measured]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("per-shot"))


@pytest.fixture(scope="module")
def clip(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A night that loses much and needs little, then a city that needs much and loses little."""
    target = tmp_path_factory.mktemp("clip") / "film.mkv"
    cut = f"fps=25,scale=320:180,trim=end_frame={FRAMES},format=yuv420p,setsar=1"
    ffmpeg(
        ["-ss", "14", "-i", str(MEDIA / "sintel_trailer_720p24.mp4")],
        ["-i", str(MEDIA / "city_cc0_405p25.mpg")],
        ["-filter_complex", f"[0:v]{cut}[a];[1:v]{cut}[b];[a][b]concat=n=2[v]", "-map", "[v]"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", str(target)],
    )
    return lab.clip("two shots", target)


def made(lab: Lab, clip: Clip, method: Method) -> Made:
    job, steps = lab.steps(clip)
    walk = FullRenditions(
        lab.shop, job, steps, clip.film, clip.chunks, clip.starts, lab.quick(clip)
    )
    return walk.rungs(method)


@pytest.fixture(scope="module")
def per_title(lab: Lab, clip: Clip) -> Made:
    return made(lab, clip, "per title")


@pytest.fixture(scope="module")
def per_shot(lab: Lab, clip: Clip) -> Made:
    return made(lab, clip, "per shot")


def scores(lab: Lab, clip: Clip, rung: RungToPackage) -> Scores:
    key = scoring.score_rung(lab.shop, clip.sha256, rung.key, (0, clip.film.master.frames))
    return scoring.scores_of(lab.shop, key)


def curve(lab: Lab, clip: Clip, rungs: list[RungToPackage], what: str) -> list[tuple[float, float]]:
    found = [lab.rung(clip, rung.key, rung.height, rung.vmaf_predicted) for rung in rungs]
    return [(each.rate_kbps, getattr(each, what)) for each in found]


def test_bits_go_to_the_shot_that_loses_most(per_shot: Made, clip: Clip) -> None:
    rungs, measured = per_shot
    assert clip.starts == [0, FRAMES]
    assert len(rungs) >= 2
    assert [len(plan.crfs) for plan in measured.shot_plans] == [2] * len(rungs)
    assert all(night <= city for night, city in (plan.crfs for plan in measured.shot_plans))
    night, city = measured.shot_plans[-1].crfs
    assert night + 2 < city


def test_every_rung_measures_what_was_predicted(per_shot: Made) -> None:
    for rung in per_shot[0]:
        assert rung.vmaf_predicted is not None
        assert rung.vmaf_mean == pytest.approx(rung.vmaf_predicted, abs=PUBLISHED_WITHIN_VMAF)


@pytest.mark.parametrize(("quality", "at_most"), [("vmaf", -2.0), ("p5", 6.0)])
def test_fewer_bits_for_the_same_quality(
    lab: Lab, clip: Clip, per_title: Made, per_shot: Made, quality: str, at_most: float
) -> None:
    """Two shots so unlike spare what a plan must; fairness is told of shots, p5 is of frames."""
    title, shots = (curve(lab, clip, made[0][-3:], quality) for made in (per_title, per_shot))
    difference = bd_rate(title, shots)
    assert difference is not None
    assert difference <= at_most


def test_vmaf_neg_and_banding_are_measured_beside(lab: Lab, clip: Clip, per_shot: Made) -> None:
    found = scores(lab, clip, per_shot[0][-1])
    assert len(found.neg) == len(found.cambi) == len(found.vmaf)
    assert all(neg <= vmaf + 0.5 for neg, vmaf in zip(found.neg, found.vmaf, strict=True))
    assert min(found.cambi) >= 0
