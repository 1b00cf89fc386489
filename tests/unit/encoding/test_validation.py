"""The decisions of validation: what is found in facts, and what a policy does about it."""

from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cuemark.contexts.encoding.model.boxes import BoxesInvalid
from cuemark.contexts.encoding.model.validation import (
    color,
    manifests,
    pictures,
    policy,
    samples,
    sound,
    spoken,
    structure,
)
from cuemark.contexts.encoding.model.validation.color import Tags
from cuemark.contexts.encoding.model.validation.encryption import Encryption
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contexts.encoding.model.validation.flashes import Flashes
from cuemark.contexts.encoding.model.validation.pictures import HEIGHT, WIDTH, Trace
from cuemark.contexts.encoding.model.validation.sound import FLOOR_DB, HOP_S
from cuemark.contexts.encoding.model.validation.spoken import Guess, Guessed
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding import Action, Check, Rule, Severity
from tests.unit.playback.versions import version

CHECKS, SEVERITIES, ACTIONS = get_args(Check), get_args(Severity), get_args(Action)
RATE = 25.0

some_findings = st.lists(
    st.builds(
        Finding,
        check=st.sampled_from(CHECKS),
        severity=st.sampled_from(SEVERITIES),
        text=st.just("something is so"),
    )
)
some_changes = st.dictionaries(
    st.sampled_from(CHECKS),
    st.sampled_from(ACTIONS)
    | st.builds(
        Rule,
        error=st.none() | st.sampled_from(ACTIONS),
        warning=st.none() | st.sampled_from(ACTIONS),
    ),
)


@given(some_findings, some_changes)
def test_a_version_is_refused_exactly_where_its_policy_blocks_a_finding(
    found: list[Finding], changes: dict[Check, Action | Rule]
) -> None:
    rules = policy.changed(changes)
    judged = policy.judge([], found, rules)
    blocks = [each for each in found if policy.action(each, rules) == "block"]
    assert bool(policy.refusal(judged)) == bool(blocks)
    assert len(judged.blocking) == len(blocks)
    assert "ignore" not in {each.action for each in judged.judged}


@given(some_changes)
def test_a_change_of_one_check_leaves_the_others(changes: dict[Check, Action | Rule]) -> None:
    rules = policy.changed(changes)
    for check in CHECKS:
        wanted, default = changes.get(check), policy.DEFAULT[check]
        if wanted is None:
            assert rules[check] == default
        elif isinstance(wanted, Rule):
            assert rules[check].error == (wanted.error or default.error)
            assert rules[check].warning == (wanted.warning or default.warning)
        else:
            assert (rules[check].error, rules[check].warning) == (wanted, default.warning)


def test_no_warning_blocks_unless_an_install_says_so() -> None:
    assert {actions.warning for actions in policy.DEFAULT.values()} == {"warn"}
    assert set(policy.DEFAULT) == set(CHECKS)


def test_a_refusal_is_one_sentence_that_says_what_to_do() -> None:
    several = [error("black", "v96 is black"), error("mute", "a-en is silent")]
    said = policy.refusal(policy.judge([], several, policy.DEFAULT))
    assert said == (
        "the version was not published: v96 is black, and 1 more finding blocks it; mend the film, "
        "or let it pass by `validation` in the settings (black, mute)"
    )


def film(seed: int, frames: int = 100) -> NDArray[np.uint8]:
    """Tiny pictures of something that moves."""
    generator = np.random.default_rng(seed)
    wide = generator.integers(40, 220, (HEIGHT, WIDTH + frames)).astype(np.float32)
    smooth = (wide + np.roll(wide, 1, 1) + np.roll(wide, 2, 1) + np.roll(wide, 3, 1)) / 4
    return np.stack([smooth[:, n : n + WIDTH] for n in range(frames)]).astype(np.uint8)


def found_in(encoded: NDArray[np.uint8], master: NDArray[np.uint8]) -> list[Finding]:
    trace = Trace(pictures.compared(encoded, None, master, 0), len(encoded))
    return pictures.findings("v", trace, len(encoded), RATE)


@given(st.integers(0, 1000), st.integers(-3, 3))
def test_nothing_is_found_in_pictures_that_are_the_masters_but_for_noise(
    seed: int, noise: int
) -> None:
    master = film(seed)
    generator = np.random.default_rng(seed)
    grain = generator.integers(-abs(noise), abs(noise) + 1, master.shape)
    assert found_in(np.clip(master + grain, 0, 255).astype(np.uint8), master) == []


@given(st.integers(0, 1000), st.integers(1, 60))
def test_a_frame_that_is_missing_is_found(seed: int, at: int) -> None:
    master = film(seed)
    assert [each.check for each in found_in(np.delete(master, at, axis=0), master)] == ["frames"]


