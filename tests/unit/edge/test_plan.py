"""Manifests: what of them is believed, and what is left when control is away."""

import math
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cuemark.contracts.fill import Manifest, PlannedTrack
from cuemark.contracts.ids import VersionId
from cuemark.edge import plan as module
from cuemark.edge.plan import FILE, Plan, checked, plays_of_versions, worths
from cuemark.edge.tracks import Track

VERSIONS = [VersionId("ver_" + str(number) * 26) for number in range(4)]
HOSTILE = [
    PlannedTrack(VersionId("../../etc"), "v1", 1, 1.0),
    PlannedTrack(VersionId(VERSIONS[0] + "\n"), "v1", 1, 1.0),
    PlannedTrack(VERSIONS[0], "../v1", 1, 1.0),
    PlannedTrack(VERSIONS[0], "..", 1, 1.0),
    PlannedTrack(VERSIONS[0], "v1/init.mp4", 1, 1.0),
    PlannedTrack(VERSIONS[0], "", 1, 1.0),
    PlannedTrack(VERSIONS[0], "v" * 65, 1, 1.0),
    PlannedTrack(VERSIONS[0], "v1", -1, 1.0),
    PlannedTrack(VERSIONS[0], "v1", 1, -1.0),
    PlannedTrack(VERSIONS[0], "v1", 1, math.nan),
    PlannedTrack(VERSIONS[0], "v1", 1, math.inf),
]


def planned(number: int, plays: float, track_id: str = "v1") -> PlannedTrack:
    return PlannedTrack(VERSIONS[number], track_id, 100, plays)


def a_manifest(**fields: object) -> Manifest:
    made_at = datetime(2026, 11, 1, tzinfo=UTC)
    return msgspec.structs.replace(Manifest(manifest_id="m1", made_at=made_at), **fields)


def test_what_cannot_be_a_track_is_left_out_and_the_rest_is_followed() -> None:
    good = planned(1, 2.0)
    found = checked(a_manifest(fetch=[*HOSTILE, good], keep=[good, *HOSTILE]))
    assert (found.fetch, found.keep) == ([good], [good])


def test_a_track_that_is_named_twice_counts_once_where_it_was_first() -> None:
    found = checked(a_manifest(fetch=[planned(1, 2.0), planned(0, 1.0), planned(1, 9.0)]))
    assert found.fetch == [planned(1, 2.0), planned(0, 1.0)]


def test_a_manifest_without_end_is_followed_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PLANNED", 3)
    endless = [planned(0, 1.0, f"v{number}") for number in range(10)]
    assert checked(a_manifest(fetch=endless)).fetch == endless[:3]


def test_what_is_fetched_is_kept_too_and_the_greater_number_of_plays_counts() -> None:
    found = worths(a_manifest(fetch=[planned(0, 3.0), planned(1, 2.0)], keep=[planned(1, 5.0)]))
    assert found == {Track(VERSIONS[0], "v1"): 3.0, Track(VERSIONS[1], "v1"): 5.0}


def test_a_version_is_expected_as_its_best_track_is() -> None:
    manifest = a_manifest(fetch=[planned(0, 3.0), planned(1, 1.0)], keep=[planned(0, 5.0, "en")])
    assert plays_of_versions(manifest) == {VERSIONS[0]: 5.0, VERSIONS[1]: 1.0}


def test_the_last_manifest_is_there_after_a_start_and_checked_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    manifest = a_manifest(fetch=[planned(0, 1.0)])
    assert Plan(tmp_path).take(manifest)
    assert Plan(tmp_path).manifest == manifest
    body = msgspec.json.encode(a_manifest(fetch=HOSTILE[:-2]))
    (tmp_path / FILE).write_bytes(body)
    assert Plan(tmp_path).manifest.fetch == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"manifest_id": 5}', b"[" * 5000])
def test_a_manifest_on_disk_that_cannot_be_read_is_none(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / FILE).write_bytes(body)
    assert Plan(tmp_path).manifest == Manifest(manifest_id="")


def test_what_is_no_news_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    plan = Plan(tmp_path)
    assert not plan.take(Manifest(manifest_id=""))
    assert plan.take(a_manifest(keep=[planned(0, 1.0)]))
    for news in (
        Manifest(manifest_id="m1", unchanged=True),
        Manifest(manifest_id="m1"),
        Manifest(manifest_id=""),
    ):
        assert not plan.take(news)
        assert plan.manifest.keep == [planned(0, 1.0)]


def test_a_manifest_that_cannot_be_written_is_in_force_all_the_same(tmp_path: Path) -> None:
    plan = Plan(tmp_path / "nowhere")
    assert plan.take(a_manifest(keep=[planned(0, 1.0)]))
    assert plan.manifest.keep == [planned(0, 1.0)]
