"""The I-frames of a packaged version: one frame of the film each, as the playlist says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from benches.specimen import KEYS, Specimen, findings_of, specimen_of
from cuemark.contexts.encoding.model.validation import trick_play
from cuemark.contexts.encoding.model.validation.samples import init_of
from cuemark.contexts.encoding.model.validation.structure import Track, segment_of
from cuemark.contexts.encoding.model.validation.trick_play import Part
from cuemark.contexts.encoding.stages.pictures import RUNG
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contracts.encoding import IFrames
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


@dataclass(frozen=True)
class TrickPlay:
    """The I-frames of one rendition, as a player finds them."""

    name: str
    folder: Path
    described: IFrames
    parts: list[Part]
    rung: Path

    def bytes_of(self, part: Part) -> bytes:
        data = (self.folder / part.path).read_bytes()
        return data[part.offset : part.offset + part.size_bytes]

    @property
    def init(self) -> bytes:
        return (self.folder / self.name / "init.mp4").read_bytes()

    @property
    def track(self) -> Track:
        init = init_of(self.init)
        files = segments_of(self.folder / self.name)
        segments = [segment_of(path.read_bytes(), init) for path in files]
        return Track(track_id=self.name, pictures=True, init=init, segments=segments)


@pytest.fixture(scope="module")
def trick_plays(specimen: Specimen) -> list[TrickPlay]:
    found = []
    for rung, rendition in zip(specimen.order.rungs, specimen.version.renditions, strict=True):
        assert rendition.iframes is not None
        playlist = (specimen.folder / f"{rendition.iframes.track_id}.m3u8").read_text()
        found.append(
            TrickPlay(
                name=rendition.rendition_id,
                folder=specimen.folder,
                described=rendition.iframes,
                parts=trick_play.parts_of(playlist),
                rung=specimen.shop.path(rung.key, RUNG),
            )
        )
    return found


def pictures_of(file: Path, key: str = "") -> list[Picture]:
    """All that FFmpeg decodes of a file."""
    options = {"ignore_editlist": "1", **({"decryption_key": key} if key else {})}
    with av.open(str(file), options=options) as container:
        return [np.asarray(frame.to_ndarray(), np.uint8) for frame in container.decode(video=0)]


def test_each_range_decodes_to_the_one_frame_of_the_film_at_its_time(
    trick_plays: list[TrickPlay], tmp_path: Path
) -> None:
    key = KEYS[1].key
    for each in trick_plays:
        whole, at = pictures_of(each.rung), 0
        assert len(each.parts) == len(each.track.segments) > 1
        for part in each.parts:
            file = tmp_path / "one.mp4"
            file.write_bytes(each.init + each.bytes_of(part))
            (picture,) = pictures_of(file, key)
            assert np.array_equal(picture, whole[at])
            at += round(part.duration_s * RATE)
        assert at == len(whole) == SECONDS * RATE


def test_the_digests_and_the_rates_are_those_of_the_ranges(trick_plays: list[TrickPlay]) -> None:
    for each in trick_plays:
        listed = (each.folder / f"{each.described.track_id}.digests").read_bytes()
        assert sha256(listed).hexdigest() == each.described.digests_sha256
        playlist = (each.folder / f"{each.described.track_id}.m3u8").read_bytes()
        files = [playlist, each.init, *(each.bytes_of(part) for part in each.parts)]
        assert listed == b"".join(sha256(data).digest()[:16] for data in files)
        bits = 8 * sum(part.size_bytes for part in each.parts)
        assert each.described.bitrate_kbps == pytest.approx(bits / SECONDS / 1000, abs=0.1)
        fullest = max(8 * part.size_bytes / part.duration_s / 1000 for part in each.parts)
        assert each.described.bitrate_kbps <= each.described.peak_bitrate_kbps <= fullest + 0.1


def longer(part: Part) -> Part:
    return msgspec.structs.replace(part, size_bytes=part.size_bytes + 1)


def shorter(part: Part) -> Part:
    return msgspec.structs.replace(part, size_bytes=part.size_bytes - 1)


def early(part: Part) -> Part:
    return msgspec.structs.replace(part, offset=part.offset - 1)


def headless(part: Part) -> Part:
    return msgspec.structs.replace(part, offset=part.offset + 8, size_bytes=part.size_bytes - 8)


def elsewhere(part: Part) -> Part:
    return msgspec.structs.replace(part, path=part.path.replace("/2.", "/1."))


def brief(part: Part) -> Part:
    return msgspec.structs.replace(part, duration_s=part.duration_s - 1 / RATE)


def whole(part: Part) -> Part:
    return msgspec.structs.replace(part, offset=0, size_bytes=10**6)


@pytest.mark.parametrize("wrong", [longer, shorter, early, headless, elsewhere, brief, whole])
def test_a_range_that_is_not_exactly_an_iframe_is_found(
    trick_plays: list[TrickPlay], wrong: Callable[[Part], Part]
) -> None:
    (each, _) = trick_plays

    def found(parts: Sequence[Part]) -> list[str]:
        told = [(part, each.bytes_of(part)) for part in parts]
        return [one.text for one in trick_play.findings(each.name, told, each.track)]

    assert found(each.parts) == []
    first, second, *rest = each.parts
    (text,) = found([first, wrong(second), *rest])
    assert text.startswith(f"I-frame 2 of {each.name} ")
    (text,) = found([first, *rest])
    assert "segments" in text


def test_a_version_with_a_wrong_iframe_playlist_is_not_published(specimen: Specimen) -> None:
    """What else is found follows from it: the index has the playlist that was written."""
    rendition = specimen.version.renditions[0]
    assert rendition.iframes is not None
    file = specimen.folder / f"{rendition.iframes.track_id}.m3u8"
    right = file.read_text()
    first = trick_play.parts_of(right)[0]
    told = f"{first.size_bytes}@{first.offset}"
    try:
        file.write_text(right.replace(told, f"{9 * first.size_bytes}@{first.offset}", 1))
        found = {each.check for each in findings_of(specimen)}
        assert {"trick_play", "bandwidth"} <= found <= {"trick_play", "bandwidth", "manifests"}
        file.write_text(right.replace("#EXT-X-I-FRAMES-ONLY\n", ""))
        assert "trick_play" in {each.check for each in findings_of(specimen)}
        file.unlink()
        assert "trick_play" in {each.check for each in findings_of(specimen)}
    finally:
        file.write_text(right)
    assert findings_of(specimen) == []
