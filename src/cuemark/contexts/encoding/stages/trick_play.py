"""I-frames on their way into a version: a segment for each frame, a playlist, digests."""

from pathlib import Path

from cuemark.contexts.encoding.model import playlists
from cuemark.contexts.encoding.model.iframes import first_frame
from cuemark.contexts.encoding.stages.digests import digests_sha256, write_digests
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contracts.encoding import IFrames, Rendition, Timeline
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import Scheme


def add(
    folder: Path, rendition: Rendition, timeline: Timeline, key: ContentKey, scheme: Scheme
) -> IFrames:
    """Put the first frame of each segment of a rendition beside it, and describe that."""
    name = rendition.rendition_id
    track_id = f"{name}.iframes"
    (folder / track_id).mkdir()
    init = folder / name / "init.mp4"
    begins = init.read_bytes()
    files = []
    for whole, ticks in zip(segments_of(folder / name), timeline.durations, strict=True):
        files.append(folder / track_id / whole.name)
        files[-1].write_bytes(first_frame(whole.read_bytes(), begins, ticks))
    for file, text in playlists.iframes_playlists(track_id, name, timeline, key, scheme).items():
        (folder / file).write_text(text)
    write_digests(folder, track_id, (path.read_bytes() for path in [init, *files]))
    sizes = [path.stat().st_size for path in files]
    mean_kbps, peak_kbps = playlists.bitrates_kbps(sizes, timeline)
    return IFrames(
        track_id=track_id,
        bitrate_kbps=round(mean_kbps, 1),
        peak_bitrate_kbps=round(peak_kbps, 1),
        digests_sha256=digests_sha256(folder, track_id),
    )
