"""The I-frames of a packaged version: one frame of the film each, as the playlist says."""

from hashlib import sha256
from pathlib import Path

import av
import m3u8
import numpy as np
import pytest
from numpy.typing import NDArray

from benches.specimen import KEYS, Specimen, findings_of, specimen_of
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contracts.encoding.versions import Rendition
from tests.e2e.installation import ffmpeg

RATE, SECONDS = 24, 5

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def specimen(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Specimen:
    """A film of which no frame is like another."""
    film = tmp_path_factory.mktemp("trick") / "film.mp4"
    ffmpeg(
        ["-f", "lavfi", "-i", f"testsrc2=s=256x144:r={RATE},hue=h=20*t"],
        ["-t", str(SECONDS), "-vf", "scroll=h=0.004:v=0.002,format=yuv420p"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", str(film)],
    )
    return specimen_of(shop, film, {}, [96, 144])


@pytest.fixture(scope="module")
def rendition(specimen: Specimen) -> Rendition:
    """The one that has its I-frames beside it."""
    (one,) = (each for each in specimen.version.renditions if each.iframes is not None)
    return one


@pytest.fixture(scope="module")
def frames(specimen: Specimen, rendition: Rendition) -> list[Path]:
    assert rendition.iframes is not None
    return segments_of(specimen.folder / rendition.iframes.track_id)


def pictures_of(file: Path, key: str = "") -> list[Picture]:
    """All that FFmpeg decodes of a file."""
    options = {"ignore_editlist": "1", **({"decryption_key": key} if key else {})}
    with av.open(str(file), options=options) as container:
        return [np.asarray(frame.to_ndarray(), np.uint8) for frame in container.decode(video=0)]


def test_each_iframe_decodes_to_the_one_frame_of_the_film_at_its_time(
    specimen: Specimen, rendition: Rendition, frames: list[Path], tmp_path: Path
) -> None:
    init = (specimen.folder / rendition.rendition_id / "init.mp4").read_bytes()
    (rung,) = (each for each in specimen.order.rungs if each.height == rendition.height)
    whole, at = pictures_of(specimen.shop.path(rung.key, RUNG)), 0
    timeline = specimen.version.video_timeline
    assert len(frames) == len(timeline.durations) > 1
    for path, ticks in zip(frames, timeline.durations, strict=True):
        file = tmp_path / "one.mp4"
        file.write_bytes(init + path.read_bytes())
        (picture,) = pictures_of(file, KEYS[1].key)
        assert np.array_equal(picture, whole[at])
        file.write_bytes(init + path.read_bytes())
        assert not any(np.array_equal(each, whole[at]) for each in undecryptable(file))
        at += round(ticks / timeline.timescale * RATE)
    assert at == len(whole) == SECONDS * RATE


def undecryptable(file: Path) -> list[Picture]:
    try:
        return pictures_of(file)
    except av.FFmpegError:
        return []


def test_the_iframes_are_listed_sealed_and_as_rich_as_they_are(
    specimen: Specimen, rendition: Rendition, frames: list[Path]
) -> None:
    described = rendition.iframes
    assert described is not None
    listed = (specimen.folder / f"{described.track_id}.digests").read_bytes()
    assert sha256(listed).hexdigest() == described.digests_sha256
    init = specimen.folder / rendition.rendition_id / "init.mp4"
    files = [specimen.folder / f"{described.track_id}.m3u8", init, *frames]
    assert listed == b"".join(sha256(path.read_bytes()).digest()[:16] for path in files)
    read = m3u8.loads(files[0].read_text())
    assert read.is_i_frames_only
    assert [each.uri for each in read.segments] == [
        f"{described.track_id}/{path.name}" for path in frames
    ]
    rates = [
        8 * path.stat().st_size / each.duration / 1000
        for path, each in zip(frames, read.segments, strict=True)
    ]
    bits = 8 * sum(path.stat().st_size for path in frames)
    assert described.bitrate_kbps == pytest.approx(bits / SECONDS / 1000, abs=0.1)
    assert described.bitrate_kbps <= described.peak_bitrate_kbps <= max(rates) + 0.1
    assert described.bitrate_kbps < rendition.bitrate_kbps


def test_a_version_with_a_wrong_iframe_is_not_published(
    specimen: Specimen, rendition: Rendition, frames: list[Path]
) -> None:
    """What else is found follows from it: the index has the files that were written."""

    def told() -> list[str]:
        found = [each for each in findings_of(specimen) if each.check == "trick_play"]
        return [each.text for each in found]

    segment = specimen.folder / rendition.rendition_id / frames[1].name
    for wrong, says in {
        segment.read_bytes(): "I-frame 2 of v144.iframes is not one IDR frame",
        frames[0].read_bytes(): "I-frame 2 of v144.iframes does not stand for its segment",
        frames[1].read_bytes()[:-1]: "I-frame 2 of v144.iframes is not as it must be",
    }.items():
        right = frames[1].read_bytes()
        try:
            frames[1].write_bytes(wrong)
            assert [text.startswith(says) for text in told()] == [True], told()
        finally:
            frames[1].write_bytes(right)
    assert findings_of(specimen) == []
