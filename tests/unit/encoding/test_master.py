"""What is no film is refused with a sentence; what is one is described exactly."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuemark.contexts.encoding.model.master import (
    Master,
    Probe,
    ProbedDisposition,
    ProbedFormat,
    ProbedSideData,
    ProbedStream,
    ProbedTags,
    fields_of,
    film_stream,
    frame_pts,
    lit,
    master_of,
)
from cuemark.contracts.encoding.jobs import MasterRejected

VIDEO = ProbedStream(
    index=0,
    codec_type="video",
    codec_name="h264",
    width=1280,
    height=720,
    r_frame_rate="25/1",
    avg_frame_rate="25/1",
    time_base="1/12800",
)
SOUND = ProbedStream(
    index=1,
    codec_type="audio",
    channels=6,
    sample_rate="48000",
    tags=ProbedTags(language="fre"),
)
EVEN = [512 * n for n in range(50)]


def made(*streams: ProbedStream, ticks: list[int] | None = None, start: str = "0") -> Master:
    format_ = ProbedFormat(format_name="mov,mp4,m4a,3gp,3g2,mj2", start_time=start)
    return master_of(Probe(list(streams), format_), EVEN if ticks is None else ticks)


def changed(**what: object) -> ProbedStream:
    return msgspec.convert({**msgspec.to_builtins(VIDEO), **what}, ProbedStream)


def test_a_film_is_described() -> None:
    master = made(VIDEO, SOUND)
    assert (master.picture.width, master.picture.height) == (1280, 720)
    assert master.picture.rate == 25
    assert not master.picture.scaled
    assert master.frames == 50
    assert (master.shown, master.notes) == ([], [])
    (sound,) = master.sounds
    assert (sound.channels, sound.layout, sound.language) == (6, "5.1", "fr")


@pytest.mark.parametrize(
    "streams",
    [
        [],
        [SOUND],
        [changed(disposition={"attached_pic": 1})],
        [ProbedStream(index=0, codec_type="subtitle")],
    ],
)
def test_a_file_without_a_moving_picture_is_refused(streams: list[ProbedStream]) -> None:
    with pytest.raises(MasterRejected, match="no moving picture"):
        film_stream(Probe(streams))


@pytest.mark.parametrize("frames", [0, 1, 4])
def test_a_film_of_too_few_frames_is_refused(frames: int) -> None:
    with pytest.raises(MasterRejected, match=f"{frames} readable frames"):
        made(VIDEO, ticks=EVEN[:frames])


@pytest.mark.parametrize(
    ("width", "height"), [(0, 0), (94, 720), (1280, 94), (8802, 720), (1280, 100_000)]
)
def test_a_picture_of_impossible_size_is_refused(width: int, height: int) -> None:
    with pytest.raises(MasterRejected, match=f"{width} by {height}"):
        made(changed(width=width, height=height))


def test_a_picture_made_enormous_by_its_aspect_is_refused() -> None:
    with pytest.raises(MasterRejected, match="the picture is"):
        made(changed(sample_aspect_ratio="1000000:1"))


@pytest.mark.parametrize("ticks_a_frame", [12800 * 20, 12800 // 200])
def test_a_rate_that_no_film_has_is_refused(ticks_a_frame: int) -> None:
    with pytest.raises(MasterRejected, match="1 to 120 a second"):
        made(VIDEO, ticks=[ticks_a_frame * n for n in range(50)])


def test_frames_that_are_not_evenly_spaced_are_brought_to_the_usual_rate() -> None:
    master = made(VIDEO, ticks=[*EVEN[:25], *(tick + 6400 for tick in EVEN[25:])])
    assert master.picture.rate == 25
    assert master.shown == [*range(25), *[24] * 13, *range(25, 50)]
    assert master.frames == 63
    assert "constant 25 frames" in master.notes[0]


def test_a_gap_that_nothing_can_bridge_is_refused() -> None:
    with pytest.raises(MasterRejected, match=r"no frame for 21600 s after 0\.96 s"):
        made(VIDEO, ticks=[*EVEN[:25], *(tick + 12800 * 21600 for tick in EVEN[25:])])


@pytest.mark.parametrize("unit", ["0/1", "1/12<00", "-1/25", ""])
def test_times_in_no_unit_are_refused(unit: str) -> None:
    with pytest.raises(MasterRejected, match="unit of time"):
        made(changed(time_base=unit), ticks=[0, 1, 5, 6, 7, 8])


def test_frames_all_at_one_time_are_refused() -> None:
    with pytest.raises(MasterRejected):
        made(changed(avg_frame_rate="0/0"), ticks=[0] * 50)


@pytest.mark.parametrize(
    ("time_base", "stated", "rate"),
    [
        ("1/24000", "24000/1001", Fraction(24000, 1001)),
        ("1/90000", "30000/1001", Fraction(30000, 1001)),
        ("1/1000", "24000/1001", Fraction(24000, 1001)),
        ("301/18000", "18000/301", Fraction(18000, 301)),
    ],
)
def test_the_rate_is_exact_where_the_ticks_are_not(
    time_base: str, stated: str, rate: Fraction
) -> None:
    tick_s = Fraction(time_base)
    ticks = [round(n / rate / tick_s) for n in range(200)]
    master = made(changed(time_base=time_base, r_frame_rate=stated), ticks=ticks)
    assert master.picture.rate == rate


def test_odd_sides_are_cut_and_oblong_samples_are_scaled() -> None:
    assert made(changed(width=853, height=481)).picture.width == 852
    picture = made(changed(width=720, height=576, sample_aspect_ratio="64:45")).picture
    assert (picture.width, picture.height, picture.scaled) == (1024, 576, True)


@pytest.mark.parametrize("rotation", [90.0, -90.0, 270.0])
def test_a_picture_that_lies_is_put_upright(rotation: float) -> None:
    picture = made(
        msgspec.structs.replace(VIDEO, side_data_list=[ProbedSideData(rotation)])
    ).picture
    assert (picture.width, picture.height) == (720, 1280)


@pytest.mark.parametrize("language", ["../../../etc", "a,b", "", "eng\n", "`~{}", "x" * 300])
def test_a_language_that_is_none_never_becomes_a_file_name(language: str) -> None:
    (sound,) = made(VIDEO, msgspec.structs.replace(SOUND, tags=ProbedTags(language))).sounds
    assert sound.language == "und"


def test_sound_that_begins_before_the_picture_is_known_by_how_much() -> None:
    (sound,) = made(VIDEO, SOUND, ticks=[tick + 12800 for tick in EVEN], start="0.25").sounds
    assert sound.lead_s == pytest.approx(0.75)


def test_a_film_without_sound_has_none() -> None:
    assert made(VIDEO).sounds == []
    assert made(VIDEO, msgspec.structs.replace(SOUND, channels=0)).sounds == []


def test_more_sounds_than_a_version_has_are_left_out_and_told() -> None:
    twelve = [msgspec.structs.replace(SOUND, index=n, tags=ProbedTags("eng")) for n in range(1, 13)]
    chosen = msgspec.structs.replace(twelve[10], disposition=ProbedDisposition(default=1))
    master = made(VIDEO, *twelve[:10], chosen, twelve[11])
    assert [each.stream for each in master.sounds] == [11, 1, 2, 3, 4, 5, 6, 7]
    assert master.notes == [
        "the file has 12 sounds: the default one and the first 7 others were encoded, since a "
        "version has at most 8"
    ]


def test_a_sound_that_nobody_could_choose_or_mix_is_told() -> None:
    nameless = msgspec.structs.replace(SOUND, index=2, tags=ProbedTags("??"))
    odd = msgspec.structs.replace(SOUND, index=3, channels=9, channel_layout="unknown")
    master = made(VIDEO, SOUND, nameless, odd)
    assert [each.stream for each in master.sounds] == [1, 2]
    assert master.notes == [
        "the sound of stream 3 has 9 channels in no layout that is known: it was left out",
        "the sound of stream 2 states no language: name it in the file, since viewers choose by "
        "language",
    ]


@pytest.mark.parametrize(
    ("disposition", "role"),
    [
        (ProbedDisposition(), "main"),
        (ProbedDisposition(dub=1), "dub"),
        (ProbedDisposition(comment=1), "commentary"),
        (ProbedDisposition(visual_impaired=1, comment=1), "description"),
        (ProbedDisposition(hearing_impaired=1), "clear"),
    ],
)
def test_what_a_sound_is_for_is_what_the_container_says(
    disposition: ProbedDisposition, role: str
) -> None:
    (sound,) = made(VIDEO, msgspec.structs.replace(SOUND, disposition=disposition)).sounds
    assert sound.role == role


def test_a_cover_is_not_the_film() -> None:
    cover = msgspec.structs.replace(
        VIDEO, disposition=ProbedDisposition(attached_pic=1), codec_name="mjpeg"
    )
    assert made(cover, msgspec.structs.replace(VIDEO, index=2)).video_stream == 2


def test_of_two_films_the_default_one_is_taken_and_then_the_larger() -> None:
    small = changed(width=640, height=360)
    large = msgspec.structs.replace(VIDEO, index=1)
    master = made(small, large)
    assert master.video_stream == 1
    assert "2 films: stream 1, 1280 by 720" in master.notes[0]
    chosen = msgspec.structs.replace(small, disposition=ProbedDisposition(default=1))
    assert made(chosen, large).video_stream == 0
    single = msgspec.structs.replace(large, nb_frames="1")
    assert made(small, single).video_stream == 0


def test_less_than_was_announced_is_said() -> None:
    master = made(changed(duration="21600.0"))
    assert master.notes == [
        "the file announces 21600.0 s and has 2.0 s of picture: what is there was encoded"
    ]
    assert made(changed(duration="2.04")).notes == []
    assert made(changed(duration="N/A")).notes == []


IDET = (
    "[Parsed_idet_0 @ 0x1] Single frame detection: TFF: 9 BFF: 0 Progressive: 9 Undetermined: 9\n"
    "[Parsed_idet_0 @ 0x1] Multi frame detection: TFF: {} BFF: {} Progressive: {} Undetermined: 1\n"
)


@pytest.mark.parametrize(
    ("counts", "stated", "fields"),
    [
        ((40, 0, 1), "progressive", "tff"),
        ((0, 40, 1), "", "bff"),
        ((1, 0, 40), "tt", ""),
        ((20, 0, 20), "", ""),
        ((58, 43, 0), "", ""),
        ((0, 0, 0), "tb", "bff"),
        ((0, 0, 0), "bt", "tff"),
        ((0, 0, 0), "unknown", ""),
        ((4, 0, 0), "", ""),
    ],
)
def test_fields_are_found_by_looking_and_else_by_what_is_stated(
    counts: tuple[int, int, int], stated: str, fields: str
) -> None:
    assert fields_of(IDET.format(*counts), changed(field_order=stated)) == fields


def test_times_come_in_order_and_without_what_is_discarded() -> None:
    assert frame_pts("1024,K__\n2048,__C\n0,___\n512,_D_\n-512,___\nN/A,___\n\nnonsense\n") == [
        -512,
        0,
        1024,
    ]


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(0, 99), st.integers(0, 99))
def test_a_picture_is_even_or_refused(width: int, height: int, num: int, den: int) -> None:
    try:
        stream = changed(width=width, height=height, sample_aspect_ratio=f"{num}:{den}")
        picture = made(stream).picture
    except MasterRejected as refusal:
        assert "points" in str(refusal)  # noqa: PT017 - either outcome is right
        return
    assert picture.width % 2 == picture.height % 2 == 0
    assert abs(picture.height - height) <= 1


@pytest.mark.parametrize(("profile", "compatible"), [(5, 0), (10, 0)])
def test_dolby_vision_whose_picture_does_not_stand_alone_is_refused(
    profile: int, compatible: int
) -> None:
    said = {"dv_profile": profile, "dv_bl_signal_compatibility_id": compatible}
    with pytest.raises(MasterRejected, match=f"Dolby Vision of profile {profile}.*deliver profile"):
        made(changed(side_data_list=[said]))


def test_dolby_vision_over_hdr10_is_hdr10_with_a_note() -> None:
    said = {"dv_profile": 8, "dv_bl_signal_compatibility_id": 1}
    master = made(
        changed(
            side_data_list=[said],
            pix_fmt="yuv420p10le",
            color_transfer="smpte2084",
            color_primaries="bt2020",
            color_space="bt2020nc",
        )
    )
    assert (master.color.carried, master.color.bit_depth) == ("pq", 10)
    assert master.notes == [
        "the film has Dolby Vision: it was left out, and the picture under it is shown"
    ]
    lit_by = "Content light level metadata: MaxCLL=600, MaxFALL=90"
    assert lit(master, lit_by).color.peak_cd_m2 == 600
    assert "HDR10 (PQ) with up to 600 cd/m2" in lit(master, lit_by).notes[-1]
