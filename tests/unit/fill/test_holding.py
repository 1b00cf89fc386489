"""How much an appliance holds of what plays take."""

from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.fill.model.clusters import made
from cuemark.contexts.fill.model.holding import percents, values_of
from cuemark.contexts.fill.model.stock import Stock
from cuemark.contracts.ids import VersionId
from tests.unit.fill.known import NOW, TITLE_BYTES, TRACKS, appliance, played, version

FILM, OTHER = version(1), version(2)
WHOLE = {(FILM.version_id, facts.track_id): facts.size_bytes for facts in TRACKS}


def percent(values: dict[tuple[VersionId, str], float], held: dict[str, int]) -> int:
    there = {(FILM.version_id, track_id): count for track_id, count in held.items()}
    return percents([FILM], values, there, 10).get(FILM.version_id, 0)


def test_without_a_plan_each_track_counts_by_its_size() -> None:
    sizes = {facts.track_id: facts.size_bytes for facts in TRACKS}
    assert percent({}, sizes) == 100
    assert percent({}, {**sizes, "v2": sizes["v2"] - 1}) == 99, "100 is all of it"
    assert percent({}, {"v2": sizes["v2"]}) == 100 * sizes["v2"] // TITLE_BYTES
    assert percent({}, {"v2": 3 * sizes["v2"]}) == 100 * sizes["v2"] // TITLE_BYTES
    assert percent({}, {"en": 10}) == 0


def test_a_track_that_nobody_is_expected_to_play_counts_nothing() -> None:
    values = {(FILM.version_id, "v1"): 2.0, (FILM.version_id, "v2"): 0.0}
    sizes = {facts.track_id: facts.size_bytes for facts in TRACKS}
    assert percent(values, {"v1": sizes["v1"]}) == 100
    assert percent(values, {"v2": sizes["v2"]}) == 0


@given(st.dictionaries(st.sampled_from([facts.track_id for facts in TRACKS]), st.floats(0, 1e6)))
def test_all_of_it_is_all_and_nothing_is_left_out(plays: dict[str, float]) -> None:
    values = {(FILM.version_id, track_id): count for track_id, count in plays.items()}
    assert percents([FILM, OTHER], values, WHOLE, 10) == {FILM.version_id: 100}
    assert percents([FILM, OTHER], values, {}, 10) == {}


def test_of_too_many_versions_the_fullest_are_told() -> None:
    there = {(each.version_id, "v2"): 10**9 * (4 - n) for n, each in enumerate([OTHER, FILM])}
    assert list(percents([FILM, OTHER], {}, there, 1)) == [OTHER.version_id]


def test_what_is_expected_is_that_of_all_plans() -> None:
    regions = [appliance("a"), appliance("b", region="delhi", timezone="Asia/Kolkata")]
    hours = [*played({1: 5.0}), *played({1: 3.0}, region="delhi")]
    plans = made(Stock([FILM, OTHER], regions, hours), NOW)
    values = values_of(plans)
    rows = [row for plan in plans for row in plan.rows if row.track_id == "v2"]
    of_film = sum(row.value for row in rows if row.version_id == FILM.version_id)
    assert values[FILM.version_id, "v2"] == of_film > values[OTHER.version_id, "v2"]
