"""What a report says of a version's measurements."""

import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.gate import Scores
from cuemark.contexts.encoding.model.grain import Synthesis
from cuemark.contexts.encoding.model.ladder import Rung
from cuemark.contexts.encoding.model.probes import Point, Probed
from cuemark.contexts.encoding.model.report import (
    Kept,
    Measures,
    Synthesized,
    binned,
    findings,
    of_version,
    worst_frame,
)
from cuemark.contexts.encoding.model.shot_crfs import ShotPlan
from cuemark.contracts.encoding.inspections import InspectedSound, Inspection
from tests.unit.playback.versions import version

SCORES = st.lists(st.floats(0, 100), min_size=1, max_size=200)


@given(SCORES, st.integers(1, 50))
def test_stretches_are_bounded_and_keep_the_mean_and_the_least(
    vmaf: list[float], most: int
) -> None:
    scores = Scores([n * 5 for n in range(len(vmaf))], vmaf)
    frames, means, least = binned(scores, most)
    assert len(frames) == len(means) == len(least) <= most
    assert frames[0] == 0
    assert frames == sorted(frames)
    assert math.isclose(min(least), min(vmaf), abs_tol=0.01)
    size = math.ceil(len(vmaf) / most)
    assert math.isclose(means[0], math.fsum(vmaf[:size]) / len(vmaf[:size]), abs_tol=0.01)


def test_the_worst_frame_is_the_first_with_the_least_score() -> None:
    assert worst_frame(Scores([0, 5, 10, 15], [90, 40, 40, 80])) == 5


MASTER = Inspection(
    container="matroska,webm",
    codec="ffv1",
    width=640,
    height=360,
    frames=100,
    frame_rate="24000/1001",
    duration_s=4.17,
    cadence="even",
    repeats_every=5,
    fields="tff",
    dynamic_range="pq",
    bit_depth=10,
    primaries="bt2020",
    matrix="bt2020nc",
    full_range=False,
    mastering_peak_cd_m2=1000.0,
    max_cll=900,
    max_fall=300,
    sounds=[
        InspectedSound(
            stream=1, channels=6, layout="5.1", language="de", lufs=-27.1, peak_dbtp=-3.0
        ),
        InspectedSound(
            stream=2, channels=2, layout="stereo", language="en", role="description", title="<AD>"
        ),
    ],
    shots=2,
    longest_shot_s=2.1,
    spatial=40.2,
    temporal=8.4,
    notes=["The file has <2> films."],
)


def measures() -> Measures:
    names = [rendition.rendition_id for rendition in version().renditions]
    probes = [
        Probed(Point(180, 29.0), 120, 62),
        Probed(Point(240, 31.0), 140, 71),
        Probed(Point(240, 23.0), 270, 84),
        Probed(Point(360, 28.0), 290, 89),
        Probed(Point(360, 20.0), 550, 95),
    ]
    rung = Rung(width=640, height=360, crf=24.0, rate_kbps=400, vmaf=92, vmaf_per_crf=1.0)
    return Measures(
        probes=probes,
        planned=[rung] * (len(names) + 1),
        shots=[0, 50],
        master=MASTER,
        scores={
            name: Scores([0, 5, 10], [95, 40, 92], [93, 38, 91], [0.5, 1.5, 1.0]) for name in names
        },
        shot_plans={names[0]: ShotPlan([22.5, 26.0], 400.0, 92.0, [91.5, None])},
    )


def test_a_report_finds_the_poor_moment_and_the_rung_that_was_dropped() -> None:
    said = findings(version(), Kept(measures=measures()))
    name = version().renditions[0].rendition_id
    assert any(each.startswith("1 planned rung was dropped") for each in said)
    assert f"{name} falls to VMAF 40.0 at frame 5: see the picture of it." in said


def test_a_rung_for_slow_lines_makes_up_for_none_that_was_dropped() -> None:
    with_one = msgspec.structs.replace(measures(), for_slow_lines=1)
    said = findings(version(), Kept(measures=with_one))
    assert any(each.startswith("2 planned rungs were dropped") for each in said)


def test_a_report_tells_what_each_shot_had_and_measured() -> None:
    first, *others = of_version(version(), Kept(measures=measures()), [], "").renditions
    planned, unseen = first.shots
    assert (planned.start, planned.crf, planned.vmaf_predicted) == (0, 22.5, 91.5)
    assert planned.vmaf == (95 + 40 + 92) / 3
    assert (unseen.start, unseen.crf, unseen.vmaf, unseen.vmaf_predicted) == (50, 26.0, None, None)
    assert (first.vmaf_neg_mean, first.cambi_mean) == (74.0, 1.0)
    assert all(each.shots == [] for each in others)


def test_a_report_of_a_film_with_grain_has_both_measures_and_says_which_is_which() -> None:
    first, *others = [rendition.rendition_id for rendition in version().renditions]
    kept = msgspec.structs.replace(
        measures(),
        grain=Synthesis(2.4, 720),
        synthesized={first: Synthesized(level=14, vmaf_mean=71.5)},
    )
    report = of_version(version(), Kept(measures=kept), [], "")
    assert report.grain_sigma == 2.4
    made = {each.rendition_id: each for each in report.renditions}
    assert (made[first].grain_level, made[first].vmaf_with_grain_mean) == (14, 71.5)
    assert all(made[name].grain_level is None for name in others)
    (said,) = [each for each in report.findings if each.startswith("Grain")]
    assert "sigma 2.4, synthesized at level 14" in said
    assert f"The VMAF of {first} is of the picture without grain" in said
    assert of_version(version(), Kept(measures=measures()), [], "").grain_sigma is None


def test_the_hull_of_a_report_lies_on_or_above_every_probe() -> None:
    report = of_version(version(), Kept(measures=measures()), [], "")
    assert len(report.probes) == 5
    rates = [point.rate_kbps for point in report.hull]
    assert rates == sorted(rates)
    for probe in report.probes:
        over = [point for point in report.hull if point.rate_kbps <= probe.rate_kbps]
        under = [point for point in report.hull if point.rate_kbps >= probe.rate_kbps]
        if over and under:
            assert max(over[-1].vmaf, under[0].vmaf) >= probe.vmaf


def test_a_version_without_measurements_says_so_and_is_reported_all_the_same() -> None:
    report = of_version(version(), Kept(), [], "")
    assert report.findings[0].startswith("No measurements were kept")
    assert [each.frames for each in report.renditions] == [[]] * len(version().renditions)
