"""The decisions of validation: what is found in facts, and what a policy does about it."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.boxes import BoxesInvalid
from cuemark.contexts.encoding.model.validation import (
    color,
    manifests,
    policy,
    samples,
    spoken,
    structure,
)
from cuemark.contexts.encoding.model.validation.color import ColorCodes, Tags
from cuemark.contexts.encoding.model.validation.encryption import Encryption
from cuemark.contexts.encoding.model.validation.findings import Finding, error
from cuemark.contexts.encoding.model.validation.spoken import Guess, Guessed
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding.validation import Action, Check, Rule, Severity
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


SD = ColorCodes(6, 6, 6, False)


@pytest.mark.parametrize(
    ("box", "pictures", "told"),
    [
        (SD, SD, []),
        (SD, ColorCodes(), []),
        (ColorCodes(), SD, []),
        (ColorCodes(6, 6, 6), ColorCodes(6, 6, 6, True), []),
        (SD, ColorCodes(9, 14, 9, False), ["primaries: 6", "transfer: 6", "matrix: 6"]),
        (SD, ColorCodes(6, 6, 1, True), ["matrix: 6", "range: limited"]),
    ],
)
def test_a_box_that_contradicts_the_pictures_is_found(
    box: ColorCodes, pictures: ColorCodes, told: list[str]
) -> None:
    found = color.contradictions("v", box, pictures)
    assert [each.text.partition(" in its")[0] for each in found] == [
        f"v contradicts itself on its {each}" for each in told
    ]


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
