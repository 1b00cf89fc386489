"""From a master to measured rungs, with the real tools."""

from pathlib import Path

import pytest
from PIL import Image

from cuemark.contexts.encoding.model import ladder as ladder_rules
from cuemark.contexts.encoding.model.chunks import Chunk, chunk_plan
from cuemark.contexts.encoding.model.curves import curves_of
from cuemark.contexts.encoding.model.gate import PUBLISHED_WITHIN_VMAF, broken_shots
from cuemark.contexts.encoding.model.probes import Probed, probe_points, width_at
from cuemark.contexts.encoding.stages import pictures, scoring
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import ToolFailed
from cuemark.contracts.encoding.jobs import MasterRejected
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.conftest import RATE, SHOT_FRAMES, SHOTS, Studio, keep

FRAMES = SHOTS * SHOT_FRAMES
SOME = Recipe(256, 144, 26.0, "veryfast")
MEDIA = Path(__file__).parents[4] / "shared" / "media"


def test_the_film_and_its_shots_are_found(studio: Studio) -> None:
    master = studio.film.master
    assert master.frames == FRAMES
    assert master.picture.rate == RATE
    assert (master.picture.width, master.picture.height) == (256, 144)
    assert [each.language for each in master.sounds] == ["de"]
    assert studio.starts == [0, SHOT_FRAMES, 2 * SHOT_FRAMES]
    shots = pictures.shots_key(studio.shop, studio.sha256)
    with Image.open(studio.shop.path(shots, pictures.ARTWORK % 1)) as art:
        assert art.format == "JPEG"
        assert art.size == (256, 144)


def test_a_chunk_that_is_done_is_not_done_again(studio: Studio) -> None:
    chunk = studio.chunk_of_each_shot[1]
    key = pictures.encode_chunk(studio.shop, studio.sha256, chunk, SOME)
    encoded = studio.shop.path(key, "chunk.mp4")
    before = encoded.stat()
    assert pictures.encode_chunk(studio.shop, studio.sha256, chunk, SOME) == key
    after = encoded.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_chunk_has_the_same_bytes_when_it_is_made_again(studio: Studio) -> None:
    chunk = studio.chunk_of_each_shot[1]
    encoded = studio.shop.path(
        pictures.encode_chunk(studio.shop, studio.sha256, chunk, SOME), "chunk.mp4"
    )
    first = encoded.read_bytes()
    encoded.unlink()
    encoded.parent.rmdir()
    pictures.encode_chunk(studio.shop, studio.sha256, chunk, SOME)
    assert encoded.read_bytes() == first


def test_swapped_shots_are_refused_and_ordered_ones_are_not(studio: Studio) -> None:
    first, second, third = studio.chunk_of_each_shot
    right = studio.joined_rung(SOME, [first, second, third])
    wrong = studio.joined_rung(SOME, [first, third, second])
    assert right != wrong
    scores = {
        rung: scoring.scores_of(
            studio.shop, scoring.score_rung(studio.shop, studio.sha256, rung, (0, FRAMES))
        )
        for rung in (right, wrong)
    }
    assert scores[right].frames == list(range(0, FRAMES, 5))
    assert scores[right].mean > 80
    assert broken_shots(scores[right], [scores[right]], studio.starts) == []
    assert broken_shots(scores[wrong], [scores[right]], studio.starts) == studio.starts[1:]


def test_a_rung_that_lost_a_chunk_is_refused(studio: Studio) -> None:
    first, second, _ = studio.chunk_of_each_shot
    with pytest.raises(ToolFailed, match=f"a rung has {2 * SHOT_FRAMES} frames"):
        studio.joined_rung(SOME, [first, second])
    chunks = [
        pictures.chunk_key(studio.shop, studio.sha256, chunk, SOME) for chunk in (first, second)
    ]
    key = pictures.rung_key(studio.shop, studio.sha256, chunks)
    assert not studio.shop.has(key)


def test_a_rung_scores_the_same_at_any_of_its_frames(studio: Studio) -> None:
    """A stretch that begins within the rung is compared with the frames that belong to it."""
    rung = studio.joined_rung(SOME, studio.chunk_of_each_shot)
    whole, middle = (
        scoring.scores_of(
            studio.shop, scoring.score_rung(studio.shop, studio.sha256, rung, stretch)
        )
        for stretch in ((0, FRAMES), (40, 55))
    )
    expected = dict(zip(whole.frames, whole.vmaf, strict=True))
    assert middle.frames == [40, 45, 50]
    for frame, score in zip(middle.frames, middle.vmaf, strict=True):
        assert score == pytest.approx(expected[frame], abs=2.5)


