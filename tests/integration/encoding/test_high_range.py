"""Films of high dynamic range, from the file to what devices are given of them."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest
from defusedxml.ElementTree import fromstring

from cuemark.contexts.encoding.model.boxes import VISUAL_ENTRY, boxes, find, without_color
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.color import Light, Look
from cuemark.contexts.encoding.model.tone_mapping import light_of_pq, standard_of
from cuemark.contexts.encoding.model.validation import color
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.stages import facts, pictures, scoring
from cuemark.contexts.encoding.stages.packaging import Order, RungToPackage, package
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools import decoding
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.playback.model import dash as dash_writer
from cuemark.contexts.playback.model import hls as hls_writer
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.encoding.versions import Codec, DynamicRange, Version
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import ContentKey
from cuemark.player import dash, hls
from cuemark.player.decode import decode
from tests.e2e.installation import ffmpeg
from tests.integration.encoding import high_range as made
from tests.integration.encoding.conftest import Studio, keep
from tests.integration.encoding.odd.films import inspected
from tests.unit.playback.versions import LICENCE_URL, appliance

KEY = ContentKey(label="SD", kid="01" * 16, key="11" * 16, iv="21" * 16)
PRESETS: dict[Codec, str] = {"h264": "veryfast", "hevc": "ultrafast", "av1": "10"}
CHUNK = Chunk(0, 0, made.FRAMES, [0, made.SHOT_FRAMES])
TRANSFERS = {"pq": made.PQ, "hlg": made.HLG}

Filmed = Callable[[str], Studio]


@pytest.fixture(scope="module")
def filmed(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    """An inspected film of a dynamic range, made once."""
    folder, there = tmp_path_factory.mktemp("high range"), dict[str, Studio]()

    def of(dynamic_range: str) -> Studio:
        if dynamic_range not in there:
            film = made.high_range(folder / f"{dynamic_range}.mp4", TRANSFERS[dynamic_range])
            sha256 = keep(shop, film)
            pictures.inspect(shop, sha256)
            pictures.find_shots(shop, sha256)
            there[dynamic_range] = Studio(shop, sha256)
        return there[dynamic_range]

    return of


def rung(studio: Studio, codec: Codec, look: Look, crf: float = 20.0) -> str:
    """A joined rung of the film's own size."""
    recipe = Recipe(made.WIDTH, made.HEIGHT, crf, PRESETS[codec], codec=codec, look=look)
    chunk = pictures.encode_chunk(studio.shop, studio.sha256, CHUNK, recipe)
    return pictures.join_rung(studio.shop, studio.sha256, [chunk], codec)


def sets(studio: Studio) -> list[tuple[Codec, Look]]:
    high = Look(dynamic_range=studio.film.master.color.carried, bit_depth=10)
    return [("h264", studio.film.standard), ("hevc", high), ("av1", high)]


@pytest.fixture(scope="module")
def versions(filmed: Filmed) -> Callable[[str], Version]:
    there: dict[str, Version] = {}

    def of(dynamic_range: str) -> Version:
        if dynamic_range in there:
            return there[dynamic_range]
        studio = filmed(dynamic_range)
        order = Order(
            version_id=VersionId(f"ver_{dynamic_range}"),
            title_id=TitleId("ttl_1"),
            quality="full",
            sha256=studio.sha256,
            rungs=[
                RungToPackage(
                    key=rung(studio, codec, look),
                    width=made.WIDTH,
                    height=made.HEIGHT,
                    vmaf_mean=80.0,
                    vmaf_p5=70.0,
                    vmaf_predicted=None,
                    codec=codec,
                    look=look,
                )
                for codec, look in sets(studio)
            ],
            sounds=[],
            captions=[],
        )
        now = datetime(2026, 1, 1, tzinfo=UTC)
        there[dynamic_range] = package(studio.shop, order, lambda _: [KEY], now)
        return there[dynamic_range]

    return of


def test_inspection_reads_the_display_and_the_light(filmed: Filmed) -> None:
    found = filmed("pq").film.master
    assert (found.color.dynamic_range, found.color.bit_depth) == ("pq", 10)
    assert found.color.light == Light(made.MAX_CLL, made.MAX_FALL)
    display = found.color.mastering
    assert display is not None
    assert (display.red, display.green) == ((0.68, 0.32), (0.265, 0.69))
    assert (display.least_cd_m2, display.most_cd_m2) == (0.005, 1000)
    assert found.color.peak_cd_m2 == made.MAX_CLL
    assert any("HDR10 (PQ) with up to 980 cd/m2" in note for note in found.notes)
    assert filmed("hlg").film.master.color.peak_cd_m2 == 1000


