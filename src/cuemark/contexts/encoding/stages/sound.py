"""Sound: the master's first track as stereo AAC at the loudness of R 128."""

from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model import loudness
from cuemark.contexts.encoding.stages.survey import Survey, film_of
from cuemark.contexts.encoding.stages.work import Bench
from cuemark.contexts.encoding.tools import ffmpeg
from cuemark.contexts.encoding.tools.run import run

_FILE = "sound.mp4"


class EncodedSound(msgspec.Struct, frozen=True):
    """``file`` is an object key; empty where the master is silent."""

    file: str
    language: str


def encode_sound(bench: Bench, survey: Survey) -> EncodedSound:
    """Measure, then normalize and encode; a master without sound gives an empty ``file``."""
    sound = survey.master.sound
    if sound is None:
        return EncodedSound("", "und")
    key = bench.key("sound", survey.key)

    def make(result: Path) -> EncodedSound:
        film = film_of(bench, survey)
        program = bench.programs.ffmpeg
        measured = loudness.parse(run(ffmpeg.loudness_argv(program, film, sound)).stderr)
        normalize = loudness.second_pass(measured)
        target = result / _FILE
        run(ffmpeg.sound_argv(program, film, sound, normalize, survey.duration_s, target))
        return EncodedSound(f"work/{key}/{_FILE}", sound.language)

    return bench.once(key, EncodedSound, make)
