"""I-frames on their way into a version: byte ranges of the segments there are, and digests."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cuemark.contexts.encoding.model import playlists
from cuemark.contexts.encoding.model.boxes import FirstSample, first_sample
from cuemark.contexts.encoding.stages.digests import digests_sha256, write_digests
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contracts.encoding import IFrames, Rendition, Timeline
from cuemark.contracts.licensing import ContentKey


def add(folder: Path, rendition: Rendition, segments: Timeline, key: ContentKey) -> IFrames:
    """Write the I-frame playlist of a rendition in a version's folder, and describe it."""
    name = rendition.rendition_id
    track_id = f"{name}.iframes"
    paths = segments_of(folder / name)
    frames = [first_sample(path.read_bytes()) for path in paths]
    timeline = playlists.iframe_timeline(frames, segments)
    (folder / f"{track_id}.m3u8").write_text(
        playlists.iframes_playlist(name, frames, timeline, key.kid, key.iv)
    )
    write_digests(folder, track_id, _parts(folder / name / "init.mp4", paths, frames))
    mean_kbps, peak_kbps = playlists.bitrates_kbps([each.size_bytes for each in frames], timeline)
    return IFrames(
        track_id=track_id,
        bitrate_kbps=round(mean_kbps, 1),
        peak_bitrate_kbps=round(peak_kbps, 1),
        digests_sha256=digests_sha256(folder, track_id),
    )


def _parts(init: Path, paths: Sequence[Path], frames: Sequence[FirstSample]) -> Iterator[bytes]:
    yield init.read_bytes()
    for path, frame in zip(paths, frames, strict=True):
        with path.open("rb") as file:
            file.seek(frame.offset)
            yield file.read(frame.size_bytes)
