"""``cuemark lab demand``: figures that repeat, a picture, reasons, one sentence for bad input."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from cuemark.app.cli.main import commands

SMALL = ["lab", "demand", "--days", "4", "--learn-days", "2", "--titles", "40", "--plays", "300"]


def test_it_tells_the_same_figures_again_and_draws_them(tmp_path: Path) -> None:
    picture = tmp_path / "demand.html"
    argv = [*SMALL, "--seed", "7", "--explain", "3", "--json", "--picture", str(picture)]
    runs = [CliRunner().invoke(commands, argv) for _ in range(2)]
    assert [run.exit_code for run in runs] == [0, 0]
    one, other = (msgspec.json.decode(run.stdout) for run in runs)
    assert one == other
    assert one["wish"]["seed"] == 7
    assert one["outcomes"]["plan"]["total_bytes"] < one["outcomes"]["asked for"]["total_bytes"]
    assert one["reasons"]["east"]["told"]
    assert "<svg" in picture.read_text()


def test_the_table_names_the_seed_and_what_was_tried() -> None:
    said = CliRunner().invoke(commands, [*SMALL, "--seed", "8"]).stdout
    assert "Seed 8" in said
    assert all(name in said for name in ("plan", "s3-fifo", "lru", "clairvoyant"))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--explain", "999999"], "there is no file 999999"),
        (["--learn-days", "4"], "two days or more beyond"),
        (["--picture", "/nowhere/at/all.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(more: list[str], says: str) -> None:
    run = CliRunner().invoke(commands, [*SMALL, *more])
    assert run.exit_code == 1
    assert says in run.stderr
    assert "Traceback" not in run.stderr
