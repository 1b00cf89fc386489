"""A copy that a member made of a marked film, encoded anew, names the session it was made of."""

import base64
import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cuemark.contexts.playback.model import fingerprint
from cuemark.player import dash
from tests.e2e.conftest import FILM as PLAIN_FILM
from tests.e2e.installation import Installation, ffmpeg
from tests.e2e.test_protection import Member

pytestmark = pytest.mark.slow

FILM, SECONDS, RATE = "With a mark", 48, 10


@dataclass(frozen=True)
class Viewing:
    """What somebody's device got: all pictures of the film, decrypted in ``saved``."""

    session_id: str
    email: str
    names: list[str]
    segments: list[bytes]
    saved: Path


@pytest.fixture(scope="module")
def marked(running_cuemark: Installation, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Something that moves, as small as can be: twenty segments tell a session."""
    master = tmp_path_factory.mktemp("marked") / "film.mp4"
    sources = [
        f"mandelbrot=s=192x108:r={RATE}:start_scale=0.8",
        f"testsrc2=s=192x108:r={RATE},hue=h=40*t,scroll=h=0.003",
        f"life=s=96x54:r={RATE}:mold=20:life_color=white:death_color=gray,scale=192:108",
    ]
    inputs = [part for source in sources for part in ("-f", "lavfi", "-i", source)]
    cut = f"trim=end_frame={SECONDS * RATE // len(sources)},format=yuv420p,setsar=1"
    graph = ";".join(f"[{n}:v]{cut}[v{n}]" for n in range(len(sources)))
    ffmpeg(
        [*inputs, "-f", "lavfi", "-i", f"sine=frequency=330:duration={SECONDS}"],
        ["-filter_complex", f"{graph};[v0][v1][v2]concat=n=3,noise=alls=4:allf=t[v]"],
        ["-map", "[v]", "-map", "3:a", "-crf", "14", "-c:a", "aac", str(master)],
    )
    flags = ["--title", FILM, "--effort", "fast", "--mark", "--wait"]
    return running_cuemark.json("ingest", str(master), *flags, limit_s=600)


@pytest.fixture(scope="module")
def viewings(
    running_cuemark: Installation, marked: Any, tmp_path_factory: pytest.TempPathFactory
) -> list[Viewing]:
    folder = tmp_path_factory.mktemp("saved")
    return [viewed(running_cuemark, marked, folder / f"{n}.mp4") for n in range(2)]


def viewed(cuemark: Installation, marked: Any, saved: Path) -> Viewing:
    """A play by one who keeps what comes: there is nothing to be had but what the manifest says."""
    member = Member(cuemark)
    play = member.start(marked["title_id"])
    manifest = dash.parse(member.ask("GET", play["dash_url"]).decode())
    rung = manifest.video[-1]
    kid = base64.urlsafe_b64encode(bytes.fromhex(rung.first.kid)).rstrip(b"=").decode()
    body = json.dumps({"kids": [kid], "type": "temporary"}).encode()
    (licence,) = json.loads(member.ask("POST", play["licence_url"], body))["keys"]
    key = base64.urlsafe_b64decode(licence["k"] + "==").hex()
    base = manifest.locations[0].base_url
    segments = [fetched(base + each.path) for each in rung.segments]
    whole = saved.with_suffix(".encrypted")
    whole.write_bytes(fetched(base + rung.first.init_path) + b"".join(segments))
    ffmpeg("-decryption_key", key, "-i", str(whole), "-c", "copy", str(saved))
    return Viewing(
        session_id=play["session_id"],
        email=json.loads(member.ask("GET", "/me"))["email"],
        names=[each.path for each in rung.segments],
        segments=segments,
        saved=saved,
    )


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bytes(answer.read())


@pytest.fixture(scope="module")
def copy(viewings: list[Viewing]) -> Path:
    """What the first one put somewhere: from the sixth second on, smaller, brighter, blurred."""
    target = viewings[0].saved.with_name("copy.mp4")
    filters = "scale=176:100,eq=brightness=0.03:contrast=1.05"
    flags = ["-vf", filters, "-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-an"]
    ffmpeg("-ss", "6", "-i", str(viewings[0].saved), flags, str(target))
    return target


def test_two_sessions_get_the_same_film_in_different_variants(viewings: list[Viewing]) -> None:
    one, two = viewings
    assert one.names == two.names
    assert all("/x" in name for name in one.names)
    differ = sum(a != b for a, b in zip(one.segments, two.segments, strict=True))
    assert 0.15 * len(one.names) < differ < 0.85 * len(one.names)


@pytest.mark.parametrize("form", ["dash", "hls"])
def test_a_marked_film_plays_as_any_other(
    running_cuemark: Installation, marked: Any, form: str
) -> None:
    report = running_cuemark.json(
        "play", FILM, "--from=3", "--seconds=3", f"--format={form}", f"--as={form}@marked.example"
    )
    assert report["frames"] == pytest.approx(3 * RATE, abs=1)
    assert (report["decode_errors"], report["stalls"], report["wrong_digests"]) == (0, 0, 0)
    assert report["left"] == []


def test_the_copy_names_the_session_that_it_was_made_of_and_not_the_other(
    running_cuemark: Installation, viewings: list[Viewing], copy: Path
) -> None:
    guilty, other = viewings
    found = running_cuemark.json("watermark", "find", FILM, str(copy), limit_s=300)
    print(json.dumps(found))
    assert found["state"] == "done"
    naming = found["naming"]
    assert naming["compared"] >= 2
    named = [each for each in naming["suspects"] if each["named"]]
    assert [(each["session_id"], each["email"]) for each in named] == [
        (guilty.session_id, guilty.email)
    ]
    (innocent,) = (e for e in naming["suspects"] if e["session_id"] == other.session_id)
    assert (innocent["named"], innocent["account_id"], innocent["email"]) == (False, None, "")
    assert naming["verdict"].startswith(f"This copy was made of the play {guilty.session_id}: ")


def test_the_table_tells_who_it_was_and_nothing_of_the_others(
    running_cuemark: Installation, marked: Any, viewings: list[Viewing], copy: Path
) -> None:
    guilty, other = viewings
    done = running_cuemark.cli("watermark", "find", marked["version_id"], str(copy), limit_s=300)
    lines = done.stdout.splitlines()
    assert lines[-2].startswith(f"This copy was made of the play {guilty.session_id}: ")
    assert lines[-1] == f"{guilty.session_id} is of {guilty.email}."
    assert other.session_id in done.stdout
    assert other.email not in done.stdout


def test_what_cannot_be_searched_is_said_in_one_sentence(
    running_cuemark: Installation, marked: Any, copy: Path, small_film: Path, tmp_path: Path
) -> None:
    no_film = tmp_path / "words.txt"
    no_film.write_text("Not a film.")
    plain = running_cuemark.ingested[PLAIN_FILM]["version_id"]
    for arguments, sentence in [
        ((PLAIN_FILM, str(copy)), f"no version of {PLAIN_FILM} is marked"),
        ((plain, str(copy)), "is not marked"),
        (("ver_nowhere", str(copy)), "no version"),
        ((FILM, str(small_film)), "nothing of this film"),
        ((FILM, str(no_film)), "the file is no film"),
    ]:
        done = running_cuemark.cli("watermark", "find", *arguments, expect=1, limit_s=300)
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def test_no_log_tells_what_a_session_was_shown(
    running_cuemark: Installation, viewings: list[Viewing]
) -> None:
    folder = running_cuemark.folder
    secret = bytes.fromhex((folder / "secrets" / "fingerprint_key").read_text())
    rows = [fingerprint.row(secret, each.session_id) for each in viewings]
    told = [form for row in rows for form in (row.hex(), base64.b64encode(row).decode()[:160])]
    access = [*folder.glob("appliances/*/logs/access.jsonl")]
    logs = [*access, *folder.glob("logs/*")]
    for path in logs:
        text = path.read_text(errors="replace")
        assert secret.hex() not in text
        assert not [form for form in told if form in text], path
    asked = {
        line["path"]
        for path in access
        for line in map(json.loads, path.read_text().splitlines())
        if line["path"].endswith(".m4s")
    }
    assert any("/x" in path for path in asked)
    assert not [path for path in asked if "/a" in path or "/b" in path]
