"""Tracks on their way into a version: CMAF segments, encrypted, and decrypted again.

Where keys change, a film is first packaged in the clear and cut where its crypto periods begin;
then each part of a track is encrypted by a run of its own, since Shaka Packager's own rotation is
of key ids alone and for tests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model import bounds, boxes, crypto_periods
from cuemark.contexts.encoding.model.crypto_periods import Keyed, PeriodsDiffer, init_name
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools import packager
from cuemark.contexts.encoding.tools.decoding import Content, Kind, content_of, samples_of
from cuemark.contexts.encoding.tools.packager import Stream
from cuemark.contexts.encoding.tools.run import ToolFailed, run
from cuemark.contracts.encoding.versions import Timeline
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import Scheme

KeysFor = Callable[[int], Sequence[ContentKey]]
"""Gives the content keys of so many crypto periods."""


@dataclass(frozen=True)
class Encrypted:
    """The tracks of a version's folder, by their ids: timelines, the samples in the clear, and the
    keys with where they begin. ``keys`` are by period and label."""

    keys: Mapping[tuple[int, str], ContentKey]
    timelines: dict[str, Timeline] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    keyed: dict[str, list[Keyed]] = field(default_factory=dict)

    @property
    def periods(self) -> int:
        return 1 + max(period for period, _ in self.keys)


def encrypt(
    shop: Workshop,
    folder: Path,
    tracks: Sequence[Stream],
    keys_for: KeysFor,
    scheme: Scheme,
    crypto_period_s: float = 0,
) -> Encrypted:
    """Put the encrypted tracks into ``folder``; each decrypts to what it was made of."""
    if crypto_period_s:
        with shop.scratch() as private:
            parts = _parted(shop, private, tracks, crypto_period_s)
            made = _encrypted(keys_for(len(parts[tracks[0].track_id])))
            _encrypt_parts(shop, private, folder, tracks, parts, made, scheme)
    else:
        made = _encrypted(keys_for(1))
        _package(shop, folder, tracks, made, 0, scheme)
        for stream in tracks:
            track, key = folder / stream.track_id, made.keys[0, stream.label]
            content = _round_trip(shop, [track / "init.mp4", *segments_of(track)], stream, key)
            made.contents[stream.track_id] = content
            made.keyed[stream.track_id] = [Keyed(1, init_name(0), key)]
    for stream in tracks:
        keyed = made.keyed[stream.track_id]
        made.timelines[stream.track_id] = timeline_of(folder / stream.track_id, keyed[1:])
    return made


def _encrypted(keys: Sequence[ContentKey]) -> Encrypted:
    return Encrypted({(key.period, key.label): key for key in keys})


def _package(
    shop: Workshop,
    folder: Path,
    tracks: Sequence[Stream],
    made: Encrypted,
    period: int,
    scheme: Scheme,
) -> None:
    for label in sorted({stream.label for stream in tracks}):
        streams = [stream for stream in tracks if stream.label == label]
        for together, first_iv in packager.runs(streams, scheme):
            _package_streams(shop, folder, together, made.keys[period, label], scheme, first_iv)


def _package_streams(
    shop: Workshop,
    folder: Path,
    streams: Sequence[Stream],
    key: ContentKey,
    scheme: Scheme,
    first_iv: str,
) -> None:
    with shop.objects.scratch() as private:
        flags = private / "keys.flags"
        flags.touch(mode=0o600)
        flags.write_text(packager.key_flags(key, first_iv))
        argv = packager.package_argv(shop.programs.packager, streams, flags, scheme)
        _run(folder, streams, argv, [flags])
    for stream in streams:
        init = folder / stream.track_id / "init.mp4"
        written = boxes.timeless(init.read_bytes())
        if stream.light is not None:
            written = boxes.with_light(written, *stream.light)
        init.write_bytes(written)


def _run(
    folder: Path, streams: Sequence[Stream], argv: list[str], reads: Sequence[Path] = ()
) -> None:
    sources = [stream.source for stream in streams]
    size_bytes = sum(source.stat().st_size for source in sources)
    run(argv, bounds.reading(size_bytes), reads=[*sources, *reads], folder=folder)
    (folder / "packager.mpd").unlink()


def _parted(
    shop: Workshop, private: Path, tracks: Sequence[Stream], crypto_period_s: float
) -> dict[str, list[Path]]:
    """Each track in the clear, a file for each crypto period."""
    clear = private / "clear"
    clear.mkdir()
    pictures = [stream for stream in tracks if stream.kind == "video"]
    _run(clear, pictures, packager.clear_argv(shop.programs.packager, pictures))
    timelines = [timeline_of(clear / stream.track_id) for stream in pictures]
    if any(timeline != timelines[0] for timeline in timelines):
        raise ToolFailed("the segments of the renditions do not align")
    cuts = crypto_periods.cuts(timelines[0], crypto_period_s)
    starts = crypto_periods.starts_of(timelines[0], cuts[1:])
    boundaries = [Fraction(start, timelines[0].timescale) for start in starts]
    firsts = {stream.track_id: cuts for stream in pictures}
    for stream in tracks:
        if stream.kind == "audio":
            firsts[stream.track_id] = [0, *_cut_sound(shop, private, clear, stream, boundaries)]
    parts: dict[str, list[Path]] = {}
    for stream in tracks:
        track, first = clear / stream.track_id, firsts[stream.track_id]
        segments = segments_of(track)
        parts[stream.track_id] = []
        for number, (begin, end) in enumerate(
            zip(first, [*first[1:], len(segments)], strict=True), 1
        ):
            part = track / f"period-{number}.mp4"
            _join(part, [track / "init.mp4", *segments[begin:end]])
            parts[stream.track_id].append(part)
    return parts


def _cut_sound(
    shop: Workshop, private: Path, clear: Path, stream: Stream, boundaries: Sequence[Fraction]
) -> list[int]:
    """Package a sound in the clear with a segment for each of ``boundaries``; those segments.

    How long its frames are, it tells only when it is packaged.
    """
    probe = private / "probe"
    probe.mkdir(exist_ok=True)
    programs = shop.programs
    _run(probe, [stream], packager.clear_argv(programs.packager, [stream]))
    init = init_of((probe / stream.track_id / "init.mp4").read_bytes())
    frame = init.trex_duration
    cues = crypto_periods.sound_cues(boundaries, frame, init.timescale)
    _run(clear, [stream], packager.clear_argv(programs.packager, [stream], cues))
    try:
        timeline = crypto_periods.presented(timeline_of(clear / stream.track_id), init.shift)
        return crypto_periods.sound_cuts(timeline, boundaries, frame)
    except PeriodsDiffer as error:
        raise ToolFailed(
            f"{stream.track_id} cannot be cut where its keys change: {error}"
        ) from error


def _encrypt_parts(
    shop: Workshop,
    private: Path,
    folder: Path,
    tracks: Sequence[Stream],
    parts: Mapping[str, Sequence[Path]],
    made: Encrypted,
    scheme: Scheme,
) -> None:
    """Encrypt each part with the keys of its period, and number the segments through the film."""
    contents: dict[str, list[Content]] = {stream.track_id: [] for stream in tracks}
    for period in range(made.periods):
        work = private / f"period-{period + 1}"
        work.mkdir()
        pieces = [
            msgspec.structs.replace(stream, source=parts[stream.track_id][period])
            for stream in tracks
        ]
        _package(shop, work, pieces, made, period, scheme)
        for piece in pieces:
            track, key = work / piece.track_id, made.keys[period, piece.label]
            segments = segments_of(track)
            content = _round_trip(shop, [track / "init.mp4", *segments], piece, key)
            contents[piece.track_id].append(content)
            target = folder / piece.track_id
            target.mkdir(exist_ok=True)
            before = len(segments_of(target))
            keyed = made.keyed.setdefault(piece.track_id, [])
            keyed.append(Keyed(before + 1, init_name(period), key))
            (track / "init.mp4").rename(target / init_name(period))
            for number, segment in enumerate(segments, before + 1):
                segment.rename(target / f"{number}.m4s")
    for stream in tracks:
        whole = content_of(stream.source, stream.kind)
        if [each for part in contents[stream.track_id] for each in part.samples] != whole.samples:
            raise ToolFailed(f"the periods of {stream.track_id} are not the whole of it")
        made.contents[stream.track_id] = whole


def timeline_of(folder: Path, later: Sequence[Keyed] = ()) -> Timeline:
    """When the segments of a packaged track are; raises ``ToolFailed`` where there is a gap.

    ``later`` are its crypto periods after the first; where there are such, times are those of
    presentation, which an edit list may set apart from those of the first period's segments.
    """
    begins = {each.first: each.init for each in later}
    first = (folder / "init.mp4").read_bytes()
    shift, trex = init_of(first).shift, boxes.default_duration(first)
    back, at = shift if later else 0, 0
    durations: list[int] = []
    start: int | None = None
    for number, path in enumerate(segments_of(folder), 1):
        if number in begins:
            back = init_of((folder / begins[number]).read_bytes()).shift
        begin, ticks = boxes.segment_span(path.read_bytes(), trex)
        start = begin if start is None else start
        if begin - back != (at if durations else start - back):
            raise ToolFailed(f"there is a gap before a segment of {folder.name}")
        at = begin - back + ticks
        durations.append(ticks)
    assert start is not None
    timeline = Timeline(timescale=boxes.timescale(first), start=start, durations=durations)
    return crypto_periods.presented(timeline, shift) if later else timeline


def _round_trip(shop: Workshop, files: Sequence[Path], stream: Stream, key: ContentKey) -> Content:
    """Decrypt what was encrypted and compare every sample; refuse a difference."""
    content = content_of(stream.source, stream.kind)
    if decrypted(shop, files, stream.kind, key) != content:
        raise ToolFailed(f"{stream.track_id} does not decrypt to what was encrypted")
    return content


def decrypted(shop: Workshop, files: Sequence[Path], kind: Kind, key: ContentKey) -> Content:
    """What an init segment and the media segments that need it hold under ``key``."""
    with shop.objects.scratch() as private:
        whole = private / "whole.mp4"
        _join(whole, files)
        return content_of(whole, kind, key.key)


def decrypted_samples(
    shop: Workshop, files: Sequence[Path], kind: Kind, key: ContentKey
) -> list[str]:
    """The hashes of those samples alone."""
    with shop.objects.scratch() as private:
        whole = private / "whole.mp4"
        _join(whole, files)
        return samples_of(whole, kind, key.key)


def _join(target: Path, parts: Sequence[Path]) -> None:
    with target.open("wb") as file:
        for part in parts:
            file.write(part.read_bytes())
