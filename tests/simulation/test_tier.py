"""Days of demand on an edge tier: steering that knows what is held brings out what fill planned."""

from benches.tier import tried
from cuemark.lab.demand.weeks import hours
from cuemark.lab.demand.world import Wish, world


def test_more_comes_from_the_edge_tier_where_plays_go_to_what_is_held() -> None:
    of = world(Wish(seed=3, days=3, titles=120, plays_day=300, premieres_week=4))
    every = list(hours(of))
    blind, knowing = (tried(of, every, 0.2, 1, knowing=each) for each in (False, True))
    assert knowing.own > 1.5 * blind.own
    assert knowing.of_tier > 1.2 * blind.of_tier
    assert knowing.backbone < blind.backbone
