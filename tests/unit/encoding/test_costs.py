"""The parts of a cost add up to the whole, and nothing is in two of them."""

import math
from typing import get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.costs import (
    HOURS_A_YEAR,
    Rungs,
    Spent,
    Total,
    costs_of,
    energy_wh,
    parts_of,
    stored_parts,
    storing_wh_per_year,
    timed,
)
from cuemark.contracts.encoding.jobs import Stage
from cuemark.contracts.encoding.reports import EnergyModel, StageTime
from cuemark.contracts.encoding.versions import Quality
from tests.unit.playback.versions import version

MODEL = EnergyModel()
KINDS = {"rung", "mark", "title", "other_version", "thrown_away", "in_hand"}
NAMES = (
    *("", "quick", "full", "attempt 1", "attempt 2", "attempt 3", "quick, 180 lines"),
    *("attempt 1, marked", "attempt 2, marked"),
)
MADE: Rungs = {"quick": {"quick, 180 lines": "v180"}, "full": {"attempt 2": "v180-2"}}

seconds = st.just(0.0) | st.floats(1e-6, 1e7)
spent = st.builds(
    Spent,
    stage=st.sampled_from(get_args(Stage)),
    made_for=st.sampled_from(NAMES),
    outcome=st.sampled_from(["done", "lost", "open"]),
    cpu_s=seconds,
    written_bytes=st.integers(0, 2**50),
)
qualities = st.sampled_from(get_args(Quality))
watts = st.just(0.0) | st.floats(1e-3, 1000)
models = st.builds(EnergyModel, core_w=watts, pue=st.floats(1, 10), stored_tb_w=watts)
rungs_known = st.fixed_dictionaries(
    {
        quality: st.none() | st.dictionaries(st.sampled_from(NAMES), st.sampled_from("ab"))
        for quality in get_args(Quality)
    }
)


def work(stage: Stage, made_for: str = "", outcome: str = "done", cpu_s: float = 1.0) -> Spent:
    values = {"stage": stage, "made_for": made_for, "outcome": outcome, "cpu_s": cpu_s}
    return msgspec.convert({**values, "written_bytes": 10}, Spent)


def kind_of(each: Spent, quality: Quality = "full", rungs: Rungs = MADE) -> tuple[str, str]:
    (part,) = parts_of([each], quality, rungs, MODEL)
    return part.kind, part.name


@given(st.lists(spent, max_size=40), qualities, rungs_known, models)
def test_the_parts_add_up_to_the_whole(
    some: list[Spent], quality: Quality, rungs: Rungs, model: EnergyModel
) -> None:
    found = costs_of(some, [], Total(jobs=1, cpu_s=0), quality, rungs, model)
    assert math.isclose(found.cpu_s, math.fsum(each.cpu_s for each in some), rel_tol=1e-9)
    assert found.written_bytes == sum(each.written_bytes for each in some)
    assert math.isclose(
        found.energy_wh, math.fsum(part.energy_wh for part in found.parts), rel_tol=1e-9
    )
    assert {part.kind for part in found.parts} <= KINDS


@given(st.lists(spent, max_size=40), qualities, rungs_known)
def test_no_part_is_told_twice(some: list[Spent], quality: Quality, rungs: Rungs) -> None:
    parts = parts_of(some, quality, rungs, MODEL)
    named = [(part.kind, part.name, part.stage) for part in parts]
    assert len(named) == len(set(named))
    for each in some:
        alone = kind_of(each, quality, rungs)
        assert (*alone, each.stage) in named


@given(seconds, seconds, models)
def test_an_estimate_grows_with_the_cpu_and_never_falls_below_nothing(
    one: float, other: float, model: EnergyModel
) -> None:
    less, more = sorted((one, other))
    assert 0 <= energy_wh(less, model) <= energy_wh(more, model)
    assert storing_wh_per_year(int(less), model) <= storing_wh_per_year(int(more), model)


def test_an_hour_of_a_busy_core_and_a_year_of_a_terabyte_are_what_the_model_says() -> None:
    model = EnergyModel(core_w=4, pue=1.5, stored_tb_w=2)
    assert energy_wh(3600, model) == 6
    assert storing_wh_per_year(10**12, model) == 2 * 1.5 * HOURS_A_YEAR


