"""What of a version a play may have."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.playback.model.entitlement import entitle, kept, labels, unasked
from cuemark.contexts.playback.model.protection import Offer
from cuemark.contracts.encoding.versions import Codec, DynamicRange, Rendition, Version
from cuemark.contracts.playback import CannotPlay
from cuemark.contracts.playback.devices import Capabilities
from cuemark.contracts.protection import Hdcp, KeySignal, Label, Robustness, ScreenHdcp
from tests.unit.playback.versions import AUDIO, HD, SD, audio_track, several_sounds, version

CODECS: tuple[Codec, ...] = ("h264", "hevc", "av1")
RANGES: tuple[DynamicRange, ...] = ("sdr", "hlg", "pq")
LABELS: dict[int, Label] = {360: "SD", 720: "HD", 1080: "HD", 1440: "UHD1", 2160: "UHD1"}
HDCPS: tuple[ScreenHdcp, ...] = ("none", "1.0", "1.4", "2.0", "2.2", "2.3")
DEMANDED: tuple[Hdcp, ...] = ("1.4", "2.0", "2.2")
WIDEVINE = KeySignal(system="widevine", pssh="AAAA")


def picture(height: int, codec: Codec = "h264", bright: DynamicRange = "sdr") -> Rendition:
    return Rendition(
        rendition_id=f"{codec}-{bright}-{height}",
        codec=codec,
        codec_string=codec,
        width=height * 16 // 9,
        height=height,
        bitrate_kbps=height,
        peak_bitrate_kbps=height,
        vmaf_mean=90,
        vmaf_p5=80,
        vmaf_predicted=None,
        kid=SD if height < 720 else HD,
        label=LABELS[height],
        dynamic_range=bright,
    )


def film(pictures: Sequence[Rendition]) -> Version:
    signals = {kid: [WIDEVINE] for kid in (SD, HD, AUDIO)}
    plain = version(renditions=pictures, audio=several_sounds())
    return msgspec.structs.replace(plain, signals=signals)


EVERY = [
    picture(height, codec, bright)
    for codec in CODECS
    for bright in (RANGES if codec != "h264" else ("sdr",))
    for height in LABELS
]
FILMS = st.lists(st.sampled_from(EVERY), min_size=1, unique=True).map(film)
SAID = st.builds(
    Capabilities,
    codecs=st.lists(st.sampled_from([*CODECS, "vvc"]), unique=True),
    max_height=st.sampled_from([0, 1, 360, 719, 1080, 2160]),
    dynamic_ranges=st.lists(st.sampled_from(RANGES), unique=True),
    hdcp=st.sampled_from(HDCPS),
    system=st.sampled_from([None, "widevine", "playready"]),
    robustness=st.sampled_from(["software", "hardware"]),
    sounds=st.lists(st.sampled_from(["aac", "opus", "eac3"]), unique=True),
    max_channels=st.integers(min_value=0, max_value=8),
)
OFFERS = st.builds(
    Offer,
    systems=st.sampled_from([(), ("widevine",), ("widevine", "playready")]),
    demands=st.dictionaries(st.sampled_from(["SD", "HD", "UHD1"]), st.just("hardware")),
    hdcp=st.dictionaries(st.sampled_from(["SD", "HD", "UHD1"]), st.sampled_from(DEMANDED)),
)


@given(of=FILMS, said=SAID, max_height=st.sampled_from([0, 540, 720]), offer=OFFERS)
def test_nothing_is_seen_that_the_device_the_keys_the_screen_or_the_plan_forbids(
    of: Version, said: Capabilities, max_height: int, offer: Offer
) -> None:
    try:
        seen = entitle(of, said, max_height, offer, "The Film")
    except CannotPlay:
        return
    proven = "widevine" in offer.systems and said.system in (None, "widevine")
    lowest = min(each.height for each in seen.renditions)
    assert seen.renditions
    for each in seen.renditions:
        assert each in of.renditions
        assert each.codec in said.codecs
        assert each.dynamic_range in {"sdr", *said.dynamic_ranges}
        label = LABELS[each.height]
        if offer.demands.get(label) == "hardware":
            assert proven
            assert said.robustness == "hardware"
        assert HDCPS.index(said.hdcp) >= HDCPS.index(offer.hdcp.get(label, "none"))
        for bound in (said.max_height, max_height):
            assert not bound or each.height <= max(bound, lowest)
    assert set(labels(seen)) == {"AUDIO", *(each.label for each in seen.renditions)}


@given(of=FILMS, said=SAID, max_height=st.sampled_from([0, 540, 720]), offer=OFFERS)
def test_who_can_play_more_sees_no_less(
    of: Version, said: Capabilities, max_height: int, offer: Offer
) -> None:
    able = msgspec.structs.replace(unasked("hardware"), system=None, sounds=["aac", "opus", "eac3"])
    try:
        seen = entitle(of, said, max_height, offer, "The Film")
    except CannotPlay:
        return
    more = entitle(of, able, 0, offer, "The Film")
    assert set(_names(seen)) <= set(_names(more))


def test_a_device_that_says_nothing_gets_h264_up_to_1080_lines() -> None:
    seen = entitle(film(EVERY), Capabilities(), 0, Offer(), "The Film")
    assert [each.rendition_id for each in seen.renditions] == [
        "h264-sdr-360",
        "h264-sdr-720",
        "h264-sdr-1080",
    ]


def test_each_sound_is_left_in_what_everything_plays() -> None:
    said = Capabilities(sounds=["eac3"], max_channels=2)
    seen = entitle(film(EVERY), said, 0, Offer(), "The Film")
    assert [each.track_id for each in seen.audio] == ["a-en", "a-fr", "a-en.description"]
    surround = msgspec.structs.replace(said, max_channels=6)
    seen = entitle(film(EVERY), surround, 0, Offer(), "The Film")
    assert [each.track_id for each in seen.audio] == [
        "a-en",
        "a-en.eac3",
        "a-fr",
        "a-en.description",
    ]


def test_a_sound_of_an_older_release_is_left_as_it_is() -> None:
    plain = version(audio=[audio_track()])
    assert entitle(plain, Capabilities(sounds=[]), 0, Offer(), "x").audio == plain.audio


@pytest.mark.parametrize(
    ("pictures", "said", "offer", "why"),
    [
        ([picture(360, "hevc")], Capabilities(), Offer(), "in a form that this device can play"),
        (
            [picture(360, "av1", "pq")],
            Capabilities(codecs=["av1"]),
            Offer(),
            "in a form that this device can play",
        ),
        ([picture(720)], Capabilities(), Offer(demands={"HD": "hardware"}), "by hardware"),
        ([picture(720)], Capabilities(), Offer(hdcp={"HD": "1.4"}), "reached by HDCP"),
    ],
)
def test_where_nothing_is_left_the_viewer_is_told_why(
    pictures: list[Rendition], said: Capabilities, offer: Offer, why: str
) -> None:
    with pytest.raises(CannotPlay, match=why):
        entitle(film(pictures), said, 0, offer, "The Film")


@pytest.mark.parametrize("robustness", ["software", "hardware"])
def test_a_session_of_an_older_release_keeps_all_that_it_had(robustness: Robustness) -> None:
    offer = Offer(systems=("widevine",), demands={"UHD1": "hardware"})
    seen = entitle(film(EVERY), unasked(robustness), 720, offer, "The Film")
    assert {each.height for each in seen.renditions} == {360, 720}
    assert {each.codec for each in seen.renditions} == set(CODECS)


@given(names=st.lists(st.text()), size=st.integers())
def test_what_is_kept_of_what_a_device_says_is_bounded(names: list[str], size: int) -> None:
    said = Capabilities(
        codecs=names, dynamic_ranges=names, sounds=names, max_height=size, max_channels=size
    )
    short = kept(said)
    for some in (short.codecs, short.dynamic_ranges, short.sounds):
        assert len(some) <= 32
        assert all(len(each) <= 40 and "\0" not in each for each in some)
    assert 0 <= short.max_height <= 1 << 16
    assert 0 <= short.max_channels <= 1 << 16


def _names(seen: Version) -> list[str]:
    return [
        *(each.rendition_id for each in seen.renditions),
        *(each.track_id for each in seen.audio),
    ]
