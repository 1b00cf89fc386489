"""Shaka Packager's command line. The key goes in a file of flags: a command line is public."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from cuemark.contracts.licensing import ContentKey

VIDEO_SLOT_S, AUDIO_SLOT_S = 1, 2
"""A segment begins at the first IDR in each slot, so pictures have segments of 1 to 3 s."""


class Stream(msgspec.Struct, frozen=True):
    """One file to package: its files go to the folder ``track_id`` of the working folder."""

    track_id: str
    source: Path
    kind: Literal["video", "audio"]
    label: str


def package_argv(packager: Path, streams: Sequence[Stream], flags: Path) -> list[str]:
    """CMAF segments of streams of one kind, cbcs, encrypted from the first sample on."""
    slot_s = AUDIO_SLOT_S if streams[0].kind == "audio" else VIDEO_SLOT_S
    described = [
        f"in={stream.source},stream={stream.kind},init_segment={stream.track_id}/init.mp4,"
        f"segment_template={stream.track_id}/$Number$.m4s,drm_label={stream.label}"
        for stream in streams
    ]
    return [
        *[str(packager), *described, f"--flagfile={flags}", "--enable_raw_key_encryption"],
        *["--protection_scheme", "cbcs", "--clear_lead", "0"],
        *["--segment_duration", str(slot_s), "--fragment_duration", str(slot_s)],
        *["--segment_sap_aligned=true", "--fragment_sap_aligned=true"],
        *["--generate_static_live_mpd", "--mpd_output", "packager.mpd", "--quiet"],
    ]


def key_flags(key: ContentKey) -> str:
    """The text of the file of flags for the streams of one key."""
    return f"--keys=label={key.label}:key_id={key.kid}:key={key.key}\n--iv={key.iv}\n"
