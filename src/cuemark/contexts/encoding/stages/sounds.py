"""The stage of the sound: each rendition of a sound at one loudness, its peaks held."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from cuemark.contexts.encoding.model import bounds, loudness
from cuemark.contexts.encoding.model.loudness import Loudness, NotMeasured
from cuemark.contexts.encoding.model.mixing import Mix
from cuemark.contexts.encoding.model.sound import Sound, SoundRecipe
from cuemark.contexts.encoding.stages.pictures import film_of
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import sounding
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.run import ToolFailed, ToolOverLimit, ToolTimedOut, run
from cuemark.contracts.encoding.jobs import MasterRejected

MADE, MEASURED = "made.json", "loudness.json"
MOST_TRIES = 3
_STEP_DB = 0.1
"""Loudness is printed in tenths of a decibel."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a sound. ``unreadable`` says why there is nothing of it, else it is empty."""

    unreadable: str = ""


class _Unreadable(ToolFailed):
    """The sound cannot be decoded; the text is a sentence without its full stop."""


def file_of(recipe: SoundRecipe) -> str:
    """The file of a rendition in the result of its sound."""
    return f"{recipe.name or 'stereo'}.mp4"


def encode_sound(shop: Workshop, sha256: str, stream: int, recipes: Sequence[SoundRecipe]) -> str:
    """Renditions of a sound at the target loudness, as long as the picture; the result's key.

    Where the sound cannot be decoded there are none, and ``Made`` says so. Of the default sound
    that is a ``MasterRejected``: a film does not lose it quietly.
    """
    targets = [loudness.TARGET_LUFS, loudness.TRUE_PEAK_DBTP, loudness.HEADROOM_DB]
    key = shop.key("sound", sha256, stream, recipes, targets)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    sound = next(each for each in film.master.sounds if each.stream == stream)
    with shop.making(key) as folder:
        made = Made()
        try:
            mixes = dict.fromkeys(recipe.mix for recipe in recipes)
            measured = {mix: _measured(shop, sha256, film, sound, mix) for mix in mixes}
            _encode(shop, film, sound, recipes, measured, folder)
        except _Unreadable as error:
            if sound == film.master.sounds[0]:
                raise MasterRejected(
                    f"{error}: mend the film, or leave the sound out of it"
                ) from error
            made = Made(unreadable=str(error))
        save(folder, MADE, made)
    return key


def unreadable(shop: Workshop, key: str) -> str:
    """Why a sound could not be made, a sentence without its full stop; empty where it was."""
    return shop.load(key, MADE, Made).unreadable


def loudness_of(shop: Workshop, sha256: str, sound: Sound) -> Loudness | None:
    """How loud a sound is as stereo, as the master has it; none where that was not measured, or
    where there is nothing to be heard."""
    key = _loudness_key(shop, sha256, sound, "stereo")
    if not shop.has(key):
        return None
    found = shop.load(key, MEASURED, Loudness)
    return None if found.is_silent else found


def _loudness_key(shop: Workshop, sha256: str, sound: Sound, mix: Mix) -> str:
    return shop.key("loudness", sha256, sound.stream, mix)


def _measured(shop: Workshop, sha256: str, film: Film, sound: Sound, mix: Mix) -> Loudness:
    """The first pass; the renditions of a mix share it."""
    key = _loudness_key(shop, sha256, sound, mix)
    if not shop.has(key):
        argv = sounding.loudness_argv(shop.programs.ffmpeg, film, sound, mix, _film_s(film))
        limits = bounds.sounding(film.path.stat().st_size, _film_s(film))
        with shop.making(key) as folder:
            try:
                heard = loudness.parse(run(argv, limits, reads=[film.path]).stderr)
            except (ToolOverLimit, ToolTimedOut):
                raise
            except (ToolFailed, NotMeasured) as error:
                raise _Unreadable(
                    f"the sound of stream {sound.stream} ({sound.language}) cannot be decoded"
                ) from error
            save(folder, MEASURED, heard)
    return shop.load(key, MEASURED, Loudness)


def _encode(
    shop: Workshop,
    film: Film,
    sound: Sound,
    recipes: Sequence[SoundRecipe],
    measured: Mapping[Mix, Loudness],
    folder: Path,
) -> None:
    """The second pass, and another one for each rendition to whose peaks its codec added more
    than was left for that."""
    limits = bounds.sounding(film.path.stat().st_size, _film_s(film))
    ceilings = dict.fromkeys(recipes, loudness.TRUE_PEAK_DBTP - loudness.HEADROOM_DB)
    left = list(recipes)
    for _ in range(MOST_TRIES):
        outputs = [
            (
                recipe,
                loudness.normalizing(measured[recipe.mix], ceilings[recipe]),
                folder / file_of(recipe),
            )
            for recipe in left
        ]
        argv = sounding.sound_argv(shop.programs.ffmpeg, film, sound, outputs, _film_s(film))
        run(argv, limits, reads=[film.path], folder=folder)
        over = {
            recipe: excess
            for recipe in left
            if (excess := _peak_dbtp(shop, folder / file_of(recipe)) - loudness.TRUE_PEAK_DBTP) > 0
        }
        for recipe, excess in over.items():
            ceilings[recipe] -= excess + _STEP_DB
        left = list(over)
        if not left:
            return
    for recipe, excess in over.items():
        structlog.get_logger().warning(
            "peaks_not_held", stream=sound.stream, codec=recipe.codec, over_db=round(excess, 1)
        )


def _peak_dbtp(shop: Workshop, track: Path) -> float:
    argv = sounding.heard_argv(shop.programs.ffmpeg, track)
    limits = bounds.reading(track.stat().st_size)
    try:
        return loudness.parse(run(argv, limits, reads=[track]).stderr).peak_dbtp
    except NotMeasured as error:
        raise ToolFailed(f"the sound of {track.name} cannot be measured: {error}") from error


def _film_s(film: Film) -> float:
    return float(film.master.frames / film.master.picture.rate)
