"""A film on its way in: a worker killed, a version replaced under a play, bad input."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cuemark.kit.objects import sha256_of
from samples.film import Film
from tests.e2e.conftest import FRAMES
from tests.e2e.installation import Installation, ffmpeg, wait_until
from tests.e2e.test_installation import serving

SEED = 1895
UPLOAD_MB = 400


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("ingest") / "data")
    installation.up()
    yield installation
    installation.down()


def encoder_runs(installation: Installation) -> Counter[str]:
    """How often each chunk was encoded to its end, by the key of its result."""
    return Counter(event["key"] for event in installation.events("chunk_encoded"))


def job_of(installation: Installation, version_id: str) -> Any:
    return next(job for job in installation.status()["jobs"] if job["version_id"] == version_id)


def test_a_killed_worker_costs_the_chunk_in_hand_and_a_running_play_outlives_its_version(
    installation: Installation, small_film: Path
) -> None:
    name = "Killed on the way"
    job = installation.ingest(small_film, name, wait=False)
    wait_until(lambda: bool(encoder_runs(installation)), 60, "a chunk is encoded")
    done_before = set(encoder_runs(installation))
    killed = installation.kill("worker-1", signal.SIGKILL)
    wait_until(lambda: installation.status()["pids"]["worker-1"] != killed, 5, "the worker is back")
    wait_until(lambda: quality(installation, name) == "quick", 120, "it is watchable")
    reports: list[Any] = []
    watchers = [
        threading.Thread(target=watch_until_full, args=(installation, name, n, reports))
        for n in range(2)
    ]
    for watcher in watchers:
        watcher.start()
        time.sleep(3)
    for watcher in watchers:
        watcher.join(1000)
    finished = job_of(installation, job["version_id"])
    assert finished["state"] == "done"
    assert set(encoder_runs(installation)) > done_before
    again = {key: runs for key, runs in encoder_runs(installation).items() if runs > 1}
    assert again == {}, "a chunk that was done was encoded again"
    qualities = [report["quality"] for report in reports]
    assert qualities.count("quick") >= 2
    assert qualities[-1] == "full"
    assert {(report["frames"], report["decode_errors"]) for report in reports} == {(FRAMES, 0)}


def test_a_title_outlives_the_death_of_everything_it_needs(
    installation: Installation, tmp_path: Path, sample_film: Film
) -> None:
    master = tmp_path / "other.mp4"
    excerpt = ["-ss", "8", "-t", "4", "-vf", "scale=320:180", "-crf", "14", "-c:a", "copy"]
    ffmpeg("-i", str(sample_film.path), excerpt, str(master))
    job = installation.ingest(master, "Hard times", wait=False)
    for name in ("worker-2", "postgres", "control", "worker-1", "postgres"):
        installation.kill(name, signal.SIGKILL)
        time.sleep(2)
        wait_until(lambda: serving(installation), 20, f"the API answers after {name} was killed")
    wait_until(lambda: job_of(installation, job["version_id"])["state"] != "running", 240, "done")
    finished = job_of(installation, job["version_id"])
    assert (finished["state"], finished["error"]) == ("done", "")


def quality(installation: Installation, name: str) -> str:
    titles = installation.json("titles")["titles"]
    return next(str(title["quality"]) for title in titles if title["name"] == name)


def watch_until_full(
    installation: Installation, name: str, number: int, reports: list[Any]
) -> None:
    member = f"--as=watcher-{number}@cuemark.example"
    deadline_s = time.monotonic() + 900
    while time.monotonic() < deadline_s:
        reports.append(installation.json("play", name, member, "--from=0"))
        if reports[-1]["quality"] == "full":
            return


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "not 0"), (b"this is no film, it is a letter\n" * 100, "no film")],
)
def test_what_is_no_film_is_refused_with_one_sentence(
    installation: Installation, tmp_path: Path, content: bytes, says: str
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(content)
    said = installation.cli("ingest", str(film), "--title", "No film", "--wait", expect=1).stderr
    last = said.strip().splitlines()[-1]
    assert last.startswith("cuemark: ")
    assert says in last


def test_an_upload_that_broke_off_resumes(installation: Installation, small_film: Path) -> None:
    """The API's resumable upload, by hand: half, a lie about the offset, the rest."""
    token = (installation.folder / "secrets" / "operator_token").read_text()
    api = urlsplit(installation.api_url)
    film = small_film.read_bytes()
    half = len(film) // 2
    with closing(HTTPConnection(api.hostname or "", api.port, timeout=20)) as connection:

        def call(method: str, path: str, body: bytes, offset: int | None = None) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            if offset is not None:
                headers |= {
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/octet-stream",
                }
            connection.request(method, f"{api.path}{path}", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

        announced = json.dumps({"name": "film.mp4", "size_bytes": len(film)}).encode()
        status, upload = call("POST", "/uploads", announced)
        assert status == 201
        where = f"/uploads/{upload['upload_id']}"
        assert call("PATCH", where, film[:half], 0)[0] == 200
        assert call("PATCH", where, film[:9], 0)[0] == 409
        assert call("GET", where, b"")[1]["received_bytes"] == half
        assert call("POST", f"{where}/complete", b"")[0] == 409
        assert call("PATCH", where, film[half:], half)[0] == 200
        status, whole = call("POST", f"{where}/complete", b"")
        assert status == 200
        assert whole["asset_id"]


@pytest.mark.parametrize("victim", ["control", "postgres"])
def test_an_upload_outlives_the_death_of_what_receives_it(
    installation: Installation, tmp_path: Path, victim: str
) -> None:
    """Killed at a drawn moment of the upload; every byte arrives, and the command ends well."""
    chance = random.Random(f"{SEED}:{victim}")
    pid = int(installation.status()["pids"][victim])
    film = tmp_path / "large.mp4"
    with film.open("wb") as file:
        for _ in range(UPLOAD_MB):
            file.write(chance.randbytes(1 << 20))
    spools = installation.folder / "objects" / "uploads"
    command = installation.command("ingest", str(film), "--title", "Large", "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ingest:
        wait_until(lambda: any(spools.glob("*")), 20, "the upload begins")
        time.sleep(chance.uniform(0, 0.3))
        assert ingest.poll() is None, "the upload was over before the kill"
        os.kill(pid, signal.SIGKILL)
        _, said = ingest.communicate(timeout=120)
    assert ingest.returncode == 0, said
    masters = installation.folder / "objects" / "masters"
    assert sha256_of(film) in {path.name for path in masters.iterdir()}
    assert list(spools.iterdir()) == []


def test_two_installations_do_not_meet(installation: Installation, tmp_path: Path) -> None:
    other = Installation(tmp_path / "other")
    running = other.up()
    try:
        assert running["member_url"] != installation.member_url
        assert os.listdir(other.folder / "objects") != []
        assert other.status()["titles"] == []
    finally:
        other.down()
