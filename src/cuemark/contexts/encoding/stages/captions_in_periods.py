"""Captions in a file for each crypto period, beside the one of the whole film.

DASH has a Period for each crypto period, and counts the times of a sidecar file from the beginning
of its Period.
"""

from fractions import Fraction
from pathlib import Path

import msgspec

from cuemark.contexts.encoding.model.captions.cues import Cue
from cuemark.contexts.encoding.model.captions.webvtt import parse, webvtt
from cuemark.contracts.encoding.versions import CaptionTrack, Version


def captions_of_periods(folder: Path, track: CaptionTrack, version: Version) -> CaptionTrack:
    """Write those of a caption track that is in the folder; the track with what was written."""
    if not version.periods:
        return track
    cues = parse((folder / track.path).read_text(encoding="utf-8")).cues
    begins = [_ms(each.start - version.video_timeline.start, version) for each in version.periods]
    names = []
    (folder / track.track_id).mkdir()
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], None], strict=True), 1):
        names.append(f"{track.track_id}/{number}.vtt")
        (folder / names[-1]).write_text(webvtt(within(cues, begin, end)), encoding="utf-8")
    return msgspec.structs.replace(track, period_paths=names)


def within(cues: list[Cue], begin_ms: int, end_ms: int | None) -> list[Cue]:
    """What is to be seen of the cues in a period, counted from its beginning.

    A cue over a boundary is in both periods.
    """
    found = []
    for cue in cues:
        last_ms = cue.end_ms if end_ms is None else min(cue.end_ms, end_ms)
        first_ms = max(cue.start_ms, begin_ms)
        if first_ms < last_ms:
            moved = {"start_ms": first_ms - begin_ms, "end_ms": last_ms - begin_ms}
            found.append(msgspec.structs.replace(cue, **moved))
    return found


def _ms(ticks: int, version: Version) -> int:
    return round(Fraction(1000 * ticks, version.video_timeline.timescale))
