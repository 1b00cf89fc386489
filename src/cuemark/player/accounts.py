"""From what the engine kept to what the report says."""

from itertools import pairwise

from cuemark.player.engine import Engine
from cuemark.player.manifest import Manifest
from cuemark.player.report import Circumstances, Report, RungShare, Shown
from cuemark.player.source import Source


def report_of(
    engine: Engine,
    manifest: Manifest,
    circumstances: Circumstances,
    *,
    now_s: float,
    caption_cues: dict[str, int],
    source: Source,
    steering_answers: int = 0,
    error: str = "",
) -> Report:
    """The accounts of a play that has ended, at ``now_s`` of the monotonic clock."""
    playhead = engine.playhead
    video = [decoded for kind, decoded in playhead.presented if kind == "video"]
    seconds: dict[str, float] = {}
    kbit = 0.0
    for decoded in video:
        seen_s = playhead.seconds_of(decoded)
        seconds[decoded.rung_id] = seconds.get(decoded.rung_id, 0.0) + seen_s
        kbit += decoded.size_bytes * 8 / 1000 * seen_s / decoded.segment.duration_s
    total_s = sum(seconds.values())
    return Report(
        startup_ms=round((playhead.startup_s or 0.0) * 1000),
        startup_control_ms=round(circumstances.unlocked_after_s * 1000),
        stalls=playhead.stalls,
        stall_ms=round(playhead.stalled_for_s(now_s) * 1000),
        mean_bitrate_kbps=round(kbit / total_s, 1) if total_s else 0.0,
        switches=sum(1 for before, after in pairwise(video) if before.rung_id != after.rung_id),
        frames=playhead.frames,
        decode_errors=engine.decode_errors,
        appliances=playhead.appliances(),
        resumed_from_s=round(circumstances.resumed_from_s, 3),
        title_id=circumstances.title_id,
        session_id=circumstances.session_id,
        version_id=circumstances.version_id,
        quality=circumstances.quality,
        format=circumstances.format,
        started_at_s=round(circumstances.started_at_s, 3),
        seconds_played=round(playhead.played_s, 3),
        duration_s=round(manifest.duration_s, 3),
        audio_segments=sum(1 for kind, _ in playhead.presented if kind == "audio"),
        audio=circumstances.audio,
        audio_track=next((each.rung_id for each in manifest.audio), ""),
        audios=circumstances.audios,
        codec=circumstances.codec,
        dynamic_range=circumstances.dynamic_range,
        caption_cues=caption_cues,
        rungs=[
            RungShare(
                rung_id=rung.rung_id,
                width=rung.width,
                height=rung.height,
                bitrate_kbps=round(rung.bandwidth_kbps, 1),
                seconds=round(seconds.get(rung.rung_id, 0.0), 3),
                share=round(seconds.get(rung.rung_id, 0.0) / total_s, 4) if total_s else 0.0,
            )
            for rung in manifest.video
        ],
        timeline=[
            Shown(
                at_s=round(decoded.segment.start_s, 3),
                rung_id=decoded.rung_id,
                appliance_id=decoded.appliance_id,
            )
            for decoded in video
        ],
        stalled_at_s=[round(at_s, 3) for at_s in playhead.stalled_at_s],
        segments_by_appliance=playhead.segments_by_appliance(),
        appliance_failures=source.failures,
        left=source.left,
        wrong_digests=source.wrong_digests,
        hedged_requests=source.hedged,
        refetched_segments=engine.refetched,
        abandoned_downloads=engine.abandoned,
        trace_id=circumstances.trace_id,
        error=error,
        moves=source.moves,
        steering_answers=steering_answers,
    )
