"""Shaka Packager's command line. The key goes in a file of flags: a command line is public."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import Scheme

VIDEO_SLOT_S, AUDIO_SLOT_S = 1, 2
"""A segment begins at the first IDR in each slot, so pictures have segments of 1 to 3 s."""


class Stream(msgspec.Struct, frozen=True):
    """One file to package: its files go to the folder ``track_id`` of the working folder."""

    track_id: str
    source: Path
    kind: Literal["video", "audio"]
    label: str


def runs(streams: Sequence[Stream], scheme: Scheme) -> list[tuple[Sequence[Stream], str]]:
    """The runs that package the streams of one key, each with the IV of cenc's first sample (hex).

    cbcs has the constant IV of its key in all streams. cenc counts IVs up from the first one, for
    each stream anew, and two samples must never have the same under one key (ISO/IEC 23001-7
    section 9.2), or they give one another away: so each stream is a run of its own, and its number
    is the upper half of its IVs.
    """
    if scheme == "cbcs":
        return [(streams, "")]
    return [([stream], f"{number:08x}{0:08x}") for number, stream in enumerate(streams, 1)]


def package_argv(
    packager: Path, streams: Sequence[Stream], flags: Path, scheme: Scheme
) -> list[str]:
    """CMAF segments of streams of one kind, encrypted from the first sample on."""
    slot_s = AUDIO_SLOT_S if streams[0].kind == "audio" else VIDEO_SLOT_S
    described = [
        f"in={stream.source},stream={stream.kind},init_segment={stream.track_id}/init.mp4,"
        f"segment_template={stream.track_id}/$Number$.m4s,drm_label={stream.label}"
        for stream in streams
    ]
    return [
        *[str(packager), *described, f"--flagfile={flags}", "--enable_raw_key_encryption"],
        *["--protection_scheme", scheme, "--clear_lead", "0"],
        *["--segment_duration", str(slot_s), "--fragment_duration", str(slot_s)],
        *["--segment_sap_aligned=true", "--fragment_sap_aligned=true"],
        *["--generate_static_live_mpd", "--mpd_output", "packager.mpd", "--quiet"],
    ]


def key_flags(key: ContentKey, first_iv: str = "") -> str:
    """The text of the file of flags for the streams of one key; ``first_iv`` is as in ``runs``."""
    iv = first_iv or key.iv
    return f"--keys=label={key.label}:key_id={key.kid}:key={key.key}\n--iv={iv}\n"
