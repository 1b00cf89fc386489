"""What is no film, or half of one, or a trap: a sentence, or the frames that are there."""

import os
import random
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from cuemark.contexts.encoding.model.captions.cues import MAX_BYTES
from cuemark.contexts.encoding.stages import tracks
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools import ffmpeg as film_tools
from cuemark.contexts.encoding.tools import ffprobe
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contracts.encoding.jobs import MasterRejected
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.conftest import keep
from tests.integration.encoding.odd.films import (
    FRAMES,
    TONE,
    encoded,
    inspected,
    levels,
    numbered,
    shown,
)

SEED = 20261121
PLACES = 20
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}" width="9" height="9"/></svg>'
DASH = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"'
    ' type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet contentType="video">'
    '<Representation id="1" bandwidth="1"><BaseURL>{}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>"
)
TRAPS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n",
    "hls-subfile": "#EXTM3U\n#EXTINF:2,\nsubfile,,start,0,end,999,,:{}\n#EXT-X-ENDLIST\n",
    "hls-concat": "#EXTM3U\n#EXTINF:2,\nconcat:http://127.0.0.1:1/?|{}\n#EXT-X-ENDLIST\n",
    "hls-data": "#EXTM3U\n#EXTINF:2,\ndata:video/mp4;base64,AAAA\n#EXT-X-ENDLIST\n",
    "hls-http": "#EXTM3U\n#EXTINF:2,\nhttp://169.254.169.254/latest/meta-data\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{}'\n",
    "svg": SVG,
    "dash": DASH,
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "ffmetadata": ";FFMETADATA1\ntitle=x\n",
    "subtitles": "1\n00:00:00,000 --> 00:00:02,000\n<font face='{}'>x</font>\n",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered(tmp_path_factory.mktemp("plain") / "film.mp4", "-g", "10")


@pytest.mark.parametrize("name", TRAPS)
def test_a_file_that_names_other_files_is_no_film(
    shop: Workshop, plain: Path, tmp_path: Path, name: str
) -> None:
    """It is refused by its format, also where the machine has no confinement."""
    trap = tmp_path / "film.mp4"
    trap.write_text(TRAPS[name].format(plain))
    with pytest.raises(MasterRejected, match="the file is no film that FFmpeg can read"):
        inspected(shop, trap)
    for argv in (
        ffprobe.report_argv(shop.programs.ffprobe, trap),
        film_tools.index_argv(shop.programs.ffmpeg, trap, 0, tmp_path / "x.mkv"),
    ):
        bare = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
        assert bare.returncode != 0
        assert "not on whitelist" in bare.stderr or "Invalid data" in bare.stderr


def test_a_film_whose_pictures_lie_in_another_file_does_not_open_it(
    shop: Workshop, plain: Path, tmp_path: Path
) -> None:
    """A QuickTime alias to a pipe: opening it would wait for ever."""
    pipe = tmp_path / "secret"
    os.mkfifo(pipe)
    path = str(pipe).encode()
    path += bytes(len(path) % 2)
    alias = bytes(10) + b"\x04disk" + bytes(23) + bytes(12) + b"\x06secret" + bytes(57) + bytes(16)
    alias += struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + struct.pack(">HH", 0xFFFF, 0)
    box = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    data = plain.read_bytes()
    where = data.index(b"dref") + 12
    more = len(box) - 12
    grown = bytearray(data[:where] + box + data[where + 12 :])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at = data.index(parent) - 4
        struct.pack_into(">I", grown, at, struct.unpack_from(">I", grown, at)[0] + more)
    film = tmp_path / "f.mov"
    film.write_bytes(grown)
    assert data.index(b"mdat") < data.index(b"moov"), "the boxes that grow come last"
    argv = ffprobe.packets_argv(shop.programs.ffprobe, film, 0)
    bare = subprocess.run(argv, capture_output=True, timeout=20, check=False)
    assert bare.stdout == b""
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([argv[0], "-enable_drefs", "1", *argv[1:]], timeout=2, check=False)
    with pytest.raises(MasterRejected, match="0 readable frames"):
        inspected(shop, film)


def swollen(film: bytes, first: int) -> bytearray:
    """A film of PNG pictures that claim 32768 by 32768, from the picture ``first`` on."""
    data, at, number = bytearray(film), 0, 0
    while (at := data.find(b"IHDR", at + 1)) >= 0:
        if number >= first:
            struct.pack_into(">II", data, at + 4, 32768, 32768)
            crc = zlib.crc32(data[at : at + 17])
            struct.pack_into(">I", data, at + 17, crc)
        number += 1
    assert number >= 6
    return data


def test_a_picture_that_swells_is_refused(shop: Workshop, tmp_path: Path) -> None:
    """A film of small pictures that are 32768 by 32768 when they are opened."""
    film = numbered(tmp_path / "f.mov", "-c:v", "png", "-pix_fmt", "gray", frames=6)
    whole = film.read_bytes()
    film.write_bytes(swollen(whole, first=2))
    with pytest.raises((MasterRejected, ToolFailed)) as caught:
        encoded(shop, film)
    assert "\n" not in str(caught.value)
    film.write_bytes(swollen(whole, first=0))
    with pytest.raises((MasterRejected, ToolFailed)) as caught:
        encoded(shop, film)
    data = swollen(whole, first=0)
    struct.pack_into(">HH", data, data.index(b"stsd") + 44, 32768, 32768)
    film.write_bytes(data)
    with pytest.raises(MasterRejected, match=r"the picture is 32768 by 32768|no film"):
        inspected(shop, film)


