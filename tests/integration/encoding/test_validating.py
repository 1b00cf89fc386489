"""Each seeded defect is found in a version that real tools made, and a clean one has none."""

from pathlib import Path

import msgspec
import pytest

from benches.specimen import (
    DEFECTS,
    Defect,
    Specimen,
    findings_of,
    freeze,
    specimen_of,
    wrong_color_tag,
)
from cuemark.contexts.encoding.model.validation import policy
from cuemark.contexts.encoding.model.validation.findings import Finding
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.model.validation.policy import Validation
from cuemark.contexts.encoding.stages.reports import kept_of
from cuemark.contexts.encoding.stages.validating import (
    QuickVersionRefused,
    VersionRefused,
    validate,
)
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.playback.wiring import manifests_of
from tests.e2e.installation import ffmpeg

RATE, SECONDS = 24, 7
SAID = {
    "black tail": "v96 is black from 6.00 s to 7.00 s, where the master is not",
    "2 s freeze": "v96 stands still from 2.0",
    "mute span": "a-und is silent from 2.0",
    "+40 ms A/V": "the sound of a-und is 40 ms late",
    "wrong color tag": "v96 is tagged with the primaries bt2020, and the master unknown",
    "missing frame": "v96 has 167 frames and the film 168",
    "swapped caption language": "the captions in de are declared as de and read as es",
    "misaligned IDR": "the segments of v144 do not begin where those of v96 do, from segment 2 on",
    "wrong key": "v96 does not decrypt with its key to what was encoded: ",
}
SPOKEN = {
    "de": "Der Zug nach Norden fährt heute eine Stunde später ab. Wir haben noch Zeit für einen "
    "Kaffee am Fenster. Meine Schwester wartet am anderen Ende der Brücke. Hast du die Schlüssel "
    "für das Boot eingesteckt? Morgen früh wird das Wasser wieder ruhig sein.",
    "es": "El tren hacia el norte sale hoy una hora más tarde. Todavía tenemos tiempo para un "
    "café junto a la ventana. Mi hermana espera al otro lado del puente. ¿Has traído las llaves "
    "de la barca? Mañana temprano el agua estará tranquila otra vez.",
}


@pytest.fixture(scope="module")
def captions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("spoken")
    files = {}
    for language, text in SPOKEN.items():
        sentences = text.split(". ")
        cues = [
            f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{sentence}\n"
            for n, sentence in enumerate(sentences, 1)
        ]
        files[language] = folder / f"{language}.srt"
        files[language].write_text("\n".join(cues), encoding="utf-8")
    return files


@pytest.fixture(scope="module")
def specimen(
    shop: Workshop, captions: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Specimen:
    """A film in which something moves and something is heard all the time."""
    film = tmp_path_factory.mktemp("validated") / "film.mp4"
    bursts = "0.3*random(0)*lt(mod(t*t*1.7+3*sin(9*t),1),0.35)+0.004*random(1)"
    ffmpeg(
        ["-f", "lavfi", "-i", f"testsrc2=s=256x144:r={RATE},hue=h=20*t"],
        ["-f", "lavfi", "-i", f"aevalsrc='{bursts}':s=48000"],
        ["-t", str(SECONDS), "-vf", "scroll=h=0.004:v=0.002,format=yuv420p"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-c:a", "aac", str(film)],
    )
    return specimen_of(shop, film, captions, [96, 144])


def texts(found: list[Finding]) -> list[str]:
    return [each.text for each in found]


def test_nothing_is_found_in_a_clean_version(specimen: Specimen) -> None:
    assert findings_of(specimen) == []
    kept = kept_of(specimen.shop.objects, specimen.version).validation
    assert set(kept.checks) == set(policy.CHECKS)


def errors_of(specimen: Specimen) -> list[Finding]:
    """Its film moves too little to have no warning."""
    return [each for each in findings_of(specimen) if each.severity == "error"]


@pytest.fixture(scope="module")
def stating(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Specimen:
    """A film that states its colors, so that files say them in two places, and is all but still."""
    film = tmp_path_factory.mktemp("stating") / "film.mp4"
    colors = "range=tv:color_primaries=smpte170m:color_trc=smpte170m:colorspace=smpte170m"
    walk = "[1]format=yuv420p[w];[0][w]overlay=x=20+40*t:y=60:format=yuv420"
    ffmpeg(
        ["-f", "lavfi", "-i", f"color=gray:s=256x144:r={RATE}"],
        ["-f", "lavfi", "-i", f"color=white:s=12x16:r={RATE}", "-t", "4.5"],
        ["-filter_complex", f"{walk},setparams={colors},format=yuv420p"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", str(film)],
    )
    return specimen_of(shop, film, {}, [144])


def test_what_two_places_say_of_colors_is_held_against_one_another(stating: Specimen) -> None:
    assert errors_of(stating) == []
    found = errors_of(wrong_color_tag(stating))
    assert {each.check for each in found} == {"color"}
    said = "v144 contradicts itself on its primaries: 6 in its colr box and 9 in its pictures"
    assert any(each.text.startswith(said) for each in found), texts(found)


def test_a_freeze_is_found_where_little_moves(stating: Specimen) -> None:
    (only,) = errors_of(freeze(stating))
    assert only.check == "freeze"
    assert only.text.startswith("v144 stands still from ")


def validated_as_quick(specimen: Specimen) -> Validation:
    """What validating finds where the version is a quick one; raises ``VersionRefused``."""
    order = msgspec.structs.replace(specimen.order, quality="quick")
    return validate(
        specimen.shop,
        order,
        specimen.version,
        specimen.keys,
        lambda version: ManifestsOf(*manifests_of(version)),
    )


def test_a_quick_version_passes_the_same_checks(specimen: Specimen) -> None:
    assert set(validated_as_quick(specimen).checks) == set(policy.CHECKS)


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("black tail", True),
        ("mute span", True),
        ("+40 ms A/V", True),
        ("2 s freeze", True),
        ("swapped caption language", False),
    ],
)
def test_a_quick_version_with_a_defect_is_refused_and_the_full_one_only_where_it_has_it_too(
    specimen: Specimen, name: str, alone: bool
) -> None:
    """What was put in from elsewhere is not in the index either, so the index is left out here."""
    (defect,) = [each for each in DEFECTS if each.name == name]
    made = defect.make(specimen)
    rules = policy.changed({"manifests": "warn"})
    order = msgspec.structs.replace(made.order, quality="quick")
    with pytest.raises(VersionRefused, match="the version was not published") as refused:
        validate(
            made.shop,
            order,
            made.version,
            made.keys,
            lambda version: ManifestsOf(*manifests_of(version)),
            rules,
        )
    assert isinstance(refused.value, QuickVersionRefused) is alone


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_seeded_defect_is_found_and_told_and_nothing_else(
    specimen: Specimen, defect: Defect
) -> None:
    """Files that were put in from elsewhere are also not in the index."""
    found = [each for each in findings_of(defect.make(specimen)) if each.check != "manifests"]
    assert any(each.text.startswith(SAID[defect.name]) for each in found), texts(found)
    assert {each.check for each in found} <= defect.checks
    assert {each.severity for each in found} == {"error"}
