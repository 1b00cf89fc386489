"""What the stages that look at a master found out is in one typed report."""

from pathlib import Path

import pytest

from cuemark.contexts.encoding.model.sound import EVERYWHERE
from cuemark.contexts.encoding.stages import inspections, pictures, sounds
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.programs import from_wheels
from cuemark.contracts.encoding.inspections import Inspection
from cuemark.kit.objects import Objects
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.conftest import RATE, SHOT_FRAMES, SHOTS, keep


def inspected(shop: Workshop, path: Path) -> Inspection:
    sha256 = keep(shop, path)
    pictures.inspect(shop, sha256)
    pictures.find_shots(shop, sha256)
    return inspections.inspection_of(shop, sha256)


def test_a_film_is_told_with_its_shots_and_a_sound_that_was_not_measured(
    clip: Path, tmp_path: Path
) -> None:
    found = inspected(Workshop(Objects(tmp_path / "objects"), from_wheels()), clip)
    assert (found.codec, found.width, found.height) == ("h264", 256, 144)
    assert (found.frames, found.frame_rate) == (SHOTS * SHOT_FRAMES, f"{RATE}/1")
    assert found.duration_s == SHOTS * SHOT_FRAMES / RATE
    assert (found.shots, found.longest_shot_s) == (SHOTS, SHOT_FRAMES / RATE)
    assert (found.cadence, found.repeats_every, found.fields) == ("even", 0, "")
    assert (found.dynamic_range, found.bit_depth, found.full_range) == ("sdr", 8, None)
    assert found.spatial > 10
    assert found.temporal > 1
    (sound,) = found.sounds
    assert (sound.language, sound.layout, sound.role) == ("de", "mono", "main")
    assert (sound.lufs, sound.peak_dbtp) == (None, None)


def test_each_sound_is_told_as_loud_as_the_master_has_it(shop: Workshop, tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    ffmpeg(
        ["-f", "lavfi", "-i", "testsrc2=s=192x108:r=25:d=4"],
        ["-f", "lavfi", "-i", "sine=frequency=1000:duration=4,volume=-12dB"],
        ["-f", "lavfi", "-i", "anullsrc=cl=5.1:d=4", "-map", "0", "-map", "1", "-map", "2"],
        ["-metadata:s:a:1", "language=fra", "-c:v", "libx264", "-c:a", "flac", str(path)],
    )
    sha256 = keep(shop, path)
    pictures.inspect(shop, sha256)
    pictures.find_shots(shop, sha256)
    for each in pictures.film_of(shop, sha256).master.sounds:
        sounds.encode_sound(shop, sha256, each.stream, [EVERYWHERE])
    tone, silence = inspections.inspection_of(shop, sha256).sounds
    # A sine of FFmpeg's peaks at -18 dBFS, and one channel goes into two at half of its power. The
    # mean power of a sine lies 3 dB under its peak, that of both channels 3 dB over that of one.
    assert tone.peak_dbtp == pytest.approx(-33, abs=0.3)
    assert tone.lufs == pytest.approx(-33, abs=0.3)
    assert (silence.language, silence.layout, silence.channels) == ("fr", "5.1", 6)
    assert (silence.lufs, silence.peak_dbtp) == (None, None)


@pytest.mark.parametrize(
    ("look", "cadence", "every", "fields"),
    [
        ("fps=30", "even", 5, ""),
        ("fps=48", "even", 2, ""),
        ("tinterlace=interleave_top,fieldorder=tff", "even", 0, "tff"),
        (r"select='not(between(mod(n\,24)\,3\,9))'", "uneven", 0, ""),
    ],
)
def test_the_cadence_of_a_master_is_told(
    shop: Workshop, tmp_path: Path, look: str, cadence: str, every: int, fields: str
) -> None:
    path = tmp_path / "film.mkv"
    flags = ["-flags", "+ildct+ilme"] if fields else []
    ffmpeg(
        ["-f", "lavfi", "-i", "testsrc2=s=256x144:r=24:d=6"],
        ["-vf", f"{look},format=yuv420p", "-fps_mode", "passthrough", "-c:v", "libx264"],
        ["-crf", "6", *flags, str(path)],
    )
    found = inspected(shop, path)
    assert (found.cadence, found.repeats_every, found.fields) == (cadence, every, fields)


def test_what_an_hdr_film_says_of_its_light_is_told(shop: Workshop, tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    tags = "color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    mastering = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
    ffmpeg(
        ["-f", "lavfi", "-i", "testsrc2=s=192x108:r=25:d=1"],
        ["-vf", f"format=yuv420p10le,setparams={tags}", "-c:v", "libx265", "-x265-params"],
        [f"master-display={mastering}:max-cll=900,300:hdr10=1:log-level=error"],
        [str(path)],
    )
    found = inspected(shop, path)
    assert (found.dynamic_range, found.bit_depth, found.primaries) == ("pq", 10, "bt2020")
    assert (found.mastering_peak_cd_m2, found.max_cll, found.max_fall) == (1000, 900, 300)
