"""Shaka Packager's command line. The key goes in a file of flags: a command line is public."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Literal

import msgspec

from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import Scheme

VIDEO_SLOT_S, AUDIO_SLOT_S = 1, 2
"""A segment begins at the first IDR in each slot, so pictures have segments of 1 to 3 s."""


class Stream(msgspec.Struct, frozen=True):
    """One file to package: its files go to the folder ``track_id`` of the working folder.

    ``light`` are the bodies of ``mdcv`` and ``clli`` of pictures of high dynamic range.
    """

    track_id: str
    source: Path
    kind: Literal["video", "audio"]
    label: str
    light: tuple[bytes, bytes] | None = None


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
    return [
        str(packager),
        *[f"{_described(stream)},drm_label={stream.label}" for stream in streams],
        *[f"--flagfile={flags}", "--enable_raw_key_encryption"],
        *["--protection_scheme", scheme, "--clear_lead", "0"],
        *_cutting(streams),
    ]


def clear_argv(
    packager: Path, streams: Sequence[Stream], cues_s: Sequence[Fraction] = ()
) -> list[str]:
    """The same in the clear, to be encrypted in parts; cut at ``cues_s``, too, as cues of an
    advertisement are."""
    cues = ";".join(f"{float(cue):.9f}" for cue in cues_s)
    return [
        *[str(packager), *map(_described, streams), *_cutting(streams)],
        *(["--ad_cues", cues] if cues else []),
    ]


def _described(stream: Stream) -> str:
    return (
        f"in={stream.source},stream={stream.kind},init_segment={stream.track_id}/init.mp4,"
        f"segment_template={stream.track_id}/$Number$.m4s"
    )


def _cutting(streams: Sequence[Stream]) -> list[str]:
    """How to cut, on one thread and with no cache for each file.

    Packager 3.8 starts a thread for each stream and then waits for one to end, for ever where all
    had ended before (``JobManager::RunJobs``). Its caches of 32 MiB, filled with zeros for each
    file it opens, took ten times the CPU of the work itself, and more memory than a tool may have
    where twenty streams met.
    """
    slot_s = AUDIO_SLOT_S if streams[0].kind == "audio" else VIDEO_SLOT_S
    return [
        *["--segment_duration", str(slot_s), "--fragment_duration", str(slot_s)],
        *["--segment_sap_aligned=true", "--fragment_sap_aligned=true"],
        *["--generate_static_live_mpd", "--mpd_output", "packager.mpd", "--quiet"],
        *["--single_threaded", "--io_cache_size", "0"],
    ]


def key_flags(key: ContentKey, first_iv: str = "") -> str:
    """The text of the file of flags for the streams of one key; ``first_iv`` is as in ``runs``."""
    iv = first_iv or key.iv
    return f"--keys=label={key.label}:key_id={key.kid}:key={key.key}\n--iv={iv}\n"
