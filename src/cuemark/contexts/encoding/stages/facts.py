"""What is to be known of a master and of a version's tracks to validate them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuemark.contexts.encoding.model import bounds, loudness
from cuemark.contexts.encoding.model.loudness import Loudness, NotMeasured
from cuemark.contexts.encoding.model.validation import pictures as picture_rules
from cuemark.contexts.encoding.model.validation import sound as sound_rules
from cuemark.contexts.encoding.model.validation.color import Tagged, Tags
from cuemark.contexts.encoding.model.validation.findings import Finding
from cuemark.contexts.encoding.model.validation.flashes import Flashes
from cuemark.contexts.encoding.model.validation.pictures import HEIGHT, WIDTH, Luma, Trace
from cuemark.contexts.encoding.model.validation.sound import Levels
from cuemark.contexts.encoding.stages.pictures import decoding, film_of, told_apart
from cuemark.contexts.encoding.stages.workshop import Workshop, save
from cuemark.contexts.encoding.tools import comparing, ffprobe
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.comparing import TINY_BYTES
from cuemark.contexts.encoding.tools.run import ToolFailed, read_frames, run
from cuemark.contracts.encoding.versions import DynamicRange
from cuemark.kit.errors import UNREADABLE

_PICTURES, _SOUND, _OWN = "pictures.raw", "levels-%d.raw", "own.json"
_RAW = "sound-%d.raw"
_AT_ONCE = 512


class Own(msgspec.Struct, frozen=True):
    """What the master itself is."""

    findings: list[Finding]


class MasterFacts:
    """A master's tiny pictures, the levels of its sounds by their streams, and what was found in
    it alone."""

    def __init__(self, shop: Workshop, key: str, film: Film) -> None:
        raw = np.memmap(shop.path(key, _PICTURES), dtype=np.uint8, mode="r")
        self.pictures: Luma = raw.reshape(-1, HEIGHT, WIDTH)
        self.levels: dict[int, Levels] = {
            each.stream: np.fromfile(shop.path(key, _SOUND % each.stream), np.float32)
            for each in film.master.sounds
        }
        self.findings = shop.load(key, _OWN, Own).findings


def facts_of_master(shop: Workshop, sha256: str) -> MasterFacts:
    """Read the master once; another version made of it finds the result."""
    film = film_of(shop, sha256)
    key = shop.key(
        *("master facts", sha256, "sounds"),
        *(WIDTH, HEIGHT, sound_rules.RATE_HZ, sound_rules.HOP_S, sound_rules.FLOOR_DB),
        *told_apart(film),
    )
    if not shop.has(key):
        with shop.making(key) as folder:
            _keep_pictures(shop, film, folder)
            _keep_levels(shop, film, folder)
    return MasterFacts(shop, key, film)


def _keep_pictures(shop: Workshop, film: Film, folder: Path) -> None:
    rate = float(film.master.picture.rate)
    flashes = Flashes(rate)
    steps, lumas, peaks = [], [], []
    before: NDArray[np.int16] | None = None
    argv = comparing.master_pictures_argv(shop.programs.ffmpeg, film)
    left = film.master.frames
    with (folder / _PICTURES).open("wb") as kept:
        for block in _blocks(shop, argv, film, film.reads):
            pictures = block[:left]
            left -= len(pictures)
            kept.write(pictures.tobytes())
            if not len(pictures):
                continue
            coarse = picture_rules.coarse(pictures)
            flashes.add(coarse)
            whole = coarse.astype(np.int16)
            first = whole[:1] if before is None else before[np.newaxis]
            steps.append(np.abs(np.diff(whole, axis=0, prepend=first)).mean(axis=(1, 2)))
            lumas.append(whole.mean(axis=(1, 2)))
            peaks.append(whole.max(axis=(1, 2)))
            before = whole[-1]
    if left:
        raise ToolFailed(f"only {film.master.frames - left} frames of the master can be decoded")
    own = picture_rules.own_findings(
        np.concatenate(steps).astype(np.float32),
        np.concatenate(lumas).astype(np.float32),
        np.concatenate(peaks).astype(np.float32),
        rate,
    )
    save(folder, _OWN, Own([*own, *flashes.findings()]))


def _blocks(shop: Workshop, argv: list[str], film: Film, reads: list[Path]) -> Iterator[Luma]:
    limits = decoding(film, film.master.frames)
    for block in read_frames(argv, TINY_BYTES, limits, reads=reads, at_once=_AT_ONCE):
        frames = np.frombuffer(block, np.uint8).reshape(-1, TINY_BYTES)
        yield frames[:, : WIDTH * HEIGHT].reshape(-1, HEIGHT, WIDTH)


def _keep_levels(shop: Workshop, film: Film, folder: Path) -> None:
    sounds = [(each, folder / (_RAW % each.stream)) for each in film.master.sounds]
    if not sounds:
        return
    run(
        comparing.master_sounds_argv(shop.programs.ffmpeg, film, sounds),
        bounds.sounding(film.path.stat().st_size, len(sounds) * _film_s(film)),
        reads=[film.path],
        folder=folder,
    )
    for sound, raw in sounds:
        _levels_of(raw).tofile(folder / (_SOUND % sound.stream))
        raw.unlink()


def _levels_of(raw: Path) -> Levels:
    return sound_rules.levels(np.fromfile(raw, np.int16))


def _film_s(film: Film) -> float:
    return float(film.master.frames / film.master.picture.rate)


def tags_of(shop: Workshop, file: Path, stream: int) -> Tags:
    """What a stream of a file says of its colors and fields; raises ``ToolFailed``."""
    report = run(
        ffprobe.report_argv(shop.programs.ffprobe, file),
        bounds.reading(file.stat().st_size),
        reads=[file],
    )
    try:
        found = msgspec.json.decode(report.stdout, type=Tagged, strict=False)
    except UNREADABLE as error:
        raise ToolFailed(f"ffprobe's report cannot be read: {error}") from error
    return next((each for each in found.streams if each.index == stream), Tags())


class EncryptedTrack(msgspec.Struct, frozen=True):
    """A track of a version as one file for each crypto period, and the list by which FFmpeg
    decrypts them."""

    files: list[Path]
    listing: Path

    @property
    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.files)


def whole_track(folder: Path, parts: Sequence[tuple[Sequence[Path], str]]) -> EncryptedTrack:
    """Put the files of each crypto period of a track, with their key, together in a private
    folder."""
    keyed, listing = [], folder / "track.ffconcat"
    for number, (paths, key) in enumerate(parts, 1):
        whole = folder / f"track-{number}.mp4"
        with whole.open("wb") as file:
            for path in paths:
                file.write(path.read_bytes())
        keyed.append((whole, key))
    listing.touch(mode=0o600)
    listing.write_text(comparing.track_list(keyed))
    return EncryptedTrack([whole for whole, _ in keyed], listing)


def trace_of(
    shop: Workshop,
    film: Film,
    track: EncryptedTrack,
    master: Luma,
    dynamic_range: DynamicRange = "sdr",
) -> Trace:
    """Decrypt and decode a rendition, and hold each frame against the master's."""
    argv = comparing.track_pictures_argv(shop.programs.ffmpeg, track.listing, film, dynamic_range)
    rows, before, frames = [], None, 0
    for pictures in _blocks(shop, argv, film, [*track.files, track.listing, *film.reads]):
        rows.append(picture_rules.compared(pictures, before, master, frames))
        frames += len(pictures)
        before = pictures[-1]
    if not rows:
        raise ToolFailed("it decodes to no frame")
    return Trace(np.concatenate(rows), frames)


def heard_in(
    shop: Workshop,
    film: Film,
    track: EncryptedTrack,
    channels: int,
    begins_s: float,
    folder: Path,
) -> tuple[Levels, Loudness]:
    """Decrypt and decode a sound track: its levels from the film's beginning, its loudness.

    ``begins_s`` is when its first sample is presented; what comes before 0 is not heard.
    """
    raw = folder / "track.raw"
    printed = run(
        comparing.track_sound_argv(shop.programs.ffmpeg, track.listing, channels, raw),
        bounds.sounding(track.size_bytes, _film_s(film)),
        reads=[*track.files, track.listing],
        folder=folder,
    ).stderr
    try:
        heard = loudness.parse(printed)
    except NotMeasured as error:
        raise ToolFailed(f"the track cannot be measured: {error}") from error
    levels = _levels_of(raw)
    late = round(max(0.0, begins_s) / sound_rules.HOP_S)
    silence = np.full(late, sound_rules.FLOOR_DB, np.float32)
    return np.concatenate([silence, levels]), heard
