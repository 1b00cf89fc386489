"""The stages of the tracks beside the picture: sound and captions."""

from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model import bounds, loudness
from cuemark.contexts.encoding.model.captions import checks, reading
from cuemark.contexts.encoding.model.captions.cues import MAX_BYTES, CaptionsInvalid
from cuemark.contexts.encoding.model.captions.imsc import imsc
from cuemark.contexts.encoding.model.captions.webvtt import webvtt
from cuemark.contexts.encoding.model.names import captions_name
from cuemark.contexts.encoding.stages.pictures import film_of
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import ffmpeg
from cuemark.contexts.encoding.tools.run import ToolFailed, run
from cuemark.contracts.encoding import CaptionRole, MasterRejected

SOUND = "sound.mp4"
CAPTIONS = "captions.vtt"
IMSC = "captions.ttml"
FINDINGS = "findings.json"


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


class CaptionFindings(msgspec.Struct, frozen=True):
    """What is odd about captions that are shown all the same; each follows their name."""

    warnings: list[str]


def convert_captions(
    shop: Workshop, language: str, sha256: str, role: CaptionRole, film_ms: int
) -> str:
    """A caption file as WebVTT and as IMSC, with what was found; returns the result's key.

    ``film_ms`` is how long the film lasts. Raises ``MasterRejected``.
    """
    key = shop.key("captions", sha256, language, role, film_ms)
    if shop.has(key):
        return key
    name = captions_name(language, role)
    try:
        captions = reading.read(_bounded(shop.master(sha256)))
    except CaptionsInvalid as error:
        raise MasterRejected(f"the captions in {name} cannot be read: {error}") from error
    found = checks.findings(captions, language, role, film_ms)
    for finding in found:
        if finding.severity == "block":
            raise MasterRejected(f"the captions in {name} cannot be shown: {finding.text}")
    with shop.making(key) as folder:
        (folder / CAPTIONS).write_text(webvtt(captions.cues), encoding="utf-8")
        (folder / IMSC).write_text(imsc(captions.cues, language, role), encoding="utf-8")
        save(folder, FINDINGS, CaptionFindings([finding.text for finding in found]))
    return key


def _bounded(path: Path) -> bytes:
    """The file's bytes, with one more than is allowed where it is too long."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)
