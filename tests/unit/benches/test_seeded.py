"""Schedules in processes of their own: what they told, and an end as soon as one violates."""

import subprocess
import sys

import pytest

from benches.failure import BenchFailed
from benches.seeded import Told, none_violated


def telling(told: str, after_s: float = 0) -> "subprocess.Popen[bytes]":
    code = f"import time; time.sleep({after_s}); print({told!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_what_all_told_is_told() -> None:
    found = none_violated(
        [telling('{"schedules": 2, "steps": 5}'), telling('{"schedules": 3, "steps": 7}')]
    )
    assert sorted(each.schedules for each in found) == [2, 3]
    assert all(isinstance(each, Told) for each in found)


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ('{"schedules": 4, "steps": 9, "seed": 7, "violation": "two plays"}', "seed 7: two plays"),
        ("no JSON", "no JSON|malformed"),
    ],
)
def test_nobody_is_waited_for_once_one_has_violated_something(told: str, why: str) -> None:
    running = [telling('{"schedules": 1, "steps": 1}', after_s=600), telling(told)]
    with pytest.raises((BenchFailed, ValueError), match=why):
        none_violated(running)
    assert running[0].returncode is not None
