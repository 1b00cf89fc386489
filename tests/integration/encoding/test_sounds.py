"""Films with several sounds: each rendition is heard as it was meant, and measured."""

import dataclasses
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from benches.specimen import KEYS, NOW, Specimen, findings_of, specimen_of
from cuemark.contexts.encoding.model import loudness
from cuemark.contexts.encoding.model.loudness import Loudness
from cuemark.contexts.encoding.model.sound import EVERYWHERE, SoundRecipe, named, recipes_of
from cuemark.contexts.encoding.stages import pictures, sounds
from cuemark.contexts.encoding.stages.packaging import package
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contracts.encoding.jobs import MasterRejected
from cuemark.contracts.ids import VersionId
from tests.e2e.installation import ffmpeg
from tests.integration.encoding.conftest import keep

RATE, SECONDS = 25, 3
SIZE = "192x108"
PICTURE = ["-f", "lavfi", "-i", f"testsrc2=s={SIZE}:r={RATE}:d={SECONDS}"]
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p"]
HEARD_DB = -50.0


def heard(
    channels: str, *expressions: str, seconds: float = SECONDS, rate: int = 48000
) -> list[str]:
    """A source of FFmpeg: an expression for each channel of a layout."""
    source = f"aevalsrc='{'|'.join(expressions)}':c={channels}:s={rate}:d={seconds}"
    return ["-f", "lavfi", "-i", source]


def tone(hertz: int, amplitude: float = 0.2) -> str:
    """In bursts, so that the time of it can be told."""
    return f"{amplitude}*sin({hertz}*2*PI*t)*gt(mod(t*t,0.7),0.25)"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """English surround, its dialogue in the center alone; a French dub; descriptions; a comment."""
    target = tmp_path_factory.mktemp("sounds") / "film.mkv"
    dub = ["0.2*sin(880*2*PI*t)", "0.01*sin(880*2*PI*t)"]
    described = "0.2*sin(1320*2*PI*t)*gt(mod(t,1),0.4)"
    surround = ["0", "0", tone(440), "0.2*sin(60*2*PI*t)", "0", "0"]
    ffmpeg(
        [*PICTURE, *heard("5.1(side)", *surround), *heard("stereo", *dub)],
        [
            *heard("mono", described),
            *heard("stereo", tone(1760, 0.9), tone(1760, 0.9)),
        ],
        [item for n in range(5) for item in ("-map", str(n))],
        [*X264, "-c:a", "flac"],
        [
            item
            for n, tag in enumerate(("eng", "fra", "eng", "eng"))
            for item in (f"-metadata:s:a:{n}", f"language={tag}")
        ],
        ["-disposition:a:0", "default", "-disposition:a:1", "dub"],
        ["-disposition:a:2", "visual_impaired", "-disposition:a:3", "comment", str(target)],
    )
    return target


@pytest.fixture(scope="module")
def specimen(shop: Workshop, film: Path) -> Specimen:
    return specimen_of(shop, film, {}, [108])


