"""The stages of the tracks beside the picture: sound and captions."""

from pathlib import Path

from cuemark.contexts.encoding.model import bounds, loudness
from cuemark.contexts.encoding.model import captions as caption_rules
from cuemark.contexts.encoding.stages.pictures import film_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools import ffmpeg
from cuemark.contexts.encoding.tools.run import ToolFailed, run
from cuemark.contracts.encoding import MasterRejected

SOUND = "sound.mp4"
CAPTIONS = "captions.vtt"


def encode_sound(shop: Workshop, sha256: str) -> str:
    """The film's sound at its target loudness, as long as the picture. Returns the key."""
    key = shop.key("sound", sha256, loudness.TARGET_LUFS, loudness.BITRATE_KBPS)
    if shop.has(key):
        return key
    film = film_of(shop, sha256)
    sound = film.master.sound
    if sound is None:
        raise ValueError("the film has no sound to encode")
    duration_s = float(film.master.frames / film.master.picture.rate)
    limits = bounds.sounding(film.path.stat().st_size, duration_s)
    with shop.making(key) as folder:
        printed = run(
            ffmpeg.loudness_argv(shop.programs.ffmpeg, film, sound, duration_s),
            limits,
            reads=[film.path],
        )
        try:
            measured = loudness.parse(printed.stderr)
        except loudness.NotMeasured as error:
            raise ToolFailed(f"the sound cannot be measured: {error}") from error
        run(
            ffmpeg.sound_argv(
                shop.programs.ffmpeg,
                film,
                sound,
                loudness.second_pass(measured),
                duration_s,
                folder / SOUND,
            ),
            limits,
            reads=[film.path],
            folder=folder,
        )
    return key


def convert_captions(shop: Workshop, language: str, sha256: str) -> str:
    """A caption file as WebVTT; raises ``MasterRejected``. Returns the result's key."""
    key = shop.key("captions", sha256)
    if shop.has(key):
        return key
    try:
        cues = caption_rules.parse(caption_rules.decode(_bounded(shop.master(sha256))))
    except caption_rules.CaptionsInvalid as error:
        raise MasterRejected(f"the captions in {language} cannot be read: {error}") from error
    with shop.making(key) as folder:
        (folder / CAPTIONS).write_text(caption_rules.webvtt(cues), encoding="utf-8")
    return key


def _bounded(path: Path) -> bytes:
    """The file's bytes, with one more than is allowed where it is too long."""
    with path.open("rb") as file:
        return file.read(caption_rules.MAX_BYTES + 1)
