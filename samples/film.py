"""What a demo film is: as a recipe, before it is rendered, and as files, after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLE_RATE_HZ = 48_000
MASTER_SIZE = (1280, 720)

Sound = NDArray[np.float32]
Draw = Callable[[float], Image.Image]


@dataclass(frozen=True)
class Film:
    """A rendered film. ``captions`` maps BCP 47 languages to SRT or WebVTT files."""

    name: str
    synopsis: str
    path: Path
    captions: dict[str, Path]


@dataclass(frozen=True)
class Shot:
    """One shot between two hard cuts.

    ``stage`` is called once, when the shot begins, with a generator of its own; it returns the
    function that draws the picture at a time in seconds since the shot began.
    """

    seconds: float
    stage: Callable[[np.random.Generator], Draw]


@dataclass(frozen=True)
class Cue:
    """One caption: from ``start_s`` to ``end_s``, its text by BCP 47 language."""

    start_s: float
    end_s: float
    text: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a film is made.

    ``size`` is what the shots draw; the master is scaled up from it. ``repeat`` holds each
    drawing for so many frames (2 looks like stop motion). ``grain`` is the strength of FFmpeg's
    temporal noise, laid on before scaling. ``score`` gives stereo sound of shape (samples, 2)
    in [-1, 1] for a length in seconds.
    """

    slug: str
    name: str
    synopsis: str
    container: Literal["mp4", "mov", "mkv"]
    frame_rate: int
    size: tuple[int, int]
    shots: tuple[Shot, ...]
    score: Callable[[np.random.Generator, float], Sound]
    cues: tuple[Cue, ...]
    caption_format: Literal["srt", "vtt"]
    mode: Literal["RGB", "L"] = "RGB"
    repeat: int = 1
    grain: int = 0

    @property
    def frame_count(self) -> int:
        return sum(self.frames_of(shot) for shot in self.shots)

    @property
    def duration_s(self) -> float:
        return self.frame_count / self.frame_rate

    def frames_of(self, shot: Shot) -> int:
        """The frames of a shot: whole ones, so that every cut falls on a frame."""
        return round(shot.seconds * self.frame_rate)

    def generator(self, part: int) -> np.random.Generator:
        """The random generator of one part of the film: the same at every rendering."""
        return np.random.default_rng([*self.slug.encode(), part])

    def frames(self) -> Iterator[Image.Image]:
        """Every frame of the film in order."""
        for number, shot in enumerate(self.shots):
            draw = shot.stage(self.generator(number))
            for index in range(self.frames_of(shot)):
                if index % self.repeat == 0:
                    picture = draw(index / self.frame_rate)
                yield picture

    def sound(self) -> Sound:
        """The sound of the whole film, as long as its picture."""
        length = round(self.duration_s * SAMPLE_RATE_HZ)
        sound = self.score(self.generator(len(self.shots)), self.duration_s)[:length]
        return np.pad(sound, ((0, length - len(sound)), (0, 0)))