def samples_of(file: Path) -> NDArray[np.float32]:
    """What a player gets of a sound file: channels by samples."""
    with av.open(str(file)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        channels = container.streams.audio[0].channels
    planar = [
        frame if len(frame) == channels else frame.reshape(-1, channels).T for frame in frames
    ]
    return np.concatenate(planar, axis=1).astype(np.float32)


def level_db(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(max(1e-12, float((samples.astype(np.float64) ** 2).mean()))))


def pitch_hz(samples: NDArray[np.float32]) -> float:
    """The strongest frequency."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * 48000 / len(samples))


def measured(shop: Workshop, file: Path) -> Loudness:
    """By FFmpeg itself, outside of the product."""
    argv = [str(shop.programs.ffmpeg), "-nostdin", "-hide_banner", "-i", str(file)]
    said = subprocess.run(
        [*argv, "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"],
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    ).stderr
    lufs, peak = re.findall(r"I: +(-?[\d.]+) LUFS|Peak: +(-?[\d.]+|-inf) dBFS", said)[-2:]
    return Loudness(lufs=float(lufs[0]), peak_dbtp=float(peak[1]))


def files(specimen: Specimen) -> Iterator[tuple[str, SoundRecipe, Path]]:
    for each in specimen.order.sounds:
        yield each.track_id, each.recipe, specimen.shop.path(each.key, sounds.file_of(each.recipe))


def test_each_sound_has_its_language_its_role_its_name_and_its_channels(specimen: Specimen) -> None:
    found = [
        (each.track_id, each.language, each.role, each.name, each.codec, each.channels)
        for each in specimen.version.audio
    ]
    described, commented = "English (audio description)", "English (commentary)"
    assert found == [
        ("a-en", "en", "main", "English", "aac", 2),
        ("a-en.opus", "en", "main", "English", "opus", 2),
        ("a-en.aac51", "en", "main", "English", "aac", 6),
        ("a-en.eac3", "en", "main", "English", "eac3", 6),
        ("a-fr", "fr", "dub", "Français", "aac", 2),
        ("a-fr.opus", "fr", "dub", "Français", "opus", 2),
        ("a-en.description", "en", "description", described, "aac", 2),
        ("a-en.description.opus", "en", "description", described, "opus", 2),
        ("a-en.commentary", "en", "commentary", commented, "aac", 2),
        ("a-en.commentary.opus", "en", "commentary", commented, "opus", 2),
    ]


def test_each_rendition_is_at_the_target_with_its_peaks_held_and_has_the_right_sound(
    specimen: Specimen,
) -> None:
    pitches = {"a-en": 440, "a-fr": 880, "a-en.description": 1320, "a-en.commentary": 1760}
    sides = {"a-fr": 26.0}
    for name, recipe, file in files(specimen):
        found = measured(specimen.shop, file)
        assert found.lufs == pytest.approx(loudness.TARGET_LUFS, abs=1), name
        assert found.peak_dbtp <= loudness.TRUE_PEAK_DBTP, name
        samples = samples_of(file)
        assert len(samples) == recipe.channels, name
        assert samples.shape[1] / 48000 == pytest.approx(SECONDS, abs=0.05), name
        sound = name.removesuffix(f".{recipe.name}") if recipe.name else name
        loudest = samples[2 if recipe.mix == "5.1" else 0]
        assert pitch_hz(loudest) == pytest.approx(pitches[sound], abs=2), name
        if recipe.mix == "stereo":
            left, right = (level_db(each) for each in samples)
            assert left - right == pytest.approx(sides.get(sound, 0), abs=1.5), name


def test_the_center_stays_in_the_center_of_surround_and_in_both_sides_of_the_downmix(
    specimen: Specimen,
) -> None:
    found = {name: samples_of(file) for name, _, file in files(specimen)}
    for name in ("a-en.aac51", "a-en.eac3"):
        center, lfe = level_db(found[name][2]), level_db(found[name][3])
        others = [level_db(found[name][place]) for place in (0, 1, 4, 5)]
        assert center > HEARD_DB
        assert lfe > HEARD_DB
        assert max(others) < center - 40, name
    for name in ("a-en", "a-en.opus"):
        left, right = found[name]
        assert level_db(left) == pytest.approx(level_db(right), abs=0.5)
        assert level_db(left) > HEARD_DB
        spectrum = np.abs(np.fft.rfft(left))
        at = [round(hertz * len(left) / 48000) for hertz in (60, 440)]
        assert spectrum[at[0] - 3 : at[0] + 4].max() < spectrum[at[1]] / 100, "the LFE is mixed in"


def test_nothing_is_found_in_a_version_of_several_sounds(specimen: Specimen) -> None:
    assert findings_of(specimen) == []


def test_a_language_that_is_swapped_for_another_is_found(specimen: Specimen) -> None:
    """Both renditions of the dub come from the description, which is heard at other times."""
    order = specimen.order
    described = {each.recipe: each for each in order.sounds if "description" in each.track_id}
    swapped = [
        msgspec.structs.replace(each, key=described[each.recipe].key)
        if each.track_id.startswith("a-fr")
        else each
        for each in order.sounds
    ]
    version_id = VersionId(f"{order.version_id}-swapped")
    other = msgspec.structs.replace(order, sounds=swapped, version_id=version_id)
    version = package(specimen.shop, other, lambda _: KEYS, NOW)
    found = findings_of(dataclasses.replace(specimen, order=other, version=version))
    assert {(each.check, each.severity) for each in found} == {("mute", "error")}
    assert {each.text.split(" is silent")[0] for each in found} == {"a-fr", "a-fr.opus"}


def stage(shop: Workshop, film: Path, *, every: bool = False) -> dict[str, Path]:
    """What the product makes of the sounds of a film, by track id."""
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    made = {}
    for each in named(pictures.film_of(shop, sha256).master.sounds):
        recipes = recipes_of(each.sound) if every else [EVERYWHERE]
        key = sounds.encode_sound(shop, sha256, each.sound.stream, recipes)
        assert sounds.unreadable(shop, key) == ""
        for recipe in recipes:
            made[f"{each.track_id}{recipe.name}"] = shop.path(key, sounds.file_of(recipe))
    return made


def test_peaks_that_a_gain_takes_too_high_are_held_in_every_codec(
    shop: Workshop, tmp_path: Path
) -> None:
    """Quiet speech with loud clicks: at the target the clicks would lie over full scale."""
    clicks = "0.05*sin(300*2*PI*t)+if(lt(mod(t,1),0.004),0.6*sin(5000*2*PI*t),0)"
    film = tmp_path / "f.mkv"
    channels = [clicks, "0.02*random(0)", clicks, "0", "0", "0"]
    ffmpeg([*PICTURE, *heard("5.1", *channels)], [*X264, "-c:a", "flac", str(film)])
    for name, file in stage(shop, film, every=True).items():
        found = measured(shop, file)
        assert found.peak_dbtp <= loudness.TRUE_PEAK_DBTP, name
        assert found.lufs == pytest.approx(loudness.TARGET_LUFS, abs=1), name


def test_odd_sounds_are_at_the_target_in_both_sides_and_as_long_as_the_picture(
    shop: Workshop, tmp_path: Path
) -> None:
    """Mono, 7.1 with its sound in the sides, 96 kHz, and one that ends early."""
    film = tmp_path / "f.mkv"
    odd = [
        heard("mono", tone(440)),
        heard("7.1", *["0"] * 6, tone(440), tone(440)),
        heard("stereo", tone(440), tone(440), rate=96000),
        heard("mono", tone(440), seconds=1.6),
    ]
    maps = [item for n in range(1 + len(odd)) for item in ("-map", str(n))]
    ffmpeg(
        [*PICTURE, *(item for each in odd for item in each), *maps, *X264],
        ["-c:a", "flac", str(film)],
    )
    made = stage(shop, film)
    assert len(made) == len(odd)
    for name, file in made.items():
        left, right = samples_of(file)
        assert measured(shop, file).lufs == pytest.approx(loudness.TARGET_LUFS, abs=1), name
        assert level_db(left) == pytest.approx(level_db(right), abs=0.5)
        assert len(left) / 48000 == pytest.approx(SECONDS, abs=0.05)


def test_a_sound_that_begins_late_stays_late(shop: Workshop, tmp_path: Path) -> None:
    film = tmp_path / "f.mkv"
    late = ["-itsoffset", "1.0", *heard("mono", "0.3*sin(440*2*PI*t)", seconds=1.5)]
    ffmpeg(
        [*PICTURE, *heard("mono", "0.2*sin(880*2*PI*t)"), *late],
        ["-map", "0", "-map", "1", "-map", "2", *X264, "-c:a", "pcm_s16le", str(film)],
    )
    (_, file) = stage(shop, film)["a-und"], stage(shop, film)["a-und.2"]
    left = samples_of(file)[0]
    begins = np.flatnonzero(np.abs(left) > 0.02)
    assert begins[0] / 48000 == pytest.approx(1.0, abs=0.03)
    assert begins[-1] / 48000 == pytest.approx(2.5, abs=0.03)


def test_silence_stays_silence(shop: Workshop, tmp_path: Path) -> None:
    film = tmp_path / "f.mkv"
    ffmpeg([*PICTURE, *heard("5.1", *["0"] * 6)], [*X264, "-c:a", "flac", str(film)])
    for name, file in stage(shop, film, every=True).items():
        assert level_db(samples_of(file)) < -100, name


@pytest.mark.parametrize("broken", [0, 1])
def test_a_sound_that_cannot_be_decoded_is_told_and_never_the_default_one_lost(
    shop: Workshop, tmp_path: Path, broken: int
) -> None:
    film = tmp_path / f"{broken}.mkv"
    tones = [*heard("mono", tone(440)), *heard("mono", tone(880))]
    ffmpeg(
        [*PICTURE, *tones, "-map", "0", "-map", "1", "-map", "2"],
        [*X264, "-c:a", "ac3"],
        [f"-bsf:a:{broken}", "noise=amount=1", "-metadata:s:a:1", "language=fra", str(film)],
    )
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    told = rf"the sound of stream {broken + 1} \(\w+\) cannot be decoded"
    if broken == 0:
        with pytest.raises(MasterRejected, match=told):
            sounds.encode_sound(shop, sha256, 1, [EVERYWHERE])
        return
    key = sounds.encode_sound(shop, sha256, 2, [EVERYWHERE])
    assert re.fullmatch(told, sounds.unreadable(shop, key))


def test_an_index_keeps_every_sound_and_what_is_said_of_it(shop: Workshop, tmp_path: Path) -> None:
    """A transport stream has no index: the film is copied into a file that has."""
    film = tmp_path / "f.ts"
    tones = [*heard("mono", tone(440)), *heard("mono", tone(880))]
    ffmpeg(
        [*PICTURE, *tones, "-map", "0", "-map", "1", "-map", "2"],
        [*X264, "-c:a", "aac", "-metadata:s:a:0", "language=eng"],
        ["-metadata:s:a:1", "language=fra", "-disposition:a:1", "visual_impaired", str(film)],
    )
    sha256 = keep(shop, film)
    pictures.inspect(shop, sha256)
    found = pictures.film_of(shop, sha256).master.sounds
    assert [(each.language, each.role) for each in found] == [("en", "main"), ("fr", "description")]