@given(st.integers(0, 1000), st.integers(0, 60), st.integers(4, 40))
def test_black_that_the_master_has_not_is_found_where_it_is(seed: int, at: int, lasts: int) -> None:
    master = film(seed)
    encoded = master.copy()
    encoded[at : at + lasts] = 16
    (only,) = found_in(encoded, master)
    assert only.check == "black"
    assert f"from {at / RATE:.2f} s to {(at + lasts) / RATE:.2f} s" in only.text


def test_blocks_of_pictures_compare_as_the_whole_does() -> None:
    master = film(1)
    encoded = np.roll(master, 1, axis=0)
    whole = pictures.compared(encoded, None, master, 0)
    parts = [
        pictures.compared(encoded[at : at + 30], encoded[at - 1] if at else None, master, at)
        for at in range(0, 100, 30)
    ]
    assert np.array_equal(whole, np.concatenate(parts))


def test_a_masters_own_black_stillness_and_cadence_are_only_warned_of() -> None:
    steps = np.full(500, 2.0, np.float32)
    steps[100:300] = 0
    steps[400::5] = 0
    lumas, peaks = np.full(500, 90, np.float32), np.full(500, 200, np.float32)
    lumas[300:360], peaks[300:360] = 16, 17
    found = pictures.own_findings(steps, lumas, peaks, RATE)
    assert [(each.check, each.severity) for each in found] == [
        ("black", "warning"),
        ("freeze", "warning"),
        ("cadence", "warning"),
    ]


@pytest.mark.parametrize(("every", "flashes"), [(2, True), (3, True), (8, False), (100, False)])
def test_more_than_three_flashes_a_second_are_told(every: int, *, flashes: bool) -> None:
    counter = Flashes(RATE)
    for frame in range(100):
        value = 235 if frame // every % 2 else 16
        counter.add(np.full((1, HEIGHT, WIDTH), value, np.uint8))
    assert bool(counter.findings()) == flashes


def levels(seed: int, seconds: float = 14) -> sound.Levels:
    generator = np.random.default_rng(seed)
    steps = generator.choice([FLOOR_DB, -40.0, -25.0, -12.0], round(seconds / 0.06))
    return np.repeat(steps, round(0.06 / HOP_S)).astype(np.float32)


@given(st.integers(0, 1000), st.integers(-60, 60), st.floats(-12, 12))
def test_an_offset_is_found_whatever_the_gain(seed: int, hops: int, gain: float) -> None:
    master = levels(seed)
    late = np.roll(master, hops) + np.float32(gain)
    found = sound.offset_s(late.astype(np.float32), master)
    assert found == pytest.approx(hops * HOP_S, abs=HOP_S)


def test_a_steady_tone_tells_no_offset() -> None:
    tone = np.full(3000, -20, np.float32)
    assert sound.offset_s(tone, tone) is None
    assert sound.findings("a", tone, tone) == []


@given(st.integers(0, 1000), st.floats(-4, 10))
def test_what_is_silent_only_in_the_version_is_found(seed: int, gain: float) -> None:
    master = np.maximum(levels(seed), -45)
    ours = (master + np.float32(gain)).astype(np.float32)
    assert sound.findings("a", ours, master) == []
    ours[1000:1100] = FLOOR_DB
    (only,) = sound.findings("a", ours, master)
    assert (only.check, only.severity) == ("mute", "error")
    assert "from 5.00 s to 5.50 s" in only.text


def test_a_masters_own_silence_is_only_warned_of() -> None:
    silent = np.full(3000, FLOOR_DB, np.float32)
    assert sound.findings("a", silent, silent) == []
    (only,) = sound.own_findings("English", silent)
    assert only.severity == "warning"


def guessed(language: str, sure: float = 1.0, letters: int = 800, parts: int = 8) -> Guessed:
    return Guessed(
        letters=letters,
        whole=Guess(language, sure),
        parts=[Guess(language, sure)] * parts,
        known=["de", "en", "es", "da", "no", "pt"],
    )


@pytest.mark.parametrize(
    ("declared", "read"),
    [
        ("de", guessed("de")),
        ("pt-BR", guessed("pt")),
        ("de", guessed("es", sure=0.9)),
        ("de", guessed("es", letters=90)),
        ("de", guessed("es", parts=0)),
        ("nb", guessed("da")),
        ("tlh", guessed("es")),
        ("de", guessed("zxx")),
        ("de", msgspec.structs.replace(guessed("es"), parts=[Guess("de", 1), Guess("es", 1)])),
    ],
)
def test_no_language_is_claimed_that_is_not_sure(declared: str, read: Guessed) -> None:
    assert spoken.findings("x", declared, read) == []


