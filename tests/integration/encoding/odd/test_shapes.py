"""Films of odd shapes and times play with the right frames, upright, and say what was done."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contracts.encoding.jobs import MasterRejected
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.odd.films import (
    FAST,
    FRAMES,
    NUMBERED,
    RATE,
    TONE,
    encoded,
    inspected,
    levels,
    numbered,
    pictures_of,
    shown,
)

ALL = levels(range(FRAMES))
CORNER = "color=black:s={}:r=25,drawbox=w=iw/2:h=ih/2:c=white:t=fill"
"""White where a viewer reads first."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered(tmp_path_factory.mktemp("plain") / "film.mp4")


@pytest.mark.parametrize(
    ("size", "kept"),
    [("321x179", (320, 178)), ("108x192", (108, 192)), ("1280x96", (1280, 96))],
)
def test_any_size_of_a_film_is_cut_to_even_sides(
    shop: Workshop, tmp_path: Path, size: str, kept: tuple[int, int]
) -> None:
    source = NUMBERED.replace("192x108", size)
    film = numbered(tmp_path / "f.mkv", "-pix_fmt", "yuv444p", source=source)
    rung = encoded(shop, film)
    assert shown(rung) == ALL
    assert pictures_of(rung)[0].shape[::-1] == kept


@pytest.mark.parametrize(("size", "says"), [("2x2", "2 by 2"), ("1x1", "1 by 1")])
def test_a_picture_too_small_to_be_a_film_is_refused(
    shop: Workshop, tmp_path: Path, size: str, says: str
) -> None:
    film = tmp_path / "f.mkv"
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc=s={size}:r=25", "-frames:v", "20", "-c:v", "ffv1", str(film)
    )
    with pytest.raises(MasterRejected, match=f"the picture is {says}: each side must have"):
        inspected(shop, film)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_film_that_was_held_on_its_side_is_shown_upright(
    shop: Workshop, tmp_path: Path, degrees: int
) -> None:
    lying, film = tmp_path / "lying.mp4", tmp_path / "film.mp4"
    turns = {90: "transpose=clock", 180: "hflip,vflip", 270: "transpose=cclock"}
    numbered(lying, source=CORNER.format("192x108") + "," + turns[degrees])
    ffmpeg("-display_rotation", str(degrees), "-i", str(lying), "-c", "copy", str(film))
    (picture, *_) = pictures_of(encoded(shop, film))
    assert picture.shape == (108, 192)
    top, bottom = np.array_split(picture, 2)
    first, *others = [part.mean() for half in (top, bottom) for part in np.array_split(half, 2, 1)]
    assert first > 200 > 60 > max(others)


def test_uneven_frames_are_each_shown_at_their_time(shop: Workshop, tmp_path: Path) -> None:
    """Frames 10 to 19 are missing, and 30 stands for half a second."""
    film = numbered(
        tmp_path / "f.mkv",
        *["-vf", "select='not(between(n,10,19))',setpts='PTS+gt(N,20)*0.5/TB'"],
        *["-fps_mode", "vfr"],
        frames=30,
    )
    master = inspected(shop, film)
    assert master.picture.rate == RATE
    assert any("constant 25 frames" in note for note in master.notes)
    half = Chunk(0, 0, 13, [0])
    rest = Chunk(1, 13, master.frames, [0])
    seen = shown(encoded(shop, film, [half, rest]))
    assert seen == shown(encoded(shop, film)), "it matters where the film is cut into chunks"
    assert seen == levels(
        [*range(10), *[9] * 10, *range(20, 31), *[30] * (len(seen) - 40), *range(31, 40)]
    )
    assert len(seen) == pytest.approx(FRAMES + 12.5, abs=1)


def test_ten_bits_become_eight(shop: Workshop, tmp_path: Path) -> None:
    film = numbered(tmp_path / "f.mkv", "-pix_fmt", "yuv420p10le", "-profile:v", "high10")
    assert shown(encoded(shop, film)) == ALL
    assert inspected(shop, film).notes == []


def test_hdr_is_brought_to_standard_range(shop: Workshop, tmp_path: Path) -> None:
    film = numbered(
        tmp_path / "f.mp4",
        *["-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=error"],
        "-vf",
        "setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc",
    )
    master = inspected(shop, film)
    assert master.color.dynamic_range == "pq"
    assert any("the film is HDR10 (PQ)" in note for note in master.notes)
    seen = [float(picture.mean()) for picture in pictures_of(encoded(shop, film))]
    assert len(seen) == FRAMES
    brightest, darkest = int(np.argmax(ALL)), int(np.argmin(ALL))
    assert seen[brightest] > seen[darkest] + 50


