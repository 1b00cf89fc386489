"""Rendering demo films with the real FFmpeg."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from samples import synth
from samples.captions import cues
from samples.film import Draw, Recipe, Shot, Sound
from samples.render import RenderFailed, render, render_all


def _still(rng: np.random.Generator) -> Draw:
    color = tuple(int(level) for level in rng.integers(40, 220, 3))

    def draw(t: float) -> Image.Image:
        picture = Image.new("RGB", (64, 36), color)
        picture.paste((255, 255, 255), (round(40 * t), 4, round(40 * t) + 8, 12))
        return picture

    return draw


def _tone(rng: np.random.Generator, duration_s: float) -> Sound:
    track = synth.silence(duration_s)
    synth.mix_in(track, synth.pluck(69, duration_s), 0, 0.5)
    return track


TINY = Recipe(
    slug="tiny",
    name="Tiny",
    synopsis="A square crosses two walls.",
    container="mp4",
    frame_rate=25,
    size=(64, 36),
    shots=(Shot(0.48, _still), Shot(0.52, _still)),
    score=_tone,
    cues=cues(("en", "de"), (0.1, 0.9, "It moves.", "Es bewegt sich.")),
    caption_format="vtt",
    grain=8,
)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_a_film_has_every_frame_its_sound_and_its_colors(tmp_path: Path, container: str) -> None:
    film = render(replace(TINY, container=container), tmp_path)  # type: ignore[arg-type]
    assert film.path.name == f"tiny.{container}"
    with av.open(str(film.path)) as file:
        picture, sound = file.streams.video[0], file.streams.audio[0]
        assert (picture.width, picture.height) == (1280, 720)
        assert picture.average_rate == 25
        assert picture.codec_context.name == "h264"
        assert (picture.codec_context.colorspace, picture.codec_context.color_range) == (1, 1)
        assert (sound.codec_context.name, sound.channels) == ("aac", 2)
        assert sum(1 for _ in file.decode(video=0)) == TINY.frame_count
    assert film.captions["de"].read_text(encoding="utf-8").endswith("Es bewegt sich.\n")


def test_two_renderings_are_the_same_bytes(tmp_path: Path) -> None:
    ((first,), (second,)) = (render_all(tmp_path / name, [TINY]) for name in ("a", "b"))
    assert first.path.read_bytes() == second.path.read_bytes()


def test_a_film_that_is_there_is_kept_and_leftovers_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".render-dead").mkdir()
    (film,) = render_all(tmp_path, [TINY])
    before = film.path.stat()
    (again,) = render_all(tmp_path, [TINY])
    assert again == film
    assert film.path.stat().st_mtime_ns == before.st_mtime_ns
    assert not list(tmp_path.glob(".render-*"))


def test_a_film_that_fails_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    def break_off(rng: np.random.Generator) -> Draw:
        raise ArithmeticError("no picture")

    broken = replace(TINY, shots=(TINY.shots[0], Shot(0.4, break_off)))
    with pytest.raises(ArithmeticError):
        render(broken, tmp_path)
    assert not (tmp_path / "tiny.mp4").exists()


def test_what_ffmpeg_says_reaches_the_reader(tmp_path: Path) -> None:
    with pytest.raises(RenderFailed, match=r"FFmpeg could not write Tiny: .+"):
        render(replace(TINY, size=(0, 36)), tmp_path)
    assert not (tmp_path / "tiny.mp4").exists()


def test_the_command_renders_one_film_and_ends_with_the_manifest(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "samples", "--out", str(tmp_path), "--only", "runaway-express"]
    done = subprocess.run([*argv, "--json"], capture_output=True, text=True, check=True, timeout=90)
    film, manifest = map(json.loads, done.stdout.splitlines())
    assert manifest == {"films": [film]}
    assert manifest == json.loads((tmp_path / "films.json").read_text(encoding="utf-8"))
    for name in (film["file"], *film["captions"].values()):
        assert (tmp_path / name).stat().st_size > 100
