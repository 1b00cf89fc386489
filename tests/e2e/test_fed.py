"""What a user is told of a film, a name or an upload that is not as it should be."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.e2e.installation import Installation, ffmpeg

NAME = '[/bold] "It\'s" <b>../../etc/passwd</b>\\ \u05e9\u05dc\u05d5\u05dd 100%'


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are no films, or odd ones."""
    folder = tmp_path_factory.mktemp("films")
    source = ["-f", "lavfi", "-i", "testsrc2=s=192x108:r=25"]
    fast = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    ffmpeg(source, "-frames:v", "40", fast, str(folder / "whole.mp4"))
    uneven = ["-vf", "select='not(between(n,10,19))'", "-fps_mode", "vfr", "-frames:v", "30"]
    ffmpeg(source, uneven, fast, str(folder / "uneven.mkv"))
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", str(folder / "sound.m4a"))
    tiny = ["-f", "lavfi", "-i", "testsrc=s=2x2:r=25", "-frames:v", "20", "-c:v", "ffv1"]
    ffmpeg(tiny, str(folder / "tiny.mkv"))
    whole = (folder / "whole.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n")
    (folder / "empty.mp4").write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("empty.mp4", "an upload has 1 to"),
        ("cut.mp4", "the file is no film that FFmpeg can read"),
        ("list.mp4", "the file is no film that FFmpeg can read"),
        ("sound.m4a", "the file has no moving picture: upload a film"),
        ("tiny.mkv", "the picture is 2 by 2: each side must have at least 96"),
    ],
)
def test_the_reason_is_one_sentence(
    empty_cuemark: Installation, films: Path, name: str, says: str
) -> None:
    film = str(films / name)
    done = empty_cuemark.cli("ingest", film, "--title", name, "--wait", expect=1)
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("cuemark: ")
    assert says in last


def test_odd_names_and_an_uneven_film_with_odd_captions_play(
    empty_cuemark: Installation, films: Path, tmp_path: Path
) -> None:
    film = tmp_path / os.fsdecode(b'it\'s\n[x] "\xff" %s $(id).mkv')
    film.write_bytes((films / "uneven.mkv").read_bytes())
    words = tmp_path / "c.srt"
    words.write_bytes(b"1\r\n00:00:00,100 --> 00:00:01,000\r\n<script>x</script> caf\xe9\r\n")
    flags = [f"--captions=en={words}", "--wait"]
    said = empty_cuemark.cli("ingest", str(film), "--title", NAME, *flags, limit_s=300)
    assert "Note: the frames were not evenly spaced" in said.stderr
    title = next(t for t in empty_cuemark.json("titles")["titles"] if "passwd" in t["name"])
    assert title["quality"] == "full"
    assert "[/bold]" in empty_cuemark.cli("titles").stdout
    report = empty_cuemark.json("play", title["title_id"], "--as=odd@cuemark.example", "--from=0")
    assert (report["frames"], report["decode_errors"]) == (40, 0)


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("x" * 5000, "300"),
        ("", "name"),
        ("two\nlines", "name"),
        ("\u202egnp.exe", "control character"),
        (os.fsdecode(b"\xff\xfe"), "UTF-8"),
    ],
)
def test_a_title_that_is_none_is_refused(
    empty_cuemark: Installation, films: Path, title: str, says: str
) -> None:
    film = str(films / "whole.mp4")
    done = empty_cuemark.cli("ingest", film, "--title", title, expect=1)
    assert "Traceback" not in done.stderr
    assert says in done.stderr.strip().splitlines()[-1]


class Sender:
    """Uploads by hand."""

    def __init__(self, installation: Installation) -> None:
        token = (installation.folder / "secrets" / "operator_token").read_text().strip()
        self._api = installation.api_url
        self._headers = {"Authorization": f"Bearer {token}"}

    def open(self, size_bytes: int, sha256: str = "") -> str:
        body = json.dumps({"name": "film.mp4", "size_bytes": size_bytes, "sha256": sha256})
        kind = {"Content-Type": "application/json"}
        where = f"{self._api}/uploads"
        answer = requests.post(where, body, headers=self._headers | kind, timeout=20)
        assert answer.status_code == 201
        return str(answer.json()["upload_id"])

    def send(self, upload: str, offset: int, data: bytes) -> requests.Response:
        kind = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
        where = f"{self._api}/uploads/{upload}"
        return requests.patch(where, data, headers=self._headers | kind, timeout=60)

    def complete(self, upload: str) -> requests.Response:
        where = f"{self._api}/uploads/{upload}/complete"
        return requests.post(where, headers=self._headers, timeout=60)


def message_of(answer: requests.Response) -> str:
    return str(answer.json()["error"]["message"])


def test_an_upload_that_lies_is_told_so(empty_cuemark: Installation) -> None:
    sender, data = Sender(empty_cuemark), os.urandom(100_000)
    lied = sender.open(len(data), hashlib.sha256(b"another file").hexdigest())
    assert sender.send(lied, 0, data).status_code == 200
    refused = sender.complete(lied)
    assert refused.status_code == 422
    assert "another SHA-256 than was announced: upload it again" in message_of(refused)
    short = sender.open(len(data) + 1)
    assert sender.send(short, 0, data).status_code == 200
    refused = sender.complete(short)
    assert (refused.status_code, "100000 have arrived" in message_of(refused)) == (409, True)
    long = sender.open(len(data) - 1)
    refused = sender.send(long, 0, data)
    assert (refused.status_code, "announced with 99999 bytes" in message_of(refused)) == (413, True)
    early = sender.send(sender.open(10), 5, b"12345")
    assert (early.status_code, early.json()["received_bytes"]) == (409, 0)


def test_two_writers_at_once_leave_the_bytes_of_one(empty_cuemark: Installation) -> None:
    sender, size = Sender(empty_cuemark), 3_000_000
    parts = [bytes([n]) * size for n in range(6)]
    whole = sender.open(size)
    with ThreadPoolExecutor(len(parts)) as writers:
        answers = list(writers.map(lambda part: sender.send(whole, 0, part).status_code, parts))
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    kept = empty_cuemark.folder / "objects" / "uploads" / f"{whole}.part"
    assert kept.read_bytes() in parts
    assert sender.complete(whole).status_code == 200
