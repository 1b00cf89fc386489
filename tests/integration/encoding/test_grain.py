"""A film with grain and the same film without: what is found in them, and what is made of it."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from benches.encoding.lab import Clip, Done, Lab
from cuemark.contexts.encoding.model.grain import FROM_SIGMA
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.model.watermark import key_id
from cuemark.contexts.encoding.stages import graining, scoring
from cuemark.contexts.encoding.stages.measuring import Measured
from cuemark.contexts.encoding.stages.packaging import Order, RungToPackage, package
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.stages.validating import validate
from cuemark.contexts.encoding.tools.decoding import sample_bytes
from cuemark.contexts.encoding.workflow.renditions import FullRenditions
from cuemark.contexts.encoding.workflow.steps import Steps
from cuemark.contexts.encoding.workflow.tasks import do_picture
from cuemark.contexts.playback.model import dash as dash_writer
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding.jobs import FilmGrain
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import ContentKey
from cuemark.player import dash
from cuemark.player.decode import decode
from tests.e2e.installation import ffmpeg
from tests.unit.playback.versions import appliance

MEDIA = Path(__file__).parents[4] / "shared" / "media"
WIDTH, HEIGHT, FRAMES = 320, 180, 32
NOISE = 12
SIGMA = NOISE / 12**0.5
"""FFmpeg's filter ``noise`` draws evenly from as many codes as its strength is."""

MARK_KEY = bytes(range(16))
KEY = ContentKey(label="SD", kid="01" * 16, key="11" * 16, iv="21" * 16)

WITHOUT_GRAIN = ["-export_side_data", "film_grain"]

Made = tuple[list[RungToPackage], Measured]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("grain"))