@pytest.mark.parametrize(
    ("primaries", "matrix", "said"),
    [("bt709", "bt2020nc", "the primaries of bt709"), ("bt2020", "bt709", "the matrix of bt709")],
)
def test_tags_that_contradict_one_another_are_refused(
    shop: Workshop, tmp_path: Path, primaries: str, matrix: str, said: str
) -> None:
    film = made.high_range(tmp_path / "f.mp4", primaries=primaries, matrix=matrix, light="")
    with pytest.raises(MasterRejected, match=f"says HDR10 .*{said}, which contradict each other"):
        inspected(shop, film)


def test_primaries_that_are_not_stated_are_assumed_with_a_note(
    shop: Workshop, tmp_path: Path
) -> None:
    film = made.high_range(tmp_path / "f.mp4", primaries="unknown", matrix="unknown", light="")
    master = inspected(shop, film)
    assert (master.color.primaries, master.color.matrix) == ("bt2020", "bt2020nc")
    assert any("states no primaries: those of BT.2020 were assumed" in n for n in master.notes)
    assert master.color.peak_cd_m2 == 1000


def test_eight_bits_of_pq_are_brought_to_standard_range_alone(
    shop: Workshop, tmp_path: Path
) -> None:
    master = inspected(shop, made.high_range(tmp_path / "f.mp4", light="", samples="yuv420p"))
    assert (master.color.dynamic_range, master.color.carried) == ("pq", "sdr")
    assert any("in 8 bits, which are too few" in note for note in master.notes)


@pytest.mark.parametrize("dynamic_range", ["pq", "hlg"])
def test_standard_range_is_what_the_table_says_of_each_color(
    filmed: Filmed, dynamic_range: str
) -> None:
    """The whole of FFmpeg's chain against the functions that the table was made of."""
    studio = filmed(dynamic_range)
    file = studio.shop.path(rung(studio, *sets(studio)[0], crf=1.0), pictures.RUNG)
    with av.open(str(studio.film.path)) as container:
        ours = next(container.decode(video=0)).reformat(
            format="gbrp16le", src_colorspace="BT2020", src_color_range="MPEG"
        )
    codes = np.stack(
        [
            np.asarray(plane, np.uint8).view(np.uint16).reshape(made.HEIGHT, -1)[:, : made.WIDTH]
            for plane in (ours.planes[2], ours.planes[0], ours.planes[1])
        ],
        -1,
    )
    peak = studio.film.master.color.peak_cd_m2
    wanted = standard_of(codes / 65535, studio.film.master.color.dynamic_range, peak)
    with av.open(str(file)) as container:
        frame = next(container.decode(video=0))
    luma = frame.to_ndarray(format="yuv420p")[: made.HEIGHT].astype(float)
    expected = 16 + 219 * (wanted @ np.array([0.2126, 0.7152, 0.0722]))
    off = np.abs(luma - expected)
    assert float(np.median(off)) < 1
    assert float(np.quantile(off, 0.9)) < 5
    assert luma.max() > 180
    assert luma.min() < 25


@pytest.mark.parametrize("dynamic_range", ["pq", "hlg"])
def test_each_rendition_says_its_colors_in_samples_and_boxes(
    filmed: Filmed, versions: Callable[[str], Version], tmp_path: Path, dynamic_range: str
) -> None:
    studio, version = filmed(dynamic_range), versions(dynamic_range)
    root = studio.shop.objects.path(f"versions/{version.version_id}")
    master = facts.tags_of(studio.shop, studio.film.path, 0)
    for each in version.renditions:
        init = (root / each.rendition_id / "init.mp4").read_bytes()
        begin = tmp_path / "begin.mp4"
        begin.write_bytes(init + (root / each.rendition_id / "1.m4s").read_bytes())
        tags = facts.tags_of(studio.shop, begin, 0)
        assert color.findings(each.rendition_id, tags, master, each.dynamic_range) == []
        other: DynamicRange = "sdr" if each.dynamic_range != "sdr" else "pq"
        assert color.findings(each.rendition_id, tags, master, other)
        path = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
        _, entry = next(boxes(find(memoryview(init), *path)[8:]))
        inside = {kind: bytes(body) for kind, body in boxes(entry[VISUAL_ENTRY:])}
        codes = [int.from_bytes(inside[b"colr"][at : at + 2], "big") for at in (4, 6, 8)]
        if each.dynamic_range == "sdr":
            assert codes == [1, 1, 1]
            assert not {b"mdcv", b"clli"} & inside.keys()
            continue
        assert codes == [9, 16 if dynamic_range == "pq" else 18, 9]
        if dynamic_range == "pq":
            assert inside[b"mdcv"].hex() == ("33c286c41d4c0bb884d03e803d1340420098968000000032")
            assert inside[b"clli"] == bytes([3, 212, 0, 180])
        else:
            assert not {b"mdcv", b"clli"} & inside.keys()


