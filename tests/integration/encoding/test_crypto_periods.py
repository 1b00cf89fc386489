"""A version whose keys change: cut in all tracks, each period opens with its own key alone."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from benches.specimen import NOW, Specimen, findings_of, specimen_of
from cuemark.contexts.encoding.model.validation import policy
from cuemark.contexts.encoding.stages.packaging import package
from cuemark.contexts.encoding.stages.reports import kept_of
from cuemark.contexts.encoding.stages.segments import segments_of
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import ContentKey
from cuemark.contracts.protection import Scheme
from cuemark.player import dash, hls
from cuemark.player.decode import Kind, decode
from cuemark.player.manifest import Manifest, Rung
from tests.e2e.installation import ffmpeg

SECONDS, RATE, PERIOD_S = 7, Fraction(30000, 1001), 2.5
SAID = "The train to the north leaves an hour late today. We still have time for a coffee."


@dataclass(frozen=True)
class Studio:
    """One film in both schemes, with keys that change."""

    clear: Specimen
    cbcs: Specimen
    cenc: Specimen


def keys_for(periods: int) -> list[ContentKey]:
    return [
        ContentKey(
            label=label,
            kid=f"{label_number:02x}{period:02x}" * 8,
            key=f"{label_number + 8:02x}{period:02x}" * 8,
            iv=f"{label_number + 16:02x}{period:02x}" * 8,
            period=period,
        )
        for period in range(periods)
        for label_number, label in enumerate(("AUDIO", "SD"), 1)
    ]


def packaged(base: Specimen, scheme: Scheme) -> Specimen:
    order = msgspec.structs.replace(
        base.order,
        version_id=VersionId(f"{base.order.version_id}-{scheme}"),
        crypto_period_s=PERIOD_S,
    )
    version = package(base.shop, order, keys_for, NOW, scheme=scheme)
    return Specimen(base.shop, order, version, keys_for(len(version.periods)))


@pytest.fixture(scope="module")
def studio(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    folder = tmp_path_factory.mktemp("periods")
    bursts = "0.3*random(0)*lt(mod(t*t*1.7+3*sin(9*t),1),0.35)+0.004*random(1)"
    ffmpeg(
        ["-f", "lavfi", "-i", f"testsrc2=s=256x144:r={RATE},hue=h=20*t"],
        ["-f", "lavfi", "-i", f"aevalsrc='{bursts}':s=48000"],
        ["-t", str(SECONDS), "-vf", "scroll=h=0.004:v=0.002,format=yuv420p"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-c:a", "aac"],
        str(folder / "film.mp4"),
    )
    captions = folder / "en.srt"
    captions.write_text(f"1\n00:00:00,500 --> 00:00:06,000\n{SAID}\n")
    base = specimen_of(shop, folder / "film.mp4", {"en": captions}, [96, 144])
    return Studio(base, packaged(base, "cbcs"), packaged(base, "cenc"))


def test_periods_begin_with_segments_of_all_tracks_at_one_time(studio: Studio) -> None:
    version = studio.cbcs.version
    assert len(version.periods) == 4
    video = version.video_timeline
    for number, each in enumerate(version.periods):
        assert each.start == video.start + sum(video.durations[: each.video - 1])
        boundary_s = Fraction(each.start, video.timescale)
        for codec_string, first in each.sounds.items():
            timeline = version.audio_timelines[codec_string]
            begins = timeline.start + sum(timeline.durations[: first - 1])
            late_s = boundary_s - Fraction(begins, timeline.timescale)
            assert 0 <= late_s < Fraction(1024, 48000) or number == 0
    lengths = [
        sum(video.durations[here.video - 1 : after.video - 1]) / video.timescale
        for here, after in zip(version.periods, version.periods[1:], strict=False)
    ]
    assert all(PERIOD_S / 2 < length <= PERIOD_S for length in lengths)


def test_pictures_are_cut_as_without_periods_and_no_frame_is_lost(studio: Studio) -> None:
    """The packaging itself compares all samples with those of the encodes."""
    assert studio.cbcs.version.video_timeline == studio.clear.version.video_timeline
    for timeline in studio.cbcs.version.audio_timelines.values():
        assert Fraction(sum(timeline.durations), timeline.timescale) == 210 / RATE


@pytest.mark.parametrize("scheme", ["cbcs", "cenc"])
def test_validation_decrypts_every_frame_of_all_periods_and_finds_nothing(
    studio: Studio, scheme: Scheme
) -> None:
    specimen = studio.cbcs if scheme == "cbcs" else studio.cenc
    assert findings_of(specimen) == []
    assert set(kept_of(specimen.shop.objects, specimen.version).validation.checks) == set(
        policy.CHECKS
    )


def test_a_key_of_another_period_is_found_by_validation(studio: Studio) -> None:
    swapped = [
        msgspec.structs.replace(key, kid=other.kid)
        for key, other in zip(
            studio.cbcs.keys, [*studio.cbcs.keys[2:], *studio.cbcs.keys[:2]], strict=True
        )
    ]
    specimen = Specimen(studio.cbcs.shop, studio.cbcs.order, studio.cbcs.version, swapped)
    assert {each.check for each in findings_of(specimen)} == {"decrypt"}


def test_an_init_segment_of_another_period_is_found(studio: Studio) -> None:
    source = studio.cenc
    order = msgspec.structs.replace(source.order, version_id=VersionId("ver_mixed-up"))
    version = package(source.shop, order, keys_for, NOW, scheme="cenc")
    mixed = Specimen(source.shop, order, version, source.keys)
    shutil.copy(mixed.folder / "v96" / "init-2.mp4", mixed.folder / "v96" / "init-3.mp4")
    texts = [each.text for each in findings_of(mixed) if each.check == "protection"]
    assert texts[0].startswith("v96 in period 3 states cenc with key 0201")


@pytest.mark.parametrize("scheme", ["cbcs", "cenc"])
def test_a_segment_decodes_with_the_key_of_its_period_and_no_other(
    studio: Studio, scheme: Scheme
) -> None:
    specimen = studio.cbcs if scheme == "cbcs" else studio.cenc
    tracks: list[tuple[str, Kind]] = [
        ("v144", "video"),
        (specimen.version.audio[0].track_id, "audio"),
    ]
    manifest = manifest_of(specimen)
    keys = {key.kid: key.key for key in specimen.keys}
    for name, kind in tracks:
        rung = rung_of(manifest, name)
        for stretch in (rung.first, *rung.later):
            segment = rung.segments[stretch.index]
            init = (specimen.folder / stretch.init_path).read_bytes()
            media = (specimen.folder / segment.path).read_bytes()
            for kid, key in keys.items():
                decoded = decode(kind, init, media, key, segment)
                assert (decoded.errors == 0) == (kid == stretch.kid), (name, stretch, kid)


def test_packaging_again_gives_the_same_bytes(studio: Studio) -> None:
    specimen = studio.cenc
    before = files_of(specimen.folder)
    specimen.folder.rename(specimen.folder.with_name("ver_periods_before"))
    again = package(specimen.shop, specimen.order, keys_for, NOW, scheme="cenc")
    assert again == specimen.version
    assert files_of(specimen.folder) == before


def test_the_digests_have_the_init_segments_of_later_periods_at_their_end(studio: Studio) -> None:
    version, folder = studio.cbcs.version, studio.cbcs.folder
    rendition = version.renditions[1]
    frames = rendition.iframes
    assert frames is not None
    for name, seal in (
        (rendition.rendition_id, rendition.digests_sha256),
        (frames.track_id, frames.digests_sha256),
        (version.audio[0].track_id, version.audio[0].digests_sha256),
    ):
        inits = rendition.rendition_id if name == frames.track_id else name
        listed = (folder / f"{name}.digests").read_bytes()
        assert sha256(listed).hexdigest() == seal
        first, *later = [folder / inits / each.init for each in version.periods]
        files = [folder / f"{name}.m3u8", first, *segments_of(folder / name), *later]
        assert listed == b"".join(sha256(file.read_bytes()).digest()[:16] for file in files)


def test_captions_are_in_each_period_from_its_beginning(studio: Studio) -> None:
    (track,) = studio.cbcs.version.captions
    texts = [(studio.cbcs.folder / path).read_text() for path in track.period_paths]
    assert len(texts) == 4
    assert "00:00:00.500 --> 00:00:01.735" in texts[0]
    assert "00:00:00.000 --> 00:00:01.7" in texts[1]
    assert all("The train" in text for text in texts)
    assert "00:00:06.000" in (studio.cbcs.folder / track.path).read_text()


def test_both_manifests_say_the_same_of_every_segment_and_key(studio: Studio) -> None:
    specimen = studio.cbcs
    by_dash, by_hls = manifest_of(specimen), hls_manifest_of(specimen)
    assert by_dash.duration_s == pytest.approx(by_hls.duration_s, abs=1e-3)
    for one in (*by_dash.video, *by_dash.audio):
        other = rung_of(by_hls, one.rung_id)
        assert [each.path for each in one.segments] == [each.path for each in other.segments]
        for mine, theirs in zip(one.segments, other.segments, strict=True):
            assert mine.start_s == pytest.approx(theirs.start_s, abs=1e-3)
        said = [(each.index, each.init_path) for each in (one.first, *one.later)]
        assert said == [(each.index, each.init_path) for each in (other.first, *other.later)]
        kids = [each.kid for each in (one.first, *one.later)]
        assert kids == [each.key_url[-32:] for each in (other.first, *other.later)]
        assert len(set(kids)) == 4


def manifest_of(specimen: Specimen) -> Manifest:
    return dash.parse(manifests_of(specimen.version)[0])


def hls_manifest_of(specimen: Specimen) -> Manifest:
    multivariant = hls.parse_multivariant(manifests_of(specimen.version)[1])
    playlists = {
        path: hls.parse_media((specimen.folder / path).read_text(), multivariant.variables)
        for path in multivariant.paths
    }
    return hls.assemble(multivariant, playlists)


def rung_of(manifest: Manifest, name: str) -> Rung:
    return next(each for each in (*manifest.video, *manifest.audio) if each.rung_id == name)


def files_of(root: Path) -> dict[str, bytes]:
    paths: Sequence[Path] = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