def clip(lab: Lab, folder: Path, noise: int) -> Clip:
    target = folder / f"noise-{noise}.mkv"
    grain = f",noise=alls={noise}:allf=t+u:all_seed=1" if noise else ""
    ffmpeg(
        ["-ss", "2", "-i", str(MEDIA / "bbb_720p25.mp4")],
        ["-vf", f"scale={WIDTH}:{HEIGHT},trim=end_frame={FRAMES},setsar=1{grain},format=yuv420p"],
        ["-an", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", str(target)],
    )
    return lab.clip(f"noise {noise}", target)


@pytest.fixture(scope="module")
def grainy(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clip(lab, tmp_path_factory.mktemp("grainy"), NOISE)


@pytest.fixture(scope="module")
def clean(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return clip(lab, tmp_path_factory.mktemp("clean"), 0)


def made(lab: Lab, film: Clip, film_grain: FilmGrain) -> Made:
    job, steps = lab.steps(film, "fast", ("h264", "av1"))
    job = msgspec.structs.replace(job, film_grain=film_grain)
    quick = lab.quick(film)
    walk = FullRenditions(lab.shop, job, steps, film.film, film.chunks, film.starts, quick)
    rungs, measured = walk.rungs()
    return rungs, measured


@pytest.fixture(scope="module")
def synthesized(lab: Lab, grainy: Clip) -> Made:
    return made(lab, grainy, "auto")


@pytest.fixture(scope="module")
def kept(lab: Lab, grainy: Clip) -> Made:
    return made(lab, grainy, "off")


def top(rungs: list[RungToPackage]) -> RungToPackage:
    return [each for each in rungs if each.codec == "av1"][-1]


def made_by_decoder(lab: Lab, file: Path) -> float:
    """The standard deviation, in codes of 8 bits, of what a decoder adds of its own."""
    with_it, without = (_luma(lab, file, flags) for flags in ([], WITHOUT_GRAIN))
    return float((with_it - without).std()) / 4


def _luma(lab: Lab, file: Path, flags: list[str]) -> NDArray[np.float64]:
    argv = [str(lab.shop.programs.ffmpeg), "-v", "error", *flags, "-i", str(file)]
    argv += ["-vf", "extractplanes=y,format=gray10le", "-f", "rawvideo", "-"]
    raw = subprocess.run(argv, capture_output=True, check=True).stdout
    return np.frombuffer(raw, "<u2").astype(np.float64)


def says_film_grain(lab: Lab, file: Path) -> bool:
    """What the sequence header says (AV1 specification, section 5.5.1)."""
    argv = [str(lab.shop.programs.ffmpeg), "-nostats", "-v", "info", "-i", str(file)]
    argv += ["-c", "copy", "-frames:v", "1", "-bsf:v", "trace_headers", "-f", "null", "-"]
    told = subprocess.run(argv, capture_output=True, check=True, text=True).stderr
    found = re.search(r"film_grain_params_present +([01]) = ([01])", told)
    assert found is not None
    return found[2] == "1"


def test_the_grain_of_a_film_is_found_as_strong_as_it_is(lab: Lab, grainy: Clip) -> None:
    graining.find_grain(lab.shop, grainy.sha256)
    found = graining.grain_of(lab.shop, grainy.sha256)
    assert found.sigma == pytest.approx(SIGMA, rel=0.15)
    assert found.told > 1


@pytest.mark.parametrize(
    "name", ["bbb_720p25.mp4", "screen_code_720p30.mp4", "city_cc0_405p25.mpg"]
)
def test_drawings_screens_and_what_was_coded_hard_have_none(lab: Lab, name: str) -> None:
    film = lab.clip(name, MEDIA / name)
    graining.find_grain(lab.shop, film.sha256)
    assert graining.grain_of(lab.shop, film.sha256).sigma < FROM_SIGMA / 3


def test_players_are_told_of_grain_that_is_like_the_films(
    lab: Lab, synthesized: Made, kept: Made
) -> None:
    file = lab.shop.path(top(synthesized[0]).key, RUNG)
    assert says_film_grain(lab, file)
    assert not says_film_grain(lab, lab.shop.path(top(kept[0]).key, RUNG))
    assert SIGMA / 2 < made_by_decoder(lab, file) < 1.2 * SIGMA
    assert made_by_decoder(lab, lab.shop.path(top(kept[0]).key, RUNG)) == 0


def test_it_takes_fewer_bits_for_no_less_quality(lab: Lab, synthesized: Made, kept: Made) -> None:
    with_it, without = top(synthesized[0]), top(kept[0])
    sizes = [sum(sample_bytes(lab.shop.path(each.key, RUNG))) for each in (with_it, without)]
    assert sizes[0] < sizes[1]
    assert with_it.vmaf_mean > without.vmaf_mean - 2


def test_other_codecs_keep_their_grain(synthesized: Made, kept: Made) -> None:
    h264 = [
        [each.key for each in rungs if each.codec == "h264"] for rungs, _ in (synthesized, kept)
    ]
    assert h264[0] == h264[1]


def test_the_walk_says_what_was_found_and_done(synthesized: Made, kept: Made) -> None:
    rungs, measured = synthesized
    assert measured.grain is not None
    assert measured.grain.sigma == pytest.approx(SIGMA, rel=0.15)
    for rung, level in zip(rungs, measured.levels, strict=True):
        assert level == (measured.grain.level(rung.height) if rung.codec == "av1" else None)
    assert kept[1].grain is None
    assert set(kept[1].levels) == {None}


def test_a_version_of_it_passes_validation_and_plays(
    lab: Lab, grainy: Clip, synthesized: Made
) -> None:
    order = Order(
        version_id=VersionId("ver_grain"),
        title_id=TitleId("ttl_1"),
        quality="full",
        sha256=grainy.sha256,
        rungs=[top(synthesized[0])],
        sounds=[],
        captions=[],
    )
    version = package(lab.shop, order, lambda _: [KEY], datetime(2026, 1, 1, tzinfo=UTC))
    root = lab.shop.objects.path(f"versions/{version.version_id}")
    manifest = dash.parse(dash_writer.manifest(version, [appliance("appliance-1")]))
    (rung,) = manifest.video
    init = (root / rung.first.init_path).read_bytes()
    for segment in rung.segments:
        found = decode("video", init, (root / segment.path).read_bytes(), KEY.key, segment)
        assert not found.errors, found.reason
    assert version.renditions[0].iframes is not None
    found_of = validate(
        *(lab.shop, order, version, [KEY]), lambda each: ManifestsOf(*manifests_of(each))
    )
    assert [each.finding for each in found_of.judged if each.action == "block"] == []
    assert "picture" in found_of.checks


def test_what_is_kept_of_a_marked_film_was_scored_with_grain_and_without(
    lab: Lab, grainy: Clip
) -> None:
    job, _ = lab.steps(grainy, "fast", ("h264", "av1"))
    job = msgspec.structs.replace(job, film_grain="auto", mark_key_id=key_id(MARK_KEY))
    steps = Steps(
        lab.shop, job, lambda what: Done(do_picture(lab.shop, what, MARK_KEY)), lambda *_: None
    )
    quick = lab.quick(grainy)
    walk = FullRenditions(*(lab.shop, job, steps, grainy.film, grainy.chunks, grainy.starts, quick))
    rungs, measured = walk.rungs()
    assert any(level is not None for level in measured.levels)
    for rung, level in zip(rungs, measured.levels, strict=True):
        assert rung.key in rung.variants
        for without_grain in {level is not None, False}:
            for stretch in measured.stretches:
                key = scoring.rung_scores_key(
                    *(lab.shop, grainy.sha256, rung.key, stretch, measured.vmaf_every),
                    without_grain=without_grain,
                )
                assert lab.shop.has(key), (rung.codec, without_grain)


def test_a_film_without_grain_is_made_as_if_nobody_asked(lab: Lab, clean: Clip) -> None:
    looked, unasked = made(lab, clean, "auto"), made(lab, clean, "off")
    assert looked[1].grain is None
    assert looked == unasked
