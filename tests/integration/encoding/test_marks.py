"""A marked version: two variants that players can go between, and a copy that tells its session."""

import hashlib
import itertools
import shutil
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benches.marking import (
    Marked,
    copied,
    kept_copy,
    key_of,
    marked_of,
    packaged,
    session_of,
)
from benches.specimen import Specimen, findings_of, keep
from cuemark.contexts.encoding.model.boxes import segment_span
from cuemark.contexts.encoding.model.chunks import Chunk
from cuemark.contexts.encoding.model.validation import encryption, structure
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.model.watermark import SIGNS, VARIANTS, Mark, key_id
from cuemark.contexts.encoding.stages import detecting, pictures
from cuemark.contexts.encoding.stages.detecting import NoCopy
from cuemark.contexts.encoding.stages.packaging import Order, RungToPackage
from cuemark.contexts.encoding.stages.pictures import MarkKeyDiffers
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.decoding import content_of
from cuemark.contexts.encoding.tools.encoders import FAMILIES
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.playback.model import fingerprint
from cuemark.contracts.encoding.marks import MarkEvidence
from cuemark.contracts.encoding.versions import Codec, VersionIndex
from cuemark.contracts.ids import TitleId, VersionId
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.high_range import FRAMES, HLG, PQ, SHOT_FRAMES, high_range

KEY = hashlib.sha256(b"a key that no other file has").digest()[:16]
SECONDS, RATE = 12, 24
ROWS = {f"play_{n}": fingerprint.row(b"secret", f"play_{n}") for n in range(50)}
WHO = "play_7"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something that moves, in several shots, with detail and noise."""
    target = tmp_path_factory.mktemp("marks") / "film.mp4"
    sources = [
        f"mandelbrot=s=384x216:r={RATE}:start_scale=0.8",
        f"testsrc2=s=384x216:r={RATE},hue=h=40*t,scroll=h=0.003",
        f"life=s=96x54:r={RATE}:mold=20:life_color=white:death_color=gray,scale=384:216",
    ]
    inputs = [part for source in sources for part in ("-f", "lavfi", "-i", source)]
    cut = f"trim=end_frame={SECONDS * RATE // 3},format=yuv420p,setsar=1"
    graph = ";".join(f"[{n}:v]{cut}[v{n}]" for n in range(3))
    ffmpeg(
        [*inputs, "-f", "lavfi", "-i", f"aevalsrc=0.2*random(0):s=48000:d={SECONDS}"],
        ["-filter_complex", f"{graph};[v0][v1][v2]concat=n=3,noise=alls=6:allf=t[v]"],
        ["-map", "[v]", "-map", "3:a"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-c:a", "aac", str(target)],
    )
    return target


@pytest.fixture(scope="module")
def made(shop: Workshop, film: Path) -> Marked:
    return marked_of(shop, film, [96, 216], KEY)


@pytest.fixture(scope="module")
def cenc(made: Marked) -> Specimen:
    order = msgspec.structs.replace(
        made.marked.order, version_id=VersionId(f"{made.version.version_id}-cenc")
    )
    return packaged(made.marked.shop, order, "cenc")


@pytest.fixture(scope="module")
def copy(made: Marked, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``WHO`` saw from the second segment on, at half the size and encoded again."""
    folder = tmp_path_factory.mktemp("copies")
    session = session_of(made.marked, turns_of(made, WHO), folder / "session.mp4")
    begins_s = made.version.video_timeline.durations[0] / made.version.video_timeline.timescale
    filters = f"trim=start={begins_s + 0.2},setpts=PTS-STARTPTS,scale=192:-2"
    return kept_copy(
        made.marked.shop, copied(made.marked, session, filters, 28, folder / "copy.mp4")
    )


def segments(made: Marked) -> int:
    return len(made.version.video_timeline.durations)


def turns_of(made: Marked, session_id: str) -> list[str]:
    signs = fingerprint.signs(ROWS[session_id], 0, segments(made))
    return ["a" if sign > 0 else "b" for sign in signs]


def test_an_unmarked_recipe_is_written_as_it_was_before_there_were_marks() -> None:
    assert msgspec.json.encode(Recipe(128, 72, 30.0, "veryfast")) == (
        b'{"width":128,"height":72,"crf":30.0,"preset":"veryfast"}'
    )


def test_the_plain_version_has_nothing_of_the_marked_one(made: Marked) -> None:
    names = {path.name for path in made.plain.folder.rglob("*.m4s")}
    assert not made.plain.version.marked
    assert all(name.removesuffix(".m4s").isdecimal() for name in names)
    assert not {rung.key for rung in made.plain.order.rungs} & {
        key for rung in made.marked.order.rungs for key in rung.variants
    }


