"""The bugs by which the schedules of billing are tried still fit the code, and are found."""

from pathlib import Path

import pytest

from benches import billing, seeded

PATCHES = seeded.bugs("billing")


def test_there_are_eight_bugs_at_least() -> None:
    assert len(PATCHES) >= 8


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_bug_fits_the_code(patch: Path, tmp_path: Path) -> None:
    assert (seeded.patched(patch, tmp_path) / "cuemark").is_dir()


def test_a_bug_is_found_by_the_schedules(tmp_path: Path) -> None:
    patch = next(each for each in PATCHES if each.stem == "unknown-is-taken-for-declined")
    found = seeded.try_bug(billing.NAME, patch, tmp_path, 20)
    assert "captured 2 times" in found.violation
