"""What is typed at the command line is taken, or refused with a sentence."""

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from cuemark.app.cli.ingest import ingest, parse_captions
from cuemark.app.cli.logs import logs, parse_since

CAPTIONS = next(option for option in ingest.params if option.name == "captions")
SINCE = next(option for option in logs.params if option.name == "since")


def test_captions_come_by_language(tmp_path: Path) -> None:
    files = [tmp_path / "a=b.srt", tmp_path / "c.vtt"]
    for file in files:
        file.write_text("x")
    given = (f"en={files[0]}", f"pt-BR={files[1]}")
    assert parse_captions(click.Context(ingest), CAPTIONS, given) == dict(
        zip(["en", "pt-BR"], files, strict=True)
    )


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["captions.vtt"], "not LANGUAGE=FILE"),
        (["={file}"], "not LANGUAGE=FILE"),
        (["en=nowhere.vtt"], "not a file"),
        (["en="], "not a file"),
        (["en=" + "x" * 5000], "not a file"),
        (["en=\0"], "not a file"),
        (["en={file}", "EN={file}"], "given twice"),
    ],
)
def test_captions_that_are_none_are_refused(tmp_path: Path, values: list[str], says: str) -> None:
    (tmp_path / "c.vtt").write_text("x")
    given = tuple(value.format(file=tmp_path / "c.vtt") for value in values)
    with pytest.raises(click.BadParameter, match=says):
        parse_captions(click.Context(ingest), CAPTIONS, given)


def test_a_time_is_one_in_utc() -> None:
    at = parse_since(click.Context(logs), SINCE, "2026-01-31T20:15+01:00")
    assert at == datetime(2026, 1, 31, 19, 15, tzinfo=UTC)
    assert parse_since(click.Context(logs), SINCE, "2026-01-31") == datetime(
        2026, 1, 31, tzinfo=UTC
    )


@pytest.mark.parametrize("value", ["", "soon", "10", "-1m", "9" * 30 + "d", "9" * 400 + "s"])
def test_a_time_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(click.BadParameter, match="neither 90s"):
        parse_since(click.Context(logs), SINCE, value)
