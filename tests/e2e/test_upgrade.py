"""A data folder of an earlier release comes up, and goes on where it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.folders.packed import FRAME_RATE, MEMBER, SECONDS, film, unpack
from tests.e2e.installation import Installation, wait_until

FRAMES = SECONDS * FRAME_RATE


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The folder of 0.1.0, left in the middle of an encode, under the present release."""
    installation = Installation(tmp_path_factory.mktemp("previous") / "data")
    unpack("0.1.0", installation.folder)
    installation.up()
    yield installation
    installation.down()


def test_what_was_published_plays_to_its_last_frame(upgraded: Installation) -> None:
    assert {title["name"] for title in upgraded.json("titles")["titles"]} == {
        "Whole",
        "Interrupted",
    }
    report = played(upgraded, "Whole")
    assert (report["frames"], report["decode_errors"], report["quality"]) == (FRAMES, 0, "full")


def test_the_member_is_still_known(upgraded: Installation) -> None:
    report = upgraded.json("play", "Whole", f"--as={MEMBER}", "--seconds=0.5")
    assert report["resumed_from_s"] == pytest.approx(1, abs=0.5)


def test_the_job_that_was_interrupted_finishes(upgraded: Installation) -> None:
    wait_until(lambda: not unfinished(upgraded), 120, "the job is over")
    assert [job["error"] for job in upgraded.status()["jobs"]] == ["", ""]
    report = played_in_full(upgraded, "Interrupted")
    assert (report["frames"], report["decode_errors"], report["quality"]) == (FRAMES, 0, "full")


def test_artwork_can_be_chosen_where_this_release_made_the_version(
    upgraded: Installation,
) -> None:
    assert upgraded.json("artwork", "Whole")["artworks"] == []
    assert "older release" in upgraded.cli("artwork", "Whole", "--pick", "1", expect=1).stderr
    assert upgraded.json("artwork", "Interrupted")["artworks"] != []


def test_another_film_can_be_ingested(upgraded: Installation, tmp_path: Path) -> None:
    upgraded.ingest(film(tmp_path / "new.mp4", 2), "New", effort="fast")
    assert played(upgraded, "New")["frames"] == FRAMES


def unfinished(installation: Installation) -> list[str]:
    jobs = installation.status()["jobs"]
    return [job["version_id"] for job in jobs if job["state"] in ("waiting", "running")]


def played_in_full(installation: Installation, title: str) -> dict[str, object]:
    """The report of a whole play, once the title plays its full version."""

    def is_full() -> bool:
        titles = installation.json("titles")["titles"]
        return any(each["name"] == title and each["quality"] == "full" for each in titles)

    wait_until(is_full, 15, f"{title} plays its full version")
    return played(installation, title)


def played(installation: Installation, title: str) -> dict[str, object]:
    """The report of a whole play, once an appliance has the title."""
    reports = []

    def plays() -> bool:
        done = installation.cli("play", title, "--from=0", "--json", expect=None)
        reports.append(done)
        return done.returncode == 0

    wait_until(plays, 30, f"{title} plays")
    return dict(installation.last_line(reports[-1]))


def test_a_folder_that_a_newer_release_wrote_is_refused_with_one_sentence(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    (tmp_path / "format.json").write_text('{"format": 99, "release": "9.9.0"}')
    before = sorted(tmp_path.rglob("*"))
    for command in (["up"], ["up", "--detach"], ["backup"]):
        said = installation.cli(*command, expect=1).stderr.strip()
        assert said.startswith(f"cuemark: the data folder {tmp_path} was written by Cuemark 9.9.0")
        assert said.endswith("run that release, or a newer one")
    assert sorted(tmp_path.rglob("*")) == before


def test_the_database_was_kept_before_it_was_migrated(upgraded: Installation) -> None:
    kept = upgraded.json("restore", upgraded.status()["kept_backup"], "--check")
    assert kept["whole"]