def test_a_table_of_a_billion_samples_is_refused(
    shop: Workshop, plain: Path, tmp_path: Path
) -> None:
    data = bytearray(plain.read_bytes())
    for box, at in ((b"stts", 8), (b"stsz", 8), (b"stsc", 12)):
        struct.pack_into(">I", data, data.index(box) + 4 + at, 1 << 30)
    struct.pack_into(">I", data, data.index(b"stsz") + 8, 1)
    film = tmp_path / "f.mp4"
    film.write_bytes(data)
    with pytest.raises(MasterRejected, match=r"no film|cannot be read safely|readable frames"):
        inspected(shop, film)


def test_a_sound_or_a_cover_is_no_film(shop: Workshop, tmp_path: Path) -> None:
    tone, song = tmp_path / "a.m4a", tmp_path / "s.m4a"
    ffmpeg(TONE, str(tone))
    cover = ["-f", "lavfi", "-i", "color=red:s=64x64", "-map", "0", "-map", "1"]
    codecs = ["-c:a", "copy", "-c:v", "png", "-frames:v", "1", "-disposition:v:0", "attached_pic"]
    ffmpeg("-i", str(tone), cover, codecs, str(song))
    for file in (tone, song):
        with pytest.raises(MasterRejected, match="no moving picture: upload a film"):
            inspected(shop, file)


def cut_films(plain: Path, folder: Path) -> list[Path]:
    """The film cut off at ``PLACES`` places, in containers with their index before and after."""
    whole = [folder / name for name in ("after.mp4", "before.mp4", "f.mkv", "f.ts")]
    sound = ["-c:v", "copy", "-c:a", "aac"]
    for film in whole:
        early = ["-movflags", "+faststart"] if film.name == "before.mp4" else []
        ffmpeg("-i", str(plain), TONE, sound, early, str(film))
    places = random.Random(SEED)
    cut = []
    for number in range(PLACES):
        film = whole[number % len(whole)]
        data = film.read_bytes()
        part = folder / f"{number}-{film.name}"
        part.write_bytes(data[: places.randrange(1, len(data))])
        cut.append(part)
    return cut


def test_a_film_that_was_cut_off_is_refused_or_encoded_as_far_as_it_goes(
    shop: Workshop, plain: Path, tmp_path: Path
) -> None:
    outcomes = {"refused": 0, "encoded": 0}
    sentences: list[str] = []
    whole = levels(range(FRAMES))
    for film in cut_films(plain, tmp_path):
        try:
            master = inspected(shop, film)
            seen = shown(encoded(shop, film, compare=False))
        except MasterRejected as refusal:
            sentences.append(str(refusal))
            outcomes["refused"] += 1
            continue
        assert seen == whole[: len(seen)], film.name
        if film.suffix != ".ts" and len(seen) < FRAMES - 13:
            assert any("what is there was encoded" in note for note in master.notes), film.name
        outcomes["encoded"] += 1
    assert min(outcomes.values()) > 3, outcomes
    assert all(sentence and "\n" not in sentence for sentence in sentences)


FILM_MS = 60_000
NO_CAPTIONS = {
    "empty": (b"", "no caption with a time"),
    "bytes": (bytes(range(256)) * 40, "no caption with a time"),
    "a film": (b"\x00\x00\x00\x20ftypisom" + bytes(5000), "binary, or UTF-16 without its mark"),
    "half a character": (b"\xff\xfeW\x00E", "marked as UTF-16 and is not"),
    "huge": (b"1\n00:00:01,000 --> 00:00:02,000\nx\n\n" * (MAX_BYTES // 34), "more than"),
    "an entity bomb": (
        b'<!DOCTYPE tt [<!ENTITY a "aa">]><tt>&a;</tt>',
        "document type or entities",
    ),
    "zipped": (b"PK\x03\x04" + bytes(1000), "zip archive: unpack it"),
    "a web page": (b"<html><body>no captions</body></html>", "not TTML"),
    "no times": (b"WEBVTT\n\n99:99 -> 00:00\nx\n", "no caption with a time"),
}


@pytest.mark.parametrize("name", NO_CAPTIONS)
def test_captions_that_are_none_are_refused(shop: Workshop, tmp_path: Path, name: str) -> None:
    data, says = NO_CAPTIONS[name]
    file = tmp_path / "c.srt"
    file.write_bytes(data)
    with pytest.raises(MasterRejected, match=f"the captions in en cannot be read: .*{says}"):
        tracks.convert_captions(shop, "en", keep(shop, file), "subtitles", FILM_MS)


def test_captions_are_text_whatever_they_hold(shop: Workshop, tmp_path: Path) -> None:
    file = tmp_path / "c.srt"
    said = "\n\n".join(
        [
            "1\n00:00:01,000 --> 00:00:04,000\n<script>alert(1)</script> & <b>so</b>",
            "2\n00:00:02,000 --> 00:00:03,000\n<img src=x onerror=alert(1)> caf\xe9",
            "3\n00:00:00,500 --> 00:00:09,000\n--> <v Eve onmouseover=x>hi</v>\x1b[2J\x00",
        ]
    )
    file.write_bytes(said.encode("cp1252", errors="replace"))
    key = tracks.convert_captions(shop, "en", keep(shop, file), "subtitles", FILM_MS)
    text = shop.path(key, tracks.CAPTIONS).read_text(encoding="utf-8")
    cues = text.split("\n\n")[1:]
    assert [cue.split(" ")[0] for cue in cues] == ["00:00:00.500", "00:00:01.000", "00:00:02.000"]
    assert "<script" not in text
    assert "<img" not in text
    assert "caf\xe9" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; <b>so</b>" in text
    assert text.count("-->") == 3, "a cue's text is read as the time of another"
    assert "\x00" not in text
