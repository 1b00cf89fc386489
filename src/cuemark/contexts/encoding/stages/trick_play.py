"""I-frames on their way into a version: a segment for each frame, a playlist, digests."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cuemark.contexts.encoding.model import playlists
from cuemark.contexts.encoding.model.crypto_periods import Keyed
from cuemark.contexts.encoding.model.iframes import first_frame
from cuemark.contexts.encoding.stages.digests import digests_sha256, write_digests
from cuemark.contexts.encoding.stages.segments import variants_of
from cuemark.contracts.encoding.versions import IFrames, Rendition, Timeline
from cuemark.contracts.protection import Scheme


def add(
    folder: Path, rendition: Rendition, timeline: Timeline, keys: Sequence[Keyed], scheme: Scheme
) -> IFrames:
    """Put the first frame of each segment of a rendition beside it, and describe that.

    Of a marked rendition they are those of variant a.
    """
    name = rendition.rendition_id
    track_id = f"{name}.iframes"
    (folder / track_id).mkdir()
    # All that is read of it, how long IVs are, is the same in all periods.
    begins = (folder / name / keys[0].init).read_bytes()
    files = []
    segments = zip(variants_of(folder / name), timeline.durations, strict=True)
    for number, ((whole, *_), ticks) in enumerate(segments, 1):
        files.append(folder / track_id / f"{number}.m4s")
        files[-1].write_bytes(first_frame(whole.read_bytes(), begins, ticks))
    for file, text in playlists.iframes_playlists(track_id, name, timeline, keys, scheme).items():
        (folder / file).write_text(text)
    write_digests(folder, track_id, listed(folder, track_id, name, keys))
    sizes = [path.stat().st_size for path in files]
    mean_kbps, peak_kbps = playlists.bitrates_kbps(sizes, timeline)
    return IFrames(
        track_id=track_id,
        bitrate_kbps=round(mean_kbps, 1),
        peak_bitrate_kbps=round(peak_kbps, 1),
        digests_sha256=digests_sha256(folder, track_id),
    )


def listed(folder: Path, track_id: str, with_init: str, keys: Sequence[Keyed]) -> Iterator[bytes]:
    """The files of a track in the order of its digests, which needs the inits of ``with_init``."""
    first, *later = (folder / with_init / each.init for each in keys)
    segments = [path for files in variants_of(folder / track_id) for path in files]
    for path in [first, *segments, *later]:
        yield path.read_bytes()
