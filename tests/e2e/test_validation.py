"""What validation blocks is not published and says why; an install may decide otherwise."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.folders.packed import film
from tests.e2e.installation import Installation
from tests.integration.encoding.test_validating import SPOKEN

SENTENCE = (
    "the version was not published: the captions in de are declared as de and read as es; mend "
    "the film, or let it pass by `validation` in the settings (caption_language)"
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("validation") / "data")
    installation.up()
    yield installation
    installation.down()


@pytest.fixture(scope="module")
def spanish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("captions") / "es.srt"
    path.write_text(f"1\n00:00:00,100 --> 00:00:01,900\n{SPOKEN['es']}\n", encoding="utf-8")
    return path


def test_a_version_that_is_blocked_is_not_published_and_its_job_says_why(
    installation: Installation, spanish: Path, tmp_path: Path
) -> None:
    master = film(tmp_path / "film.mp4", 1)
    done = installation.cli(
        "ingest", str(master), "--title", "Swapped", f"--captions=de={spanish}", "--wait", expect=1
    )
    assert SENTENCE in " ".join((done.stdout + done.stderr).split())
    (job,) = installation.status()["jobs"]
    assert (job["state"], job["error"]) == ("failed", SENTENCE)
    assert installation.events("version_published") == []
    (title,) = installation.json("titles")["titles"]
    assert title["quality"] == "none"


def test_an_install_that_only_wants_a_warning_gets_it_in_the_report(
    installation: Installation, spanish: Path, tmp_path: Path
) -> None:
    installation.down()
    (installation.folder / "cuemark.toml").write_text('[validation]\ncaption_language = "warn"\n')
    installation.up()
    made = installation.ingest(film(tmp_path / "film.mp4", 2), "Let pass", {"de": spanish})
    page = tmp_path / "report.html"
    installation.cli("report", made["version_id"], "--output", str(page))
    text = page.read_text()
    assert "The captions in de are declared as de and read as es." in text
    assert "photosensitivity" in text
    told = {event["check"] for event in installation.events("validation_finding")}
    assert told == {"caption_language"}
