"""One installation with encoded films, shared by the tests that do not break it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from samples.catalog import CATALOG
from samples.film import Film
from samples.render import render
from tests.e2e.installation import Installation, ffmpeg

FILM = "Encoded for the tests"
SECONDS = 8
FRAME_RATE = CATALOG[0].frame_rate
FRAMES = SECONDS * FRAME_RATE
LONG_FILM = "Longer than what a player buffers"
LONG_S = 48
LONG_FRAME_RATE = 6
"""As few frames as can be: so the ladder costs no more than a short film's."""


@pytest.fixture(scope="session")
def sample_film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """One film of the demo catalog, rendered."""
    return render(CATALOG[0], tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def small_film(sample_film: Film, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film's first seconds at 640x360: a master that is quick to encode."""
    small = tmp_path_factory.mktemp("small") / "small.mp4"
    scale = ["-t", str(SECONDS), "-vf", "scale=640:360", "-crf", "14", "-c:a", "copy"]
    ffmpeg("-i", str(sample_film.path), scale, str(small))
    return small


@pytest.fixture(scope="module")
def empty_cuemark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Cuemark without a title, for what is refused."""
    installation = Installation(tmp_path_factory.mktemp("empty") / "data")
    installation.up()
    yield installation
    installation.down()


@pytest.fixture(scope="session")
def running_cuemark(
    small_film: Path, sample_film: Film, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Cuemark serving one fully encoded film with captions in two languages."""
    installation = Installation(tmp_path_factory.mktemp("installation") / "data")
    installation.up()
    try:
        installation.ingest(small_film, FILM, sample_film.captions)
        yield installation
    finally:
        installation.down()


@pytest.fixture(scope="session")
def long_title_id(
    running_cuemark: Installation, small_film: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A title longer than what a player buffers, with a ladder of at least three rungs."""
    master = tmp_path_factory.mktemp("long") / "long.mp4"
    flags = ["-t", str(LONG_S), "-r", str(LONG_FRAME_RATE), "-crf", "14", "-c:a", "copy"]
    ffmpeg("-stream_loop", "-1", "-i", str(small_film), flags, str(master))
    ladder = running_cuemark.ingest(master, LONG_FILM)["renditions"]
    assert len(ladder) >= 3, ladder
    return running_cuemark.title_id(LONG_FILM)