def test_a_marked_version_has_two_files_of_each_segment_and_says_so(made: Marked) -> None:
    folder, version = made.marked.folder, made.version
    index = msgspec.json.decode((folder / "index.json").read_bytes(), type=VersionIndex)
    assert version.marked
    for rendition in version.renditions:
        name = rendition.rendition_id
        wanted = {f"{name}/{v}{n}.m4s" for v in "ab" for n in range(1, segments(made) + 1)}
        assert wanted | {f"{name}/init.mp4"} == {
            file for file in index.files if file.startswith(f"{name}/")
        }
        playlist = (folder / f"{name}.m3u8").read_text()
        assert [line for line in playlist.splitlines() if not line.startswith("#")] == [
            f"{name}/x{n}.m4s" for n in range(1, segments(made) + 1)
        ]
    assert not list(folder.glob("*.b"))


def test_digests_have_both_variants_of_each_segment_one_after_the_other(made: Marked) -> None:
    folder, name = made.marked.folder, made.version.renditions[0].rendition_id
    files = [folder / f"{name}.m3u8", folder / name / "init.mp4"]
    files += [
        folder / name / f"{variant}{n}.m4s"
        for n in range(1, segments(made) + 1)
        for variant in "ab"
    ]
    listed = b"".join(sha256(file.read_bytes()).digest()[:16] for file in files)
    assert (folder / f"{name}.digests").read_bytes() == listed
    assert sha256(listed).hexdigest() == made.version.renditions[0].digests_sha256


def test_both_variants_have_the_same_times_and_other_bytes(made: Marked) -> None:
    for rendition in made.version.renditions:
        here = made.marked.folder / rendition.rendition_id
        for n in range(1, segments(made) + 1):
            a, b = ((here / f"{variant}{n}.m4s").read_bytes() for variant in "ab")
            assert segment_span(a) == segment_span(b)
            assert a != b


@pytest.mark.parametrize("first", ["a", "b"])
def test_every_way_through_the_variants_decrypts_to_the_whole_film(
    made: Marked, cenc: Specimen, first: str, tmp_path: Path
) -> None:
    turns = list(itertools.islice(itertools.cycle("ab" if first == "a" else "ba"), segments(made)))
    for specimen in (made.marked, cenc):
        session = session_of(specimen, turns, tmp_path / "session.mp4")
        content = content_of(session, "video", key_of(specimen))
        assert len(content.samples) == SECONDS * RATE


def test_no_two_samples_of_the_variants_have_one_key_and_one_iv(cenc: Specimen) -> None:
    """Two pictures under one keystream of cenc would give one another away."""
    ivs: dict[str, list[tuple[int, int]]] = {}
    kids: dict[str, str] = {}
    for rendition in cenc.version.renditions:
        here = cenc.folder / rendition.rendition_id
        init = init_of((here / "init.mp4").read_bytes())
        for variant in "ab":
            name = f"{rendition.rendition_id}/{variant}"
            found: list[tuple[int, int]] = []
            for path in sorted(here.glob(f"{variant}*.m4s")):
                found += structure.segment_of(path.read_bytes(), init).ivs or []
            assert sum(last - begin + 1 for begin, last in found) == SECONDS * RATE
            ivs[name], kids[name] = found, rendition.kid
    assert encryption.shared_iv_findings(ivs, kids) == []
    same = {name: ivs[min(ivs)] for name in ivs}
    assert encryption.shared_iv_findings(same, kids)


@pytest.mark.parametrize("scheme", ["cbcs", "cenc"])
def test_nothing_is_found_in_a_clean_marked_version(
    made: Marked, cenc: Specimen, scheme: str
) -> None:
    assert findings_of(made.marked if scheme == "cbcs" else cenc) == []


@pytest.mark.parametrize("variant", ["a", "b"])
def test_what_is_wrong_in_one_variant_alone_is_found(
    made: Marked, variant: str, tmp_path: Path
) -> None:
    name = made.version.renditions[-1].rendition_id
    here = made.marked.folder / name
    one, other = here / f"{variant}2.m4s", here / f"{variant}3.m4s"
    shutil.copy(one, tmp_path / "kept")
    try:
        one.unlink()
        shutil.copy(other, one)
        checks = {each.check for each in findings_of(made.marked)}
    finally:
        one.unlink()
        shutil.copy(tmp_path / "kept", one)
    assert {"continuity", "manifests"} <= checks
    assert checks & {"picture", "frames", "decrypt"}


def test_the_mark_costs_few_bits(made: Marked) -> None:
    """A pattern of one code value, as coarse as this, is next to nothing to an encoder."""
    for rendition in made.version.renditions:
        plain, *variants = (
            sum(path.stat().st_size for path in (folder / name).glob(f"{variant}[0-9]*.m4s"))
            for name in [rendition.rendition_id]
            for folder, variant in (
                (made.plain.folder, ""),
                (made.marked.folder, "a"),
                (made.marked.folder, "b"),
            )
        )
        assert max(variants) < 1.05 * plain


