"""What is kept of a version's measurements, with real scores and real pictures."""

import msgspec
import numpy as np
from PIL import Image

from cuemark.contexts.encoding.model.effort import VMAF_EVERY
from cuemark.contexts.encoding.model.report import Measures, worst_frame
from cuemark.contexts.encoding.stages import pictures, scoring
from cuemark.contexts.encoding.stages.measuring import Measured, keep_measures
from cuemark.contexts.encoding.stages.reports import kept_of
from cuemark.contexts.encoding.tools import ffmpeg
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.tools.run import run
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.ids import VersionId
from tests.integration.encoding.conftest import SHOT_FRAMES, SHOTS, Studio
from tests.unit.playback.versions import rendition, version

RECIPE = Recipe(128, 72, 34.0, "veryfast")
STRETCHES = [(n * SHOT_FRAMES, (n + 1) * SHOT_FRAMES) for n in range(SHOTS)]


def made(studio: Studio, version_id: str, quality: str) -> tuple[Version, str]:
    """A version of one rendition, its rung scored, and that rung's key."""
    rung = studio.joined_rung(RECIPE, studio.chunk_of_each_shot)
    for stretch in STRETCHES:
        scoring.score_rung(studio.shop, studio.sha256, rung, stretch)
    described = version(renditions=[rendition("v72", 128, 72, 100, "5d" + "0" * 30)])
    return msgspec.structs.replace(
        described, version_id=VersionId(version_id), quality=quality
    ), rung


def luma(path: str, studio: Studio) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    with Image.open(studio.shop.objects.path(path)) as image:
        return np.asarray(image.convert("L"), dtype=np.float64)


def test_every_score_is_kept_and_the_worst_frame_is_the_same_moment_twice(studio: Studio) -> None:
    described, rung = made(studio, "ver_measured", "full")
    measured = Measured(stretches=STRETCHES, shots=studio.starts)
    keep_measures(studio.shop, studio.sha256, described, [rung], measured)
    kept = kept_of(studio.shop.objects, described)
    scores = kept.measures.scores["v72"]
    assert scores.frames[0] == 0
    assert scores.frames[-1] >= SHOTS * SHOT_FRAMES - VMAF_EVERY
    assert kept.measures.shots == studio.starts
    assert len(kept.measures.complexity) == SHOTS
    assert all(each.spatial > 0 for each in kept.measures.complexity)
    encoded, master = (luma(key, studio) for key in kept.pictures["v72"])
    assert encoded.shape == master.shape == (144, 256)
    frame = worst_frame(scores)
    other = studio.shop.objects.path("other.jpg")
    later = (frame + SHOT_FRAMES) % (SHOTS * SHOT_FRAMES)
    argv = ffmpeg.master_frame_argv(studio.shop.programs.ffmpeg, studio.film, later, other)
    bounds = pictures.decoding(studio.film, later)
    run(argv, bounds, reads=[studio.film.path], folder=other.parent)
    same = np.abs(encoded - master).mean()
    assert same * 3 < np.abs(encoded - luma("other.jpg", studio)).mean()


def test_a_quick_version_keeps_scores_and_no_pictures(studio: Studio) -> None:
    described, rung = made(studio, "ver_quick", "quick")
    measured = Measured(stretches=STRETCHES[:1])
    keep_measures(studio.shop, studio.sha256, described, [rung], measured)
    kept = kept_of(studio.shop.objects, described)
    assert kept.pictures == {}
    assert max(kept.measures.scores["v72"].frames) < SHOT_FRAMES


def test_what_an_operator_may_choose_from_is_the_same_for_all_versions_of_a_master(
    studio: Studio,
) -> None:
    kept = []
    for version_id, quality in (("ver_first", "quick"), ("ver_second", "full")):
        described, rung = made(studio, version_id, quality)
        measured = Measured(stretches=STRETCHES[:1])
        keep_measures(studio.shop, studio.sha256, described, [rung], measured)
        kept.append(kept_of(studio.shop.objects, described).artworks)
    found, again = kept
    assert found == again
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert 2 <= len(found) <= SHOTS
    for each in found:
        assert studio.shop.objects.read(each.picture_key).startswith(b"\xff\xd8\xff")


def test_nothing_needs_to_be_kept(studio: Studio) -> None:
    described = msgspec.structs.replace(version(), version_id=VersionId("ver_unknown"))
    kept = kept_of(studio.shop.objects, described)
    assert (kept.measures, kept.pictures, kept.segment_bytes) == (Measures(), {}, {})
