"""The HLS multivariant playlist, read back as a player reads it."""

import re
from pathlib import Path
from time import perf_counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.contexts.playback.model import hls
from cuemark.contracts.encoding.versions import CaptionTrack, Version
from cuemark.contracts.ids import ApplianceId
from cuemark.contracts.steering import RankedAppliance
from cuemark.player import hls as player_hls
from tests.unit.playback.versions import (
    LICENCE_URL,
    RANKING,
    SD,
    audio_track,
    of_every_role,
    rendition,
    several_sounds,
    thumbnail_track,
    version,
    with_iframes,
)

GOLDEN = Path(__file__).parent / "golden" / "master.m3u8"
ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)')


def attributes(line: str) -> dict[str, str]:
    """The attribute list of a tag: every character of it must belong to an attribute."""
    text = line.partition(":")[2]
    found = list(ATTRIBUTE.finditer(text))
    assert "".join(match[0] for match in found) == text
    return {match[1]: match[2].strip('"') for match in found}


def tags(text: str, name: str) -> list[dict[str, str]]:
    return [attributes(line) for line in text.splitlines() if line.startswith(f"#{name}:")]


def uris(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_the_playlist_is_the_golden_one() -> None:
    """Each line of the golden file was accepted by a player: a change of it is looked at."""
    assert hls.manifest(version(), RANKING, LICENCE_URL) == GOLDEN.read_text()


def test_the_keys_are_the_sibling_of_the_licence() -> None:
    text = hls.manifest(version(), RANKING, LICENCE_URL)
    assert tags(text, "EXT-X-DEFINE") == [
        {"NAME": "key_base", "VALUE": "https://watch.test/api/v1/plays/play_1/keys"}
    ]


def test_the_iframes_of_a_version_are_listed_at_each_appliance() -> None:
    text = hls.manifest(with_iframes(version()), RANKING, LICENCE_URL)
    assert tags(text, "EXT-X-I-FRAME-STREAM-INF") == [
        {
            "BANDWIDTH": "120500",
            "AVERAGE-BANDWIDTH": "80000",
            "RESOLUTION": "640x360",
            "CODECS": "avc1.64001f",
            "URI": f"{appliance.media_url}v360.iframes.m3u8",
        }
        for appliance in RANKING
    ]
    sealed = {each["DATA-ID"]: each["VALUE"] for each in tags(text, "EXT-X-SESSION-DATA")}
    assert sealed["org.cuemark.digests.v360.iframes"] == f"v360.iframes.digests {'1f' * 32}"


def test_iframe_playlists_change_nothing_for_a_player_that_does_not_know_them() -> None:
    """A version of an older release has none, and its playlist is what it was."""
    plain, rich = (
        player_hls.parse_multivariant(hls.manifest(each, RANKING, LICENCE_URL))
        for each in (version(), with_iframes(version()))
    )
    assert (plain.variants, plain.audio, plain.captions) == (
        rich.variants,
        rich.audio,
        rich.captions,
    )
    old = msgspec.json.encode(version()).replace(b',"iframes":null', b"")
    assert b"iframes" not in old
    again = msgspec.json.decode(old, type=Version)
    assert hls.manifest(again, RANKING, LICENCE_URL) == GOLDEN.read_text()


def test_the_best_appliance_has_all_variants_before_the_next() -> None:
    text = hls.manifest(version(), RANKING, LICENCE_URL)
    assert uris(text) == [
        f"{each.media_url}{name}.m3u8" for each in RANKING for name in ("v360", "v540", "v720")
    ]
    variants = tags(text, "EXT-X-STREAM-INF")
    groups = ("AUDIO", "SUBTITLES")
    alike = [{k: v for k, v in each.items() if k not in groups} for each in variants]
    assert alike[:3] == alike[3:]
    assert [each["AUDIO"] for each in variants] == ["audio-edge-b"] * 3 + ["audio-edge-a"] * 3


def test_a_group_comes_from_the_appliance_of_its_variants() -> None:
    text = hls.manifest(version(), RANKING, LICENCE_URL)
    media = tags(text, "EXT-X-MEDIA")
    assert [(each["TYPE"], each["GROUP-ID"], each["URI"]) for each in media] == [
        (kind, f"{group}-{each.appliance_id}", f"{each.media_url}{track}.m3u8")
        for each in RANKING
        for kind, group, track in (
            ("AUDIO", "audio", "a-en"),
            ("SUBTITLES", "captions", "t-en"),
            ("SUBTITLES", "captions", "t-de"),
        )
    ]
    first = tags(text, "EXT-X-STREAM-INF")[0]
    assert (first["AUDIO"], first["SUBTITLES"]) == ("audio-edge-b", "captions-edge-b")


def test_no_caption_shows_unless_it_is_chosen() -> None:
    media = tags(hls.manifest(version(audio=[]), RANKING[:1], LICENCE_URL), "EXT-X-MEDIA")
    assert [(each["LANGUAGE"], each["DEFAULT"]) for each in media] == [("en", "NO"), ("de", "NO")]


def test_a_variant_states_what_its_audio_adds() -> None:
    first = tags(hls.manifest(version(), RANKING, LICENCE_URL), "EXT-X-STREAM-INF")[0]
    assert first == {
        "BANDWIDTH": "728151",
        "AVERAGE-BANDWIDTH": "528100",
        "RESOLUTION": "640x360",
        "FRAME-RATE": "23.976",
        "CODECS": "avc1.64001f,mp4a.40.2",
        "AUDIO": "audio-edge-b",
        "SUBTITLES": "captions-edge-b",
        "CLOSED-CAPTIONS": "NONE",
    }


def test_one_audio_track_is_the_default_and_names_differ() -> None:
    tracks = [audio_track(), audio_track("a-en-2"), audio_track("a-de", "de")]
    film = version(audio=tracks, captions=[])
    media = tags(hls.manifest(film, RANKING[:1], LICENCE_URL), "EXT-X-MEDIA")
    assert [(m["NAME"], m["LANGUAGE"], m["DEFAULT"], m["CHANNELS"]) for m in media] == [
        ("en", "en", "YES", "2"),
        ("a-en-2", "en", "NO", "2"),
        ("de", "de", "NO", "2"),
    ]


def test_captions_of_one_language_are_told_apart_by_their_roles() -> None:
    text = hls.manifest(version(captions=of_every_role()), RANKING[:1], LICENCE_URL)
    found = [each for each in tags(text, "EXT-X-MEDIA") if each["TYPE"] == "SUBTITLES"]
    assert [each["NAME"] for each in found] == ["en", "en (SDH)", "en (forced)"]
    assert [each.get("FORCED") for each in found] == [None, None, "YES"]
    assert {each["AUTOSELECT"] for each in found} == {"YES"}
    assert {each["DEFAULT"] for each in found} == {"NO"}
    assert [each.get("CHARACTERISTICS", "").split(",") for each in found] == [
        [""],
        [
            "public.accessibility.transcribes-spoken-dialog",
            "public.accessibility.describes-music-and-sound",
        ],
        [""],
    ]
    read = player_hls.parse_multivariant(text)
    assert [player_hls.role_of(each.attributes) for each in read.captions] == [
        track.role for track in of_every_role()
    ]


def test_thumbnails_come_from_the_best_appliance_and_the_reference_player_leaves_them_alone() -> (
    None
):
    made = version(thumbnails=thumbnail_track())
    text = hls.manifest(made, RANKING, LICENCE_URL)
    (line,) = [each for each in text.splitlines() if "IMAGE" in each]
    assert line == (
        "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH=71200,RESOLUTION=320x180,"
        f'CODECS="jpeg",URI="{RANKING[0].media_url}thumbnails.m3u8"'
    )
    bare = hls.manifest(version(), RANKING, LICENCE_URL)
    assert player_hls.parse_multivariant(text) == player_hls.parse_multivariant(bare)


def test_a_silent_film_has_no_audio_group() -> None:
    text = hls.manifest(version(audio=[], captions=[]), RANKING, LICENCE_URL)
    assert tags(text, "EXT-X-MEDIA") == []
    first = tags(text, "EXT-X-STREAM-INF")[0]
    assert first["CODECS"] == "avc1.64001f"
    assert "AUDIO" not in first


@settings(max_examples=200)
@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_hostile_names_break_nothing(name: str, language: str, url: str) -> None:
    film = version(
        renditions=[rendition(name, 640, 360, 400, SD)],
        audio=[audio_track(name, language)],
        captions=[CaptionTrack(track_id=name, language=language, path=f"{name}.vtt")],
    )
    ranking = [RankedAppliance(appliance_id=ApplianceId(name), media_url=f"http://{url}/")]
    text = hls.manifest(film, ranking, f"http://{url}/licence")
    assert [line.partition(":")[0].partition("/")[0] for line in text.splitlines()] == [
        "#EXTM3U",
        "#EXT-X-VERSION",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-DEFINE",
        "#EXT-X-MEDIA",
        "#EXT-X-MEDIA",
        "#EXT-X-STREAM-INF",
        "http",
    ]
    assert len(text.split("\n")) == len(text.splitlines()) + 1 == 9
    found = {
        tag: len(tags(text, tag)) for tag in ("EXT-X-DEFINE", "EXT-X-MEDIA", "EXT-X-STREAM-INF")
    }
    assert list(found.values()) == [1, 2, 1]
    assert "{$" not in text


def test_the_playlist_is_written_fast() -> None:
    film = version(
        renditions=[rendition(f"v{n}", 640, 360, 400 + n, SD) for n in range(12)],
        audio=[audio_track(f"a-{n}", f"l{n}") for n in range(4)],
    )
    began = perf_counter()
    for _ in range(20):
        hls.manifest(film, RANKING * 2, LICENCE_URL)
    took_ms = (perf_counter() - began) * 50
    print(f"hls, 12 renditions on 4 appliances: {took_ms:.2f} ms")
    assert took_ms < 50


def test_every_group_has_every_sound_and_every_variant_comes_with_every_group() -> None:
    film = version(audio=several_sounds(), captions=[])
    text = hls.manifest(film, RANKING[:1], LICENCE_URL)
    groups: dict[str, list[dict[str, str]]] = {}
    for media in tags(text, "EXT-X-MEDIA"):
        groups.setdefault(media["GROUP-ID"], []).append(media)
    stereo = ["a-fr", "a-en.description"]
    assert {
        name: [each["URI"].rpartition("/")[2].removesuffix(".m3u8") for each in group]
        for name, group in groups.items()
    } == {
        "audio-edge-b": ["a-en", *stereo],
        "audio-opus-2-edge-b": ["a-en.opus", *(f"{each}.opus" for each in stereo)],
        "audio-aac-6-edge-b": ["a-en.aac51", *stereo],
        "audio-eac3-6-edge-b": ["a-en.eac3", *stereo],
    }
    for group in groups.values():
        # rfc8216bis section 4.4.6.1.1: members correspond in all but URI and CHANNELS.
        assert [
            (each["NAME"], each["DEFAULT"], each.get("CHARACTERISTICS", "")) for each in group
        ] == [
            ("English", "YES", ""),
            ("Français", "NO", ""),
            ("English (audio description)", "NO", "public.accessibility.describes-video"),
        ]
    variants = tags(text, "EXT-X-STREAM-INF")
    each_with_each = [name for name in groups for _ in film.renditions]
    assert [each["AUDIO"] for each in variants] == each_with_each
    codecs = {each["AUDIO"]: each["CODECS"].partition(",")[2] for each in variants}
    assert list(codecs.values()) == ["mp4a.40.2", "opus", "mp4a.40.2", "ec-3,mp4a.40.2"]


def test_the_reference_player_reads_each_sound_once_with_what_it_is_for() -> None:
    film = version(audio=several_sounds(), captions=[])
    read = player_hls.parse_multivariant(hls.manifest(film, RANKING, LICENCE_URL))
    assert {each.track_id: each.name for each in read.sounds} == {
        each.track_id: "en:description" if each.role == "description" else each.language
        for each in film.audio
    }
    only = read.with_sound("a-fr.opus")
    assert {each.path for each in only.audio} == {"a-fr.opus.m3u8"}
    assert [path for path in only.paths if path.startswith("a-")] == ["a-fr.opus.m3u8"]


STEERING_URL = "https://watch.test/api/v1/steering?play=eyJ9.c2ln"


def test_a_steered_play_has_a_pathway_for_each_appliance() -> None:
    film = with_iframes(version())
    text = hls.manifest(film, RANKING, LICENCE_URL, None, STEERING_URL)
    assert tags(text, "EXT-X-CONTENT-STEERING") == [
        {"SERVER-URI": STEERING_URL, "PATHWAY-ID": "edge-b"}
    ]
    groups: dict[str, set[str]] = {}
    for name in ("EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF"):
        lines = tags(text, name)
        half = len(lines) // 2
        pathways = [each["PATHWAY-ID"] for each in lines]
        assert pathways == ["edge-b"] * half + ["edge-a"] * half
        alike = [
            {k: v for k, v in each.items() if k not in ("PATHWAY-ID", "AUDIO", "SUBTITLES", "URI")}
            for each in lines
        ]
        assert alike[:half] == alike[half:], "pathways differ in nothing but where they are"
    for each in tags(text, "EXT-X-STREAM-INF"):
        groups.setdefault(each["PATHWAY-ID"], set()).update((each["AUDIO"], each["SUBTITLES"]))
    assert not groups["edge-a"] & groups["edge-b"], "each pathway has groups of its own"


def test_steering_changes_nothing_but_pathways() -> None:
    """A play of an older release has no steering token, and its playlist is what it was."""
    steered = hls.manifest(version(), RANKING, LICENCE_URL, None, STEERING_URL)
    bare = re.sub(r',PATHWAY-ID="[^"]*"', "", steered)
    bare = re.sub(r"#EXT-X-CONTENT-STEERING:.*\n", "", bare)
    assert bare == GOLDEN.read_text()