def test_rungs_measure_what_the_ladder_predicted(studio: Studio) -> None:
    """Near enough for the gate to take them, before it has corrected any."""
    picture = studio.film.master.picture
    (chunk,) = chunk_plan(studio.starts, FRAMES, picture.rate)
    seconds = FRAMES / RATE

    def measured(width: int, height: int, crf: float) -> tuple[float, float]:
        recipe = Recipe(width, height, crf, "medium")
        key = pictures.encode_chunk(studio.shop, studio.sha256, chunk, recipe)
        size = studio.shop.path(key, "chunk.mp4").stat().st_size
        scores = scoring.score_chunk(studio.shop, studio.sha256, chunk, recipe)
        return size * 8 / seconds / 1000, scoring.scores_of(studio.shop, scores).mean

    probes = []
    for point in probe_points(picture.height):
        width = width_at(point.height, picture.width, picture.height)
        probes.append(Probed(point, *measured(width, point.height, point.crf)))
    rungs = ladder_rules.ladder(curves_of(probes), probes, picture.width, picture.height)
    assert len(rungs) >= 3
    for rung in rungs:
        recipe = Recipe(rung.width, rung.height, rung.crf, "medium")
        rate_kbps, _ = measured(rung.width, rung.height, rung.crf)
        joined = studio.joined_rung(recipe, [chunk])
        scores = scoring.scores_of(
            studio.shop, scoring.score_rung(studio.shop, studio.sha256, joined, (0, FRAMES))
        )
        assert abs(scores.mean - rung.vmaf) <= PUBLISHED_WITHIN_VMAF, (rung, scores.mean)
        assert ladder_rules.dominating(rate_kbps, scores.mean, probes) is None
        assert broken_shots(scores, [scores], studio.starts) == []


def test_a_film_without_an_index_is_encoded_from_the_right_frames(
    studio: Studio, clip: Path, tmp_path: Path
) -> None:
    stream = tmp_path / "film.ts"
    ffmpeg("-i", str(clip), "-c", "copy", str(stream))
    sha256 = keep(studio.shop, stream)
    pictures.inspect(studio.shop, sha256)
    film = pictures.film_of(studio.shop, sha256)
    assert film.path.name == "film.mkv"
    assert film.master.frames == FRAMES
    late = studio.chunk_of_each_shot[2]
    pictures.encode_chunk(studio.shop, sha256, late, SOME)
    scores = scoring.scores_of(studio.shop, scoring.score_chunk(studio.shop, sha256, late, SOME))
    assert scores.mean > 80


def test_what_is_no_film_is_refused_and_leaves_nothing(
    shop: Workshop, clip: Path, tmp_path: Path
) -> None:
    def written(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    tone = tmp_path / "tone.m4a"
    ffmpeg("-i", str(clip), "-vn", "-c", "copy", str(tone))
    hostile = [
        written("noise", bytes(range(256)) * 40),
        written("zeros", bytes(5000)),
        written("text", b"#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n"),
        written("concat", b"ffconcat version 1.0\nfile /etc/passwd\n"),
        written("cut", clip.read_bytes()[:3000]),
        tone,
    ]
    for file in hostile:
        sha256 = keep(shop, file)
        with pytest.raises(MasterRejected):
            pictures.inspect(shop, sha256)
        assert not shop.has(shop.key("inspect", sha256)), file


def test_the_masters_at_hand_are_inspected_exactly(shop: Workshop) -> None:
    """The project's test media, where they lie beside the repository.

    The flower's container states 18000/301 frames a second, which is what its edit list makes
    of 300 packets; its frames are 256 of 15360 ticks apart, and 2 of them are cut off.
    """
    known = {
        "city_cc0_405p25.mpg": (25, (720, 404), None),
        "flower_handheld_720p60.mp4": (60, (1280, 720), 298),
    }
    for name, (rate, size, frames) in known.items():
        if not (MEDIA / name).exists():
            continue
        sha256 = keep(shop, MEDIA / name)
        pictures.inspect(shop, sha256)
        film = pictures.film_of(shop, sha256)
        picture = film.master.picture
        assert picture.rate == rate
        assert (picture.width, picture.height) == size
        assert frames in (None, film.master.frames)
        last = chunk_plan([0], film.master.frames, picture.rate)[-1]
        excerpt = Chunk(last.index, last.end - 12, last.end, [0])
        recipe = Recipe(320, 180, 20.0, "ultrafast")
        pictures.encode_chunk(shop, sha256, excerpt, recipe)
        key = scoring.score_chunk(shop, sha256, excerpt, recipe)
        assert scoring.scores_of(shop, key).frames == [excerpt.start + n for n in (0, 5, 10)]
