"""Plays under seeded schedules of faults: rights, plans, clocks, two processes and misfortune."""

from pathlib import Path

import pytest

from benches import entitled, seeded
from cuemark.lab.plays import schedules
from tests.unit.rights import oracle

PATCHES = seeded.bugs("plays")


def test_no_schedule_of_faults_violates_an_invariant_and_each_repeats_from_its_seed(
    database_url: str,
) -> None:
    with schedules.runner(database_url, oracle) as run:
        found = [run(seed) for seed in range(6)]
        again = [run(each.seed) for each in found if not each.raced]
    assert [each for each in found if each.violation] == []
    assert again
    assert again == [found[each.seed] for each in again]
    refused = {name for each in found for name, _ in each.refused}
    # Else invariants would hold for want of anything to violate them.
    assert {"NoRight", "TooManyStreams", "CannotPlayNow"} <= refused
    assert sum(each.begun for each in found) > len(found)


def test_there_are_six_bugs_at_least() -> None:
    assert len(PATCHES) >= 6


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_bug_fits_the_code(patch: Path, tmp_path: Path) -> None:
    assert (seeded.patched(patch, tmp_path) / "cuemark").is_dir()


def test_a_bug_is_found_by_the_schedules(database_url: str, tmp_path: Path) -> None:
    patch = next(each for each in PATCHES if each.stem == "one-more-than-the-plan-allows")
    assert "plays go on" in entitled.try_bug(patch, tmp_path, database_url, most=20).violation