def test_probes_belong_to_the_title_and_to_no_rung() -> None:
    for stage in ("inspect", "shots", "probes", "ladder", "audio", "captions"):
        assert kind_of(work(stage)) == ("title", stage)


def test_an_encode_belongs_to_its_rung_and_a_superseded_one_is_thrown_away() -> None:
    assert kind_of(work("encode", "attempt 2")) == ("rung", "v180-2")
    assert kind_of(work("verify", "attempt 2")) == ("rung", "v180-2")
    assert kind_of(work("encode", "attempt 1")) == ("thrown_away", "attempt 1")
    assert kind_of(work("encode", "attempt 1"), "quick") == ("thrown_away", "attempt 1")


def test_the_rungs_of_the_other_version_are_not_this_ones() -> None:
    assert kind_of(work("quick", "quick, 180 lines"), "full") == ("other_version", "quick")
    assert kind_of(work("quick", "quick, 180 lines"), "quick") == ("rung", "v180")
    assert kind_of(work("encode", "attempt 2"), "quick") == ("other_version", "full")
    assert kind_of(work("package", "quick"), "full") == ("other_version", "quick")
    assert kind_of(work("package", "full"), "full") == ("title", "package")


def test_what_is_not_published_yet_is_not_thrown_away() -> None:
    unfinished: Rungs = {"quick": MADE["quick"], "full": None}
    assert kind_of(work("encode", "attempt 1"), "quick", unfinished) == ("other_version", "full")
    assert kind_of(work("encode", "attempt 1", "open"), "quick", unfinished)[0] == "in_hand"
    assert kind_of(work("encode", "attempt 2", "lost"))[0] == "thrown_away"


def test_a_job_of_an_older_release_has_its_costs_as_the_titles() -> None:
    unknown: Rungs = {"quick": None, "full": None}
    assert kind_of(work("encode"), "full", unknown) == ("title", "encode")
    assert kind_of(work("encode", "attempt 1"), "full", unknown) == ("title", "encode")


@given(st.lists(seconds, min_size=1, max_size=10))
def test_stages_are_told_with_their_energy(cpu: list[float]) -> None:
    stages = [StageTime(stage="encode", units=1, wall_s=1, cpu_s=s, elapsed_s=1) for s in cpu]
    told = timed(stages, MODEL)
    assert [each.energy_wh for each in told] == [energy_wh(s, MODEL) for s in cpu]


@given(st.dictionaries(st.sampled_from(range(40)), st.integers(0, 2**40)), st.integers(0, 2**50))
def test_what_is_stored_adds_up_to_all_files_and_the_master(
    sizes: dict[int, int], master_bytes: int
) -> None:
    film = version()
    tracks = [each.rendition_id for each in film.renditions]
    tracks += [each.track_id for each in film.audio]
    tracks += [each.track_id for each in film.captions]
    names = [
        name
        for track in tracks
        for name in (f"{track}/init.mp4", f"{track}/1.m4s", f"{track}.m3u8", f"{track}.vtt")
    ]
    names += ["index.json", "artwork.jpg"]
    files = {names[number % len(names)]: size for number, size in sizes.items()}
    found = stored_parts(film, files, master_bytes, MODEL)
    assert sum(each.size_bytes for each in found) == sum(files.values()) + master_bytes
    assert [each.name for each in found] == [*tracks, "index", "master"]
    others = sum(files.get(name, 0) for name in ("index.json", "artwork.jpg"))
    assert {each.name: each.size_bytes for each in found}["index"] == others


def test_the_variants_of_a_rung_are_told_apart_from_the_rung() -> None:
    assert kind_of(work("encode", "attempt 2, marked")) == ("mark", "v180-2")
    assert kind_of(work("verify", "attempt 2, marked")) == ("mark", "v180-2")
    assert kind_of(work("encode", "attempt 1, marked")) == ("thrown_away", "attempt 1, marked")
    assert kind_of(work("encode", "attempt 2, marked"), "quick") == ("other_version", "full")