@pytest.mark.parametrize("dynamic_range", ["pq", "hlg"])
def test_the_box_and_the_pictures_of_each_rendition_say_the_same_of_its_colors(
    filmed: Filmed, versions: Callable[[str], Version], dynamic_range: str, tmp_path: Path
) -> None:
    version, studio = versions(dynamic_range), filmed(dynamic_range)
    transfers = {"sdr": 1, "pq": 16, "hlg": 18}
    begin = tmp_path / "begin.mp4"
    for each in version.renditions:
        folder = studio.shop.objects.path(f"versions/{version.version_id}/{each.rendition_id}")
        init, first = ((folder / name).read_bytes() for name in ("init.mp4", "1.m4s"))
        begin.write_bytes(without_color(init) + first)
        said = decoding.coded_colors(begin)
        space = 1 if each.dynamic_range == "sdr" else 9
        wanted = color.ColorCodes(space, transfers[each.dynamic_range], space, full_range=False)
        assert said == wanted, each.rendition_id
        assert init_of(init).color in (None, wanted)
        assert color.contradictions("v", wanted, said) == []
        assert color.contradictions("v", color.ColorCodes(5, 4, 6), said)


def test_decoders_find_the_light_in_each_rendition_of_hdr10(
    filmed: Filmed, versions: Callable[[str], Version], tmp_path: Path
) -> None:
    studio, version = filmed("pq"), versions("pq")
    root = studio.shop.objects.path(f"versions/{version.version_id}")
    for each in version.renditions:
        begin = tmp_path / "begin.mp4"
        begin.write_bytes((root / each.rendition_id / "init.mp4").read_bytes())
        with begin.open("ab") as file:
            file.write((root / each.rendition_id / "1.m4s").read_bytes())
        told = beside_first_frame(studio.shop, begin, "-decryption_key", KEY.key)
        found = ("MaxCLL=980, MaxFALL=180" in told, "r(0.6800,0.3200)" in told)
        assert found == (each.dynamic_range == "pq",) * 2, told


def test_hevc_says_the_light_in_its_samples_too(filmed: Filmed) -> None:
    """For devices that look there; of what is tone-mapped nothing is said."""
    studio = filmed("pq")
    for codec, look in sets(studio)[:2]:
        file = studio.shop.path(rung(studio, codec, look), pictures.RUNG)
        told = beside_first_frame(studio.shop, file)
        assert ("MaxCLL=980" in told) == (codec == "hevc")
        assert ("Mastering display" in told) == (codec == "hevc")