@pytest.fixture(scope="module")
def found(made: Marked, copy: str) -> MarkEvidence:
    shop, sha = made.marked.shop, made.marked.order.sha256
    return detecting.detect(shop, copy, sha, detecting.first_frames(made.version), KEY)


def test_a_copy_names_its_session(made: Marked, found: MarkEvidence) -> None:
    assert found.agreement > 0.5
    seen = np.array(found.values)
    meant = fingerprint.signs(ROWS[WHO], found.first_segment, len(seen))
    assert len(seen) >= segments(made) - 2
    assert (np.sign(seen)[seen != 0] == meant[seen != 0]).all()
    fits = {
        who: float(seen @ fingerprint.signs(row, found.first_segment, len(seen)))
        for who, row in ROWS.items()
    }
    assert max(fits, key=fits.__getitem__) == WHO


def test_another_key_finds_nothing_in_it(made: Marked, copy: str, found: MarkEvidence) -> None:
    shop, sha = made.marked.shop, made.marked.order.sha256
    firsts = detecting.first_frames(made.version)
    right = np.abs(found.values).mean()
    wrong = np.abs(detecting.detect(shop, copy, sha, firsts, bytes(16)).values).mean()
    assert wrong < right / 2


def test_a_film_that_it_is_not_is_no_copy(made: Marked, clip: Path) -> None:
    shop, sha = made.marked.shop, made.marked.order.sha256
    other = kept_copy(shop, clip)
    with pytest.raises(NoCopy, match="shows nothing of this film"):
        detecting.detect(shop, other, sha, detecting.first_frames(made.version), KEY)


def test_the_key_is_in_no_file(made: Marked, shop: Workshop) -> None:
    for path in shop.objects.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert KEY not in data, path
            assert KEY.hex().encode() not in data, path
    assert not list(shop.objects.root.rglob("*.yuv"))


def test_a_chunk_is_marked_with_the_key_of_its_job_or_not_at_all(made: Marked) -> None:
    recipe = Recipe(64, 36, 40.0, "ultrafast", mark=Mark("a", key_id(KEY)))
    with pytest.raises(MarkKeyDiffers):
        pictures.encode_chunk(
            made.marked.shop, made.marked.order.sha256, Chunk(0, 0, 24, [0]), recipe, bytes(16)
        )


@pytest.fixture(scope="module", params=[PQ, HLG])
def bright(
    request: pytest.FixtureRequest, shop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> str:
    film = high_range(tmp_path_factory.mktemp("bright") / "film.mp4", request.param)
    sha = keep(shop, film)
    pictures.inspect(shop, sha)
    return sha


def test_every_codec_and_range_is_marked_at_its_own_depth(shop: Workshop, bright: str) -> None:
    """Each variant tells itself in a copy that is its stream, brought to standard range."""
    color = pictures.film_of(shop, bright).master.color
    chunk, rungs = Chunk(0, 0, FRAMES, [0, SHOT_FRAMES]), []
    presets: list[tuple[Codec, str]] = [("h264", "veryfast"), ("hevc", "ultrafast"), ("av1", "12")]
    for codec, preset in presets:
        look = FAMILIES[codec].looks(color)[-1]
        assert (look.bit_depth == 10) == (codec != "h264")
        keys = []
        for variant in VARIANTS:
            recipe = Recipe(
                256, 144, 18.0, preset, codec=codec, look=look, mark=Mark(variant, key_id(KEY))
            )
            encoded = pictures.encode_chunk(shop, bright, chunk, recipe, KEY)
            keys.append(pictures.join_rung(shop, bright, [encoded], codec))
            copy = kept_copy(shop, shop.path(keys[-1], pictures.RUNG))
            told = detecting.detect(shop, copy, bright, [0, SHOT_FRAMES], KEY).values
            assert np.mean(told) * SIGNS[variant] > 0.05, (codec, variant, told)
        rungs.append(
            RungToPackage(
                key=keys[0],
                width=256,
                height=144,
                vmaf_mean=90,
                vmaf_p5=80,
                vmaf_predicted=None,
                codec=codec,
                look=look,
                variants=tuple(keys),
            )
        )
    pictures.find_shots(shop, bright)
    order = Order(
        version_id=VersionId(f"ver_{bright[:8]}"),
        title_id=TitleId("ttl_bright"),
        quality="full",
        sha256=bright,
        rungs=rungs,
        sounds=[],
        captions=[],
    )
    assert packaged(shop, order, "cenc").version.marked
