"""Weeks of demand: the plan asks less of the backbone than a reactive cache, fill and all."""

from dataclasses import replace

import pytest

from cuemark.lab.demand.comparison import CLAIRVOYANT, PLAN, S3_FIFO, compare
from cuemark.lab.demand.trial import closed
from cuemark.lab.demand.world import Wish

WISH = Wish(seed=0, days=14, titles=300, plays_day=1000, premieres_week=10)


@pytest.mark.parametrize(
    "wish",
    [
        replace(WISH, seed=21),
        replace(WISH, seed=22, zipf=1.0, drift_days=3.0),
        replace(WISH, seed=23, zipf=0.8, premieres_week=0, drift_days=28.0),
    ],
    ids=["premieres", "fast drift", "slow drift without premieres"],
)
def test_evenings_and_all_hours_take_less_of_the_backbone_than_under_s3_fifo(wish: Wish) -> None:
    out = compare(wish, 0.1, learn_days=9).outcomes
    plan, cache, best = (out[name] for name in (PLAN, S3_FIFO, CLAIRVOYANT))
    assert plan.evening_mean_bytes < 0.95 * cache.evening_mean_bytes
    assert plan.total_bytes < cache.total_bytes
    assert closed(plan.evening_mean_bytes, cache.evening_mean_bytes, best.evening_mean_bytes) > 0.3
