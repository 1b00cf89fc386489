"""The worlds of the lab: repeatable, by Zipf's law, and the same for all that is tried on them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.lab.demand.caches import Cache, Lru, S3Fifo
from cuemark.lab.demand.comparison import ASKED, CLAIRVOYANT, PLAN, compare, reasons_of
from cuemark.lab.demand.picture import page
from cuemark.lab.demand.weeks import PIECES, asked, expected, hours
from cuemark.lab.demand.world import REGIONS, Wish, files_of, world

SMALL = Wish(seed=5, days=5, titles=60, plays_day=600, premieres_week=8)


def test_the_same_seed_gives_the_same_hours_and_another_one_others() -> None:
    one, same, other = (
        list(hours(world(Wish(seed=seed, days=1, titles=20)))) for seed in (1, 1, 2)
    )
    assert all((a.plays == b.plays).all() for a, b in zip(one, same, strict=True))
    assert any(
        a.plays.shape != b.plays.shape or (a.plays != b.plays).any()
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("zipf", [0.8, 1.0])
def test_appeal_follows_zipfs_law_each_day_and_drifts(zipf: float) -> None:
    of = world(Wish(seed=3, days=21, titles=500, zipf=zipf))
    for day in of.appeal:
        falling = np.sort(day)[::-1]
        assert falling[0] / falling[99] == pytest.approx(100**zipf)
    first, week, end = of.appeal[0].argsort(), of.appeal[7].argsort(), of.appeal[21].argsort()
    order = [np.corrcoef(first.argsort(), each.argsort())[0, 1] for each in (week, end)]
    assert order[0] > order[1]
    assert 0.3 < order[0] < 0.7


def test_nothing_is_played_before_its_release_and_most_in_its_first_days() -> None:
    of = world(Wish(seed=2, days=20, titles=60, premieres_week=8, spread=0))
    new = int(
        np.flatnonzero(
            of.catalog.released_h == of.catalog.released_h[of.catalog.released_h > 0].min()
        )[0]
    )
    files, at_h = of.catalog.title == new, int(of.catalog.released_h[new])
    days = [
        sum(expected(of, h)[:, files].sum() for h in range(at_h + d, at_h + d + 24))
        for d in (-24, 0, 240)
    ]
    assert days[0] == 0
    assert days[1] > 2 * days[2]


def test_evenings_are_those_of_the_region() -> None:
    of = world(Wish(seed=1, days=2, titles=100))
    day = np.array([expected(of, h).sum(axis=1) for h in range(24)])
    for place, region in enumerate(REGIONS):
        assert 18 <= region.local_h(int(day[:, place].argmax())) <= 22


def test_requests_are_the_plays_each_from_its_first_quarter_on() -> None:
    of = world(SMALL)
    hour = next(each for each in hours(of) if each.plays[1].sum() > 5)
    keys = asked(of, hour, 1)
    assert (np.bincount(keys, minlength=of.catalog.files * PIECES) == hour.pieces[1].ravel()).all()
    starts = np.flatnonzero(keys % PIECES == 0)
    assert len(starts) == hour.plays[1].sum()
    inside = np.setdiff1d(np.arange(len(keys)), starts)
    assert (keys[inside] == keys[inside - 1] + 1).all()


@pytest.mark.parametrize("cache", [Lru, S3Fifo])
@given(keys=st.lists(st.integers(0, 12), max_size=200), capacity=st.integers(1, 60))
def test_a_cache_holds_no_more_than_it_can(
    cache: Callable[[int], Cache], keys: list[int], capacity: int
) -> None:
    """A second round over what was just admitted can hit no more bytes than there is room."""
    one, size = cache(capacity), {key: key + 1 for key in range(13)}
    for key in keys:
        one.get(key, size[key])
    assert sum(size[key] for key in range(13) if one.get(key, 10**9)) <= capacity


def test_what_was_asked_for_often_outlasts_a_scan_in_s3_fifo_and_not_in_lru() -> None:
    kept = {}
    for cache in (Lru, S3Fifo):
        one: Cache = cache(100)
        for _ in range(3):
            one.get(-1, 1)
        for key in range(1000):
            one.get(key, 1)
        kept[cache] = one.get(-1, 1)
    assert kept == {Lru: False, S3Fifo: True}


def test_all_are_tried_on_one_world_and_the_plan_is_explained() -> None:
    made = compare(SMALL, 0.1, learn_days=2)
    out = made.outcomes
    assert out[CLAIRVOYANT].total_bytes < out[PLAN].total_bytes < out[ASKED].total_bytes
    size = np.repeat(made.world.catalog.size_bytes // PIECES, PIECES)
    for held in made.morrow.held:
        assert (held.ravel() * size).sum() <= made.capacity_bytes
    assert made.world.catalog.files == files_of(SMALL)
    assert set(reasons_of(made, 3)) == {region.name for region in REGIONS}
    assert made.cluster.max_to_mean >= 1 - 1e-9
    assert "Seed 5" in page(made)
    again = compare(SMALL, 0.1, learn_days=2)
    assert again.outcomes == out


@pytest.mark.parametrize(("share", "learn_days"), [(0, 2), (1, 2), (0.1, 4), (0.1, 0)])
def test_comparisons_of_nothing_are_refused(share: float, learn_days: int) -> None:
    with pytest.raises(ValueError, match=r"cache|days"):
        compare(SMALL, share, learn_days)
