"""A title is on the appliances before its launch, and nowhere for members."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import Installation, wait_until

pytestmark = pytest.mark.slow

NAME, MEMBER = "Premiere", "--as=first@cuemark.example"


def held(installation: Installation) -> bool:
    """Whether an appliance told that it has each track of the title."""
    said = installation.cli("fill", "explain", NAME, "--json", expect=None)
    if said.returncode:
        return False
    explained: Any = installation.last_line(said)
    reasons = [track["regions"] for track in explained["tracks"]]
    return all(any(each["held"] for each in regions) for regions in reasons)


def test_a_film_waits_for_its_launch_on_the_appliances_and_is_no_film_to_members(
    running_cuemark: Installation, small_film: Path
) -> None:
    launch = ["--launch=2999-01-31T20:00+01:00", "--series=The Show"]
    running_cuemark.cli("ingest", str(small_film), "--title", NAME, *launch, "--wait", limit_s=600)
    told = running_cuemark.cli("launch", NAME).stdout
    assert told.startswith(f"Members see {NAME} from 2999-01-31 19:00 UTC on, in ")
    titles = running_cuemark.cli("titles").stdout
    assert "2999-01-31 19:00" in titles
    assert running_cuemark.title_id(NAME) in titles
    wait_until(lambda: held(running_cuemark), 120, "the appliances have it")
    assert (
        "of The Show, launched at 2999-01-31 19:00 UTC"
        in running_cuemark.cli("fill", "explain", NAME).stdout
    )
    for asked in (NAME, running_cuemark.title_id(NAME)):
        refused = running_cuemark.cli("play", asked, MEMBER, expect=1)
        assert "Traceback" not in refused.stderr
    running_cuemark.cli("launch", NAME, "--now")
    wait_until(lambda: seen(running_cuemark), 10, "members see it")
    report = running_cuemark.json("play", NAME, MEMBER, "--seconds=1")
    assert (report["decode_errors"], report["quality"]) == (0, "full")


def seen(installation: Installation) -> bool:
    return bool(installation.json("launch", NAME)["launched"])


def test_what_is_no_moment_or_no_title_is_refused_with_one_sentence(
    empty_cuemark: Installation,
) -> None:
    for at in ("tomorrow", "2030-01-31T25:00", ""):
        refused = empty_cuemark.cli("launch", "x", f"--at={at}", expect=2)
        assert "is no time such as" in refused.stderr
    both = empty_cuemark.cli("launch", "x", "--at=2030-01-31", "--now", expect=2)
    assert "exclude each other" in both.stderr
    assert "no title is named 'x'" in empty_cuemark.cli("launch", "x", "--now", expect=1).stderr