@pytest.mark.parametrize("fields", ["top", "bottom"])
def test_fields_become_frames(shop: Workshop, tmp_path: Path, fields: str) -> None:
    film = tmp_path / "f.mp4"
    bar = "color=gray:s=320x180:r=50[a];color=white:s=40x180:r=50[b];[a][b]overlay=x='mod(n*7,280)'"
    weave = f"tinterlace=interleave_{fields},fieldorder={'tff' if fields == 'top' else 'bff'}"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        f"{bar},{weave}",
        "-frames:v",
        "60",
        FAST,
        "-flags",
        "+ildct+ilme",
        str(film),
    )
    master = inspected(shop, film)
    assert master.interlaced == ("tff" if fields == "top" else "bff")
    assert any("interlaced" in note for note in master.notes)
    assert master.frames == 60

    def combing(rung: Path) -> float:
        """How much odd lines differ from the even ones beside them."""
        seen = pictures_of(rung)[5:50]
        return float(np.mean([np.abs(p[1:-1:2] - (p[0:-2:2] + p[2::2]) / 2).mean() for p in seen]))

    assert combing(encoded(shop, film)) < combing(film) / 4


def test_a_silent_film_is_a_film(shop: Workshop, plain: Path) -> None:
    assert inspected(shop, plain).sounds == []
    assert shown(encoded(shop, plain)) == ALL


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_a_cover_is_passed_over(
    shop: Workshop, plain: Path, tmp_path: Path, container: str
) -> None:
    cover, film = tmp_path / "cover.png", tmp_path / f"f.{container}"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=640x640", "-frames:v", "1", str(cover))
    attach = ["-disposition:v:0", "attached_pic"] if container == "mp4" else []
    inputs = ["-i", str(cover), "-i", str(plain), "-map", "0", "-map", "1"]
    ffmpeg(inputs, "-c", "copy", attach, str(film))
    assert shown(encoded(shop, film)) == ALL


def test_of_two_films_the_default_is_encoded_and_this_is_said(
    shop: Workshop, plain: Path, tmp_path: Path
) -> None:
    film = tmp_path / "f.mkv"
    other = ["-f", "lavfi", "-t", "1.6", "-i", "testsrc=s=640x360:r=25"]
    flags = ["-disposition:v:0", "0", "-disposition:v:1", "default"]
    ffmpeg(other, "-i", str(plain), "-map", "0", "-map", "1", [*FAST, *flags], str(film))
    master = inspected(shop, film)
    assert (master.picture.width, master.video_stream) == (192, 1)
    assert "2 films: stream 1, 192 by 108" in master.notes[0]
    assert shown(encoded(shop, film)) == ALL


def test_six_hours_that_are_not_there_are_not_made_up(
    shop: Workshop, plain: Path, tmp_path: Path
) -> None:
    mp4 = bytearray(plain.read_bytes())
    for box in (b"mvhd", b"mdhd"):
        where = mp4.index(box) + 4
        (timescale,) = struct.unpack_from(">I", mp4, where + 12)
        struct.pack_into(">I", mp4, where + 16, timescale * 6 * 3600)
    lie = tmp_path / "f.mp4"
    lie.write_bytes(mp4)
    assert shown(encoded(shop, lie)) == ALL
    film = tmp_path / "f.mkv"
    ffmpeg("-i", str(plain), "-c", "copy", str(film))
    mkv = bytearray(film.read_bytes())
    struct.pack_into(">d", mkv, mkv.index(b"\x44\x89\x88") + 3, 6 * 3600 * 1000.0)
    film.write_bytes(mkv)
    assert any("announces 21600.0 s and has 1.6 s" in note for note in inspected(shop, film).notes)
    assert shown(encoded(shop, film)) == ALL


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_a_film_that_begins_late_or_before_zero_has_its_frames(
    shop: Workshop, plain: Path, tmp_path: Path, container: str
) -> None:
    film = tmp_path / f"f.{container}"
    shift = "-0.3" if container == "mp4" else "2.5"
    ffmpeg("-itsoffset", shift, "-i", str(plain), TONE, "-c:v", "copy", "-c:a", "mp3", str(film))
    cut = 8 if container == "mp4" else 0
    assert shown(encoded(shop, film)) == ALL[cut:]


def test_what_an_edit_list_cuts_is_not_shown(shop: Workshop, plain: Path, tmp_path: Path) -> None:
    film = tmp_path / "f.mp4"
    ffmpeg("-ss", "0.5", "-i", str(plain), "-c", "copy", str(film))
    assert shown(encoded(shop, film)) == ALL[-inspected(shop, film).frames :]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("f.avi", ["-c:v", "mpeg4", "-q:v", "2", "-bf", "2"]),
        ("f.mpg", ["-c:v", "mpeg2video", "-q:v", "2"]),
        ("f.webm", ["-c:v", "libvpx-vp9", "-crf", "10", "-b:v", "0", "-cpu-used", "8"]),
        ("f.mov", ["-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"]),
        ("f.mxf", ["-c:v", "mpeg2video", "-q:v", "2"]),
        ("f.mkv", ["-c:v", "ffv1"]),
        ("f.ogv", ["-c:v", "libtheora", "-q:v", "10"]),
    ],
)
def test_a_film_in_another_container_and_codec_plays(
    shop: Workshop, tmp_path: Path, name: str, codec: list[str]
) -> None:
    film = numbered(tmp_path / name, *codec)
    assert shown(encoded(shop, film)) == ALL


def test_a_rate_is_kept_exactly(shop: Workshop, tmp_path: Path) -> None:
    film = numbered(tmp_path / "f.mkv", source=NUMBERED.replace("r=25", "r=24000/1001"))
    assert inspected(shop, film).picture.rate == Fraction(24000, 1001)