def test_a_language_that_is_sure_is_claimed() -> None:
    (only,) = spoken.findings("de (SDH)", "de", guessed("es"))
    assert only.text == "the captions in de (SDH) are declared as de and read as es"


@pytest.mark.parametrize(
    ("ours", "theirs", "checks"),
    [
        (Tags(), Tags(), set()),
        (Tags(color_space="bt709"), Tags(), set()),
        (Tags(color_space="bt709"), Tags(color_space="gbr"), set()),
        (Tags(color_space="smpte170m"), Tags(color_space="bt709"), {"color"}),
        (Tags(color_range="pc"), Tags(color_range="pc"), set()),
        (Tags(color_range="pc"), Tags(color_range="tv"), {"color"}),
        (Tags(color_range="tv"), Tags(color_range="pc"), {"color"}),
        (Tags(color_range="tv"), Tags(color_range="pc", color_space="gbr"), set()),
        (Tags(field_order="tt"), Tags(field_order="tt"), {"interlace"}),
    ],
)
def test_colors_and_fields_are_those_of_the_master_made_progressive(
    ours: Tags, theirs: Tags, checks: set[Check]
) -> None:
    assert {each.check for each in color.findings("v", ours, theirs)} == checks


@given(st.binary(max_size=200))
def test_boxes_that_are_none_are_refused_and_nothing_else_happens(data: bytes) -> None:
    init = samples.Init(
        codec="avc1",
        timescale=25,
        shift=0,
        encryption=Encryption("cbcs", "", 0, 16),
        length_bytes=4,
        trex_duration=1,
        trex_flags=0,
    )
    for read in (samples.init_of, lambda each: structure.segment_of(each, init)):
        with pytest.raises(BoxesInvalid):
            read(data)


def test_both_manifests_refer_to_the_same_media() -> None:
    described = version()
    written = manifests.ManifestsOf(*manifests_of(described))
    dash = manifests.read_dash(written.dash, written.base_url, described.duration_s)
    ids = {each.rendition_id for each in described.renditions}
    sounds = {each.track_id for each in described.audio}
    assert {each.track for each in dash.declared} >= ids | sounds
    segments = len(described.video_timeline.durations)
    assert {f"v360/{n}.m4s" for n in range(1, segments + 1)} <= dash.files
    hls = manifests.read_hls(written.hls, written.base_url, {})
    assert {f"{each}.m3u8" for each in ids} <= hls.files
    assert {each.track for each in hls.declared} == ids
    assert all(each.sounds == sounds and each.mean for each in hls.declared)


def test_files_of_a_kind_that_is_not_known_count_where_a_manifest_refers_to_them() -> None:
    described = version()
    written = manifests.ManifestsOf(*manifests_of(described))
    tiles = (
        '<AdaptationSet contentType="image" mimeType="image/jpeg"><SegmentTemplate '
        'media="$RepresentationID$/$Number%03d$.jpg" timescale="1" duration="60" startNumber="1"/>'
        '<Representation id="tiles" bandwidth="9000"/></AdaptationSet></Period>'
    )
    dash = manifests.read_dash(
        written.dash.replace("</Period>", tiles), written.base_url, described.duration_s
    )
    assert "tiles/001.jpg" in dash.files
    listed = (
        f'#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=9000,CODECS="jpeg",URI="{written.base_url}tiles.m3u8"\n'
    )
    playlist = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:60\n#EXT-X-IMAGES-ONLY\n#EXTINF:60,\n"
        "#EXT-X-TILES:RESOLUTION=160x90,LAYOUT=5x5,DURATION=2\ntiles/001.jpg\n#EXT-X-ENDLIST\n"
    )
    hls = manifests.read_hls(written.hls + listed, written.base_url, {"tiles.m3u8": playlist})
    assert {"tiles.m3u8", "tiles/001.jpg"} <= hls.files


@pytest.mark.parametrize("text", ["", "<MPD", "<MPD/>", "#EXTM3U\n", "\x00"])
def test_a_manifest_that_is_none_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(manifests.ManifestUnreadable):
        manifests.read_dash(text, "https://a/", 1.0)
    with pytest.raises(manifests.ManifestUnreadable):
        manifests.read_hls(text, "https://a/", {})


def test_a_file_that_is_missing_changed_or_not_referred_to_is_found() -> None:
    described = version()
    read = manifests.Read(files=frozenset({"a.m4s", "b.m4s"}), declared=[])
    there, index = {"a.m4s": 5, "c.m4s": 1}, {"a.m4s": 4, "c.m4s": 1}
    found = manifests.reference_findings(described, {"DASH": read}, there, index)
    assert [each.text for each in found] == [
        "a.m4s has 5 bytes and 4 in the index",
        "the DASH manifest refers to b.m4s, which is not there",
        "no manifest refers to c.m4s",
        "the DASH manifest does not refer to c.m4s",
    ]
