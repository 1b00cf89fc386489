"""The stage that finds a film's grain: a few frames of a few shots are looked at."""

import numpy as np
import structlog

from cuemark.contexts.encoding.model import graininess
from cuemark.contexts.encoding.model.grain import Grain
from cuemark.contexts.encoding.model.graininess import (
    EXCERPT_FRAMES,
    MOST_HEIGHT,
    MOST_WIDTH,
    Luma,
)
from cuemark.contexts.encoding.stages.pictures import decoding, film_of, shots_of, told_apart
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import ffmpeg
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.run import read_frames

GRAIN = "grain.json"
_CODES = 4
"""Codes of the 10 bits that are read for one of 8 bits."""


def grain_key(shop: Workshop, sha256: str) -> str:
    film = film_of(shop, sha256)
    return shop.key("grain", sha256, graininess.RULES, *told_apart(film))


def find_grain(shop: Workshop, sha256: str) -> str:
    """Find out how much grain the film has, in its standard look. Returns the result's key."""
    key = grain_key(shop, sha256)
    if shop.has(key):
        return key
    film, starts = film_of(shop, sha256), shots_of(shop, sha256).starts
    with shop.making(key) as folder:
        found = graininess.of_film(
            [
                graininess.sigma_of_excerpt(_excerpt(shop, film, first))
                for first in graininess.excerpts(starts, film.master.frames)
            ]
        )
        save(folder, GRAIN, found)
    structlog.get_logger().info("grain_found", key=key, sigma=found.sigma, told=found.told)
    return key


def grain_of(shop: Workshop, sha256: str) -> Grain:
    return shop.load(grain_key(shop, sha256), GRAIN, Grain)


def _excerpt(shop: Workshop, film: Film, first: int) -> Luma:
    picture = film.master.picture
    width, height = min(picture.width, MOST_WIDTH), min(picture.height, MOST_HEIGHT)
    argv = ffmpeg.excerpt_argv(shop.programs.ffmpeg, film, first, EXCERPT_FRAMES, (width, height))
    raw = b"".join(
        read_frames(argv, 2 * width * height, decoding(film, EXCERPT_FRAMES), reads=film.reads)
    )
    codes = np.frombuffer(raw, "<u2").reshape(-1, height, width)
    return codes.astype(np.float32) / np.float32(_CODES)
