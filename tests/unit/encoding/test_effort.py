"""Three budgets; the one between is what was there before there was a choice."""

from typing import get_args

import pytest

from cuemark.contexts.encoding.model.curves import curves_of
from cuemark.contexts.encoding.model.effort import BUDGETS, Budget
from cuemark.contexts.encoding.model.ladder import ladder
from cuemark.contexts.encoding.model.probes import HD_LINES, Probed, probe_points
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contracts.encoding.jobs import Effort


def test_every_effort_has_a_budget_of_its_own() -> None:
    assert list(BUDGETS) == list(get_args(Effort))
    assert len(set(BUDGETS.values())) == len(BUDGETS)
    for family in FAMILIES.values():
        assert list(family.presets) == list(get_args(Effort))
        assert len(set(family.presets.values())) == len(BUDGETS)


def test_balanced_is_what_was_made_before_there_was_a_choice() -> None:
    assert BUDGETS["balanced"] == Budget(
        probe_points=5, probe_frames=1500, corrections=2, vmaf_every=5
    )
    assert FAMILIES["h264"].presets["balanced"] == "medium"


def test_more_effort_looks_at_more_and_corrects_more() -> None:
    fast, balanced, best = BUDGETS.values()
    for less, more in ((fast, balanced), (balanced, best)):
        assert less.probe_points <= more.probe_points
        assert less.probe_frames < more.probe_frames
        assert less.corrections < more.corrections
        assert less.vmaf_every > more.vmaf_every


@pytest.mark.parametrize("height", [144, 720, 2160])
def test_the_points_of_every_effort_span_a_ladder(height: int) -> None:
    for budget in BUDGETS.values():
        points = probe_points(height, budget.probe_points)
        assert len(points) == budget.probe_points + (height > HD_LINES)
        probes = [Probed(p, 2000 * p.height / p.crf, 100 - p.crf) for p in points]
        assert ladder(curves_of(probes), probes, height * 16 // 9, height)


def test_large_pictures_are_probed_for_no_more_pixels() -> None:
    balanced = BUDGETS["balanced"]
    assert balanced.frames_to_probe(1920 * 1080) == balanced.probe_frames
    assert balanced.frames_to_probe(640 * 360) == balanced.probe_frames
    assert balanced.frames_to_probe(3840 * 2160) * 4 == balanced.probe_frames