def beside_first_frame(shop: Workshop, file: Path, *options: str) -> str:
    """What FFmpeg finds beside the first picture of a file."""
    return subprocess.run(
        [
            *[str(shop.programs.ffmpeg), "-hide_banner", "-nostdin", *options, "-i", str(file)],
            *["-frames:v", "1", "-vf", "showinfo=checksum=0", "-f", "null", "-"],
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stderr


@pytest.mark.parametrize("dynamic_range", ["pq", "hlg"])
def test_both_manifests_keep_the_ranges_apart_and_each_plays(
    filmed: Filmed, versions: Callable[[str], Version], dynamic_range: str
) -> None:
    studio, version = filmed(dynamic_range), versions(dynamic_range)
    root = studio.shop.objects.path(f"versions/{version.version_id}")
    ranking = [appliance("appliance-1")]
    text = dash_writer.manifest(version, ranking)
    read = dash.parse(text)
    assert {each.rung_id: each.dynamic_range for each in read.video} == {
        f"v{made.HEIGHT}": "sdr",
        f"hevc-{dynamic_range}-{made.HEIGHT}": dynamic_range,
        f"av1-{dynamic_range}-{made.HEIGHT}": dynamic_range,
    }
    for each in read.video:
        init = (root / each.first.init_path).read_bytes()
        media = (root / each.segments[0].path).read_bytes()
        found = decode("video", init, media, KEY.key, each.segments[0])
        assert not found.errors, (each.rung_id, found.reason)
    playlist = hls.parse_multivariant(hls_writer.manifest(version, ranking, LICENCE_URL))
    assert playlist.dynamic_ranges == {"sdr", dynamic_range}
    assert playlist.with_range("sdr").codecs == {"h264"}
    assert len(playlist.variants) == 3
    transfer = "16" if dynamic_range == "pq" else "18"
    mpd = fromstring(text)
    for adaptation in mpd.iter("{urn:mpeg:dash:schema:mpd:2011}AdaptationSet"):
        said = {
            one.get("schemeIdUri", "").rpartition(":")[2]: one.get("value")
            for one in adaptation.findall("{urn:mpeg:dash:schema:mpd:2011}EssentialProperty")
            if "cicp" in one.get("schemeIdUri", "")
        }
        of = next(adaptation.iter("{urn:mpeg:dash:schema:mpd:2011}Representation")).get("id", "")
        wanted = {
            "ColourPrimaries": "9",
            "TransferCharacteristics": transfer,
            "MatrixCoefficients": "9",
        }
        assert said == (wanted if dynamic_range in of else {})
    codecs = {each.rendition_id: each.codec_string for each in version.renditions}
    assert codecs[f"hevc-{dynamic_range}-{made.HEIGHT}"].startswith("hvc1.2.4.")
    assert codecs[f"av1-{dynamic_range}-{made.HEIGHT}"].endswith(f".09.{transfer}.09.0")


def test_a_rung_whose_highlights_are_lost_shows_in_its_codes(filmed: Filmed) -> None:
    """VMAF, measured in standard range, is nearly blind to it."""
    studio = filmed("pq")
    look = sets(studio)[1][1]
    good = rung(studio, "hevc", look, crf=14.0)
    with studio.shop.making(studio.shop.key("crushed", good)) as folder:
        ffmpeg(
            *["-i", str(studio.shop.path(good, pictures.RUNG))],
            *["-vf", "lutyuv=y='min(val,560)'", "-c:v", "libx265", "-crf", "6"],
            *["-x265-params", "log-level=error", str(folder / pictures.RUNG)],
        )
    frames = (0, made.FRAMES)
    scores = [
        scoring.scores_of(
            studio.shop, scoring.score_rung(studio.shop, studio.sha256, key, frames, 5, look)
        )
        for key in (good, studio.shop.key("crushed", good))
    ]
    psnr = [float(np.mean(each.psnr)) for each in scores]
    assert scores[0].mean - scores[1].mean < 12
    assert psnr[0] - psnr[1] > 6
    assert light_of_pq(np.array((560 - 64) / 876)) < 203


@pytest.mark.parametrize("codec", ["hevc", "av1"])
def test_a_master_of_ten_bits_keeps_them(shop: Workshop, tmp_path: Path, codec: Codec) -> None:
    film = tmp_path / "f.mkv"
    ramp = (
        f"nullsrc=s={made.WIDTH}x{made.HEIGHT}:r=25,format=yuv420p10le,"
        "geq=lum='400+X/4':cb=512:cr=512"
    )
    ffmpeg("-f", "lavfi", "-i", ramp, "-frames:v", "10", "-c:v", "ffv1", str(film))
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    studio, chunk = Studio(shop, sha256), Chunk(0, 0, 10, [0])

    def levels(codec: Codec, look: Look) -> set[int]:
        recipe = Recipe(made.WIDTH, made.HEIGHT, 1.0, PRESETS[codec], codec=codec, look=look)
        key = pictures.encode_chunk(shop, sha256, chunk, recipe)
        with av.open(str(shop.path(key, pictures.CHUNK))) as container:
            frame = next(container.decode(video=0))
        bits = frame.format.components[0].bits
        assert bits == look.bit_depth
        kind = np.uint8 if bits == 8 else np.uint16
        return set(np.unique(np.asarray(frame.planes[0], np.uint8).view(kind)).tolist())

    assert studio.film.master.color.bit_depth == 10
    assert len(levels(codec, Look(bit_depth=10))) > 40
    assert len(levels("h264", Look())) < 24


@pytest.mark.parametrize(
    ("primaries", "matrix", "samples"),
    [("smpte432", "bt709", "yuv422p10le"), ("bt2020", "bt2020nc", "yuv444p12le")],
)
def test_other_samples_are_brought_to_those_of_bt_2100(
    shop: Workshop, tmp_path: Path, primaries: str, matrix: str, samples: str
) -> None:
    film = made.high_range(
        tmp_path / "f.mp4", primaries=primaries, matrix=matrix, samples=samples, light=""
    )
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    studio = Studio(shop, sha256)
    for codec, look in sets(studio)[:2]:
        recipe = Recipe(made.WIDTH, made.HEIGHT, 12.0, PRESETS[codec], codec=codec, look=look)
        key = pictures.encode_chunk(shop, sha256, CHUNK, recipe)
        tags = facts.tags_of(shop, shop.path(key, pictures.CHUNK), 0)
        master = facts.tags_of(shop, film, 0)
        assert color.findings(codec, tags, master, look.dynamic_range) == []
        assert scoring.scores_of(shop, scoring.score_chunk(shop, sha256, CHUNK, recipe)).mean > 80
