"""Render recipes to master files: frames through a pipe into FFmpeg, one film after another.

Drawing and encoding are two processes, so that one film keeps two cores at work. A film appears
under its name whole or not at all; one that is there already is kept.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from samples.captions import languages_of, to_srt, to_vtt
from samples.catalog import CATALOG
from samples.film import MASTER_SIZE, SAMPLE_RATE_HZ, Film, Recipe

MANIFEST = "films.json"
CRF = 15
GRAIN_SEED = 1895


class RenderFailed(Exception):
    """FFmpeg did not take the film; the message says which and why."""


def render_all(out: Path, recipes: Iterable[Recipe] = CATALOG) -> Iterator[Film]:
    """Render what is missing in ``out`` and yield each film as soon as it is there.

    ``films.json`` beside them lists the films that are there, and is rewritten with each. Two
    renderings into one folder take turns. Raises ``RenderFailed`` and ``OSError``.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _alone_in(out):
        for recipe in recipes:
            film = render(recipe, out)
            write_manifest(out)
            yield film


def render(recipe: Recipe, out: Path) -> Film:
    """Render one film and its captions into ``out``, unless it is there."""
    film = film_of(recipe, out)
    if film.path.exists():
        return film
    with tempfile.TemporaryDirectory(prefix=".render-", dir=out) as name:
        folder = Path(name)
        for language, path in film.captions.items():
            write = to_srt if recipe.caption_format == "srt" else to_vtt
            (folder / path.name).write_text(write(recipe.cues, language), encoding="utf-8")
            (folder / path.name).replace(path)
        _write_wave(recipe, folder / "sound.wav")
        master = folder / film.path.name
        _encode(recipe, folder / "sound.wav", master)
        with master.open("rb") as file:
            os.fsync(file.fileno())
        master.replace(film.path)
    return film


def film_of(recipe: Recipe, out: Path) -> Film:
    """The film of a recipe with the paths that it has, or will have, in ``out``."""
    return Film(
        recipe.name,
        recipe.synopsis,
        out / f"{recipe.slug}.{recipe.container}",
        {
            language: out / f"{recipe.slug}.{language}.{recipe.caption_format}"
            for language in languages_of(recipe)
        },
    )


def write_manifest(out: Path) -> None:
    """List the catalog's films that are in ``out``; paths are relative to it."""
    films = [film_of(recipe, out) for recipe in CATALOG]
    listed = {"films": [entry_of(film, out) for film in films if film.path.exists()]}
    with tempfile.TemporaryDirectory(prefix=".render-", dir=out) as name:
        fresh = Path(name) / MANIFEST
        fresh.write_text(json.dumps(listed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        fresh.replace(out / MANIFEST)


def entry_of(film: Film, out: Path) -> dict[str, object]:
    """A film as it stands in the manifest."""
    return {
        "name": film.name,
        "synopsis": film.synopsis,
        "file": str(film.path.relative_to(out)),
        "captions": {
            language: str(path.relative_to(out)) for language, path in film.captions.items()
        },
    }


@contextlib.contextmanager
def _alone_in(out: Path) -> Iterator[None]:
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in out.glob(".render-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _write_wave(recipe: Recipe, path: Path) -> None:
    samples = np.clip(recipe.sound() * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(samples.tobytes())


def _encode(recipe: Recipe, sound: Path, target: Path) -> None:
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            ffmpeg_argv(recipe, sound, target),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        ) as ffmpeg,
    ):
        assert ffmpeg.stdin is not None
        try:
            for picture in recipe.frames():
                ffmpeg.stdin.write(picture.tobytes())
            ffmpeg.stdin.close()
        except BrokenPipeError:
            pass
        except BaseException:
            ffmpeg.kill()
            raise
        if ffmpeg.wait():
            complaints.seek(0)
            why = complaints.read().decode(errors="replace").strip()
            raise RenderFailed(f"FFmpeg could not write {recipe.name}: {why}")


def ffmpeg_argv(recipe: Recipe, sound: Path, target: Path) -> list[str]:
    """FFmpeg's command line: raw frames on stdin, tagged BT.709, the same bytes each time."""
    width, height = MASTER_SIZE
    filters = [f"scale={width}:{height}:flags=bicubic:out_color_matrix=bt709:out_range=tv"]
    if recipe.grain:
        noise = f"noise=c0_strength={recipe.grain}:c0_flags=t+u:all_seed={GRAIN_SEED}"
        filters = ["scale=out_color_matrix=bt709:out_range=tv", "format=yuv444p", noise]
        filters.append(f"scale={width}:{height}:flags=bicubic")
    filters.append("format=yuv420p")
    filters.append("setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv")
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    argv += ["-f", "rawvideo", "-pix_fmt", "gray" if recipe.mode == "L" else "rgb24"]
    argv += ["-s", f"{recipe.size[0]}x{recipe.size[1]}", "-r", str(recipe.frame_rate)]
    argv += ["-i", "pipe:0", "-i", str(sound), "-vf", ",".join(filters)]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", str(CRF), "-threads", "2"]
    argv += ["-g", str(2 * recipe.frame_rate)]
    argv += ["-c:a", "aac", "-b:a", "192k"]
    argv += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    if recipe.container != "mkv":
        argv += ["-movflags", "+faststart"]
    return [*argv, str(target)]
