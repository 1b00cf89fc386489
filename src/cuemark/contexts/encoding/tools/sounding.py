"""FFmpeg's command lines for sound: the canonical sound, measured, encoded and measured again.

The canonical sound begins with the first frame, has a constant rate and floating point samples:
whatever a mix or a gain makes of them, nothing clips before its peaks are held.
"""

from collections.abc import Sequence
from pathlib import Path

from cuemark.contexts.encoding.model import loudness, mixing
from cuemark.contexts.encoding.model.mixing import Mix
from cuemark.contexts.encoding.model.sound import Sound, SoundRecipe
from cuemark.contexts.encoding.tools.canonical import Film
from cuemark.contexts.encoding.tools.ffmpeg import BITEXACT, FILM, ONLY_FILES, QUIET

MOST_ERRORS = 0.1
"""Of the packets of a sound, those that need not decode; above it, FFmpeg ends with an error."""
_SAYING = ["-nostdin", "-hide_banner", "-v", "info", "-nostats"]
_ENCODERS = {"aac": "aac", "opus": "libopus", "eac3": "eac3"}


def loudness_argv(ffmpeg: Path, film: Film, sound: Sound, mix: Mix, duration_s: float) -> list[str]:
    """The first pass, over what is heard of a mix: the measurement goes to stderr."""
    chain = f"{canonical(sound, mix)},atrim=end={duration_s:.6f},{loudness.measuring()}"
    return [
        *[str(ffmpeg), *_SAYING, "-max_error_rate", str(MOST_ERRORS)],
        *["-threads", "1", *FILM, "-i", str(film.path)],
        *["-map", f"0:{sound.stream}", "-vn", "-af", chain, "-f", "null", "-"],
    ]


def sound_argv(
    ffmpeg: Path,
    film: Film,
    sound: Sound,
    outputs: Sequence[tuple[SoundRecipe, str, Path]],
    duration_s: float,
) -> list[str]:
    """The second pass: each recipe with the filters that normalize its mix, from one decoding.

    As long as the picture, from its first frame on.
    """
    labels = "".join(f"[s{number}]" for number in range(len(outputs)))
    graph = [f"[0:{sound.stream}]asplit={len(outputs)}{labels}"]
    arguments: list[str] = []
    for number, (recipe, normalize, target) in enumerate(outputs):
        chain = f"{canonical(sound, recipe.mix)},{normalize},apad,atrim=end={duration_s:.6f}"
        graph.append(f"[s{number}]{chain}[o{number}]")
        arguments += ["-map", f"[o{number}]", "-c:a", _ENCODERS[recipe.codec]]
        arguments += ["-b:a", f"{recipe.bitrate_kbps}k", *_said_loudness(recipe)]
        arguments += [*BITEXACT, "-flags:a", "+bitexact", str(target)]
    return [
        *[str(ffmpeg), *QUIET, "-filter_complex_threads", "1", "-threads", "1"],
        *[*FILM, "-i", str(film.path), "-filter_complex", ";".join(graph), *arguments],
    ]


def _said_loudness(recipe: SoundRecipe) -> list[str]:
    """What a decoder of E-AC-3 sets its level by (dialnorm, ETSI TS 102 366 section 4.4.2.8)."""
    return ["-dialnorm", f"{loudness.TARGET_LUFS:.0f}"] if recipe.codec == "eac3" else []


def heard_argv(ffmpeg: Path, track: Path) -> list[str]:
    """Measure what was encoded, as a player decodes it: the measurement goes to stderr."""
    return [
        *[str(ffmpeg), *_SAYING, "-threads", "1", *ONLY_FILES, "-i", str(track)],
        *["-map", "0:a:0", "-af", loudness.measuring(), "-f", "null", "-"],
    ]


def canonical(sound: Sound, mix: Mix) -> str:
    """The filters that make the canonical sound in a mix: from the first frame on."""
    lead = f",atrim=start={sound.lead_s:.6f},asetpts=PTS-STARTPTS" if sound.lead_s else ""
    return (
        f"aresample={loudness.SAMPLE_RATE_HZ}:async=1:first_pts=0:osf=fltp{lead},"
        f"{mixing.mixing(sound.layout, mix)}"
    )
