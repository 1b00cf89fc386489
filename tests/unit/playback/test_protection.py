"""Manifests name keys to the systems that the version and the install both name."""

import re
from typing import cast

import msgspec
import pytest
from defusedxml.ElementTree import fromstring

from cuemark.contexts.licensing.model.systems import signals_of
from cuemark.contexts.playback.model import dash, hls, protection
from cuemark.contexts.playback.model.protection import Offer
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.playback.devices import Capabilities
from cuemark.contracts.protection import SYSTEM_IDS, Label, Robustness, Scheme, System
from tests.unit.playback.versions import AUDIO, HD, LICENCE_URL, RANKING, SD, version

ALL: tuple[System, ...] = ("playready", "widevine", "fairplay", "common")
CP = "{urn:mpeg:dash:schema:mpd:2011}ContentProtection"
CENC, MSPR, DASHIF = "{urn:mpeg:cenc:2013}", "{urn:microsoft:playready}", "{https://dashif.org/CPS}"
CLEARKEY = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"


def protected(systems: tuple[System, ...] = ALL, scheme: Scheme = "cbcs") -> Version:
    signals = {kid: signals_of(kid, scheme, systems, "ver_1") for kid in (SD, HD, AUDIO)}
    return msgspec.structs.replace(version(), scheme=scheme, signals=signals)


def schemes_of(film: Version, offer: Offer) -> set[tuple[str, ...]]:
    """The key systems of each AdaptationSet in their order, each list once."""
    mpd = fromstring(dash.manifest(film, RANKING, LICENCE_URL, offer))
    found = set()
    for each in mpd.iter("{urn:mpeg:dash:schema:mpd:2011}AdaptationSet"):
        if listed := [one.get("schemeIdUri", "") for one in each.findall(CP)]:
            found.add(tuple(listed[1:]))
    return found


def urn(system: System) -> str:
    return f"urn:uuid:{SYSTEM_IDS[system]}"


def test_the_preferred_system_stands_first_and_clearkey_last() -> None:
    assert schemes_of(protected(), Offer(ALL)) == {
        (urn("playready"), urn("widevine"), urn("common"), CLEARKEY)
    }
    assert schemes_of(protected(), Offer(("widevine",), clearkey=False)) == {(urn("widevine"),)}


def test_only_what_both_the_version_and_the_install_name_is_signalled() -> None:
    assert schemes_of(protected(("widevine",)), Offer(ALL)) == {(urn("widevine"), CLEARKEY)}
    assert schemes_of(protected(), Offer()) == {(CLEARKEY,)}
    assert schemes_of(version(), Offer(ALL)) == {(CLEARKEY,)}
    assert dash.manifest(version(), RANKING, LICENCE_URL, Offer(ALL)) == dash.manifest(
        version(), RANKING
    )


def test_each_system_finds_its_box_its_object_and_its_licences() -> None:
    film = protected()
    mpd = fromstring(dash.manifest(film, RANKING, LICENCE_URL, Offer(ALL)))
    boxes = {one.pssh for signals in film.signals.values() for one in signals if one.pssh}
    told = {element.text for element in mpd.iter(f"{CENC}pssh")}
    assert told == boxes
    for element in mpd.iter(CP):
        scheme = element.get("schemeIdUri")
        url = element.findtext(f"{DASHIF}Laurl")
        if scheme == urn("playready"):
            assert url == f"{LICENCE_URL}/playready"
            assert element.findtext(f"{MSPR}pro")
        elif scheme == urn("widevine"):
            assert url == f"{LICENCE_URL}/widevine"
            assert element.find(f"{MSPR}pro") is None
        else:
            assert url is None


@pytest.mark.parametrize(("scheme", "method"), [("cbcs", "SAMPLE-AES"), ("cenc", "SAMPLE-AES-CTR")])
def test_the_scheme_is_told_by_both_formats(scheme: Scheme, method: str) -> None:
    film = protected(("widevine",), scheme)
    assert set(re.findall(r'protection:2011" value="(\w+)"', dash.manifest(film, RANKING))) == {
        scheme
    }
    text = hls.manifest(film, RANKING, LICENCE_URL, "widevine")
    assert set(re.findall(r"METHOD=([A-Z-]+)", text)) == {method}


@pytest.mark.parametrize("system", ["widevine", "playready", "fairplay"])
def test_a_playlist_for_a_system_names_keys_to_that_system_alone(system: System) -> None:
    film = protected()
    lines = hls.manifest(film, RANKING, LICENCE_URL, system).splitlines()
    keys = [line for line in lines if line.startswith("#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,")]
    assert len(keys) == 3
    (form,) = {re.findall('KEYFORMAT="([^"]+)"', line)[0] for line in keys}
    assert system in form or form in (urn(system), "com.apple.streamingkeydelivery")
    media = [line for line in lines if line.startswith("http")]
    assert all(line.endswith(f".{system}.m3u8") for line in media)
    assert not any("key_base" in line or "digests" in line for line in lines)
    sounds = [line for line in lines if "TYPE=AUDIO" in line]
    assert all(f'.{system}.m3u8"' in line for line in sounds)
    assert all('t-en.m3u8"' in line for line in lines if 'LANGUAGE="en"' in line and "SUBT" in line)


def test_a_playlist_for_clearkey_names_no_system() -> None:
    text = hls.manifest(protected(), RANKING, LICENCE_URL)
    assert text == hls.manifest(version(), RANKING, LICENCE_URL)


def test_what_has_no_name_in_hls_has_no_playlists() -> None:
    assert protection.of_hls(protected(), Offer(ALL)) == ["playready", "widevine", "fairplay"]
    assert protection.offered(protected(scheme="cenc"), Offer(ALL)) == [
        "playready",
        "widevine",
        "common",
    ]


DEMANDS: dict[Label, Robustness] = {"HD": "hardware"}


def test_what_demands_more_than_a_play_reaches_is_in_no_manifest() -> None:
    film, offer = protected(), Offer(ALL, demands=DEMANDS)
    for level, names in (("software", {"v360", "v540"}), ("hardware", {"v360", "v540", "v720"})):
        listed = protection.within(film, cast(Robustness, level), offer)
        assert {each.rendition_id for each in listed.renditions} == names
        for text in (
            dash.manifest(listed, RANKING, LICENCE_URL, offer),
            hls.manifest(listed, RANKING, LICENCE_URL),
        ):
            assert set(re.findall(r"v(?:360|540|720)\b", text)) == names
            assert (HD in text.replace("-", "")) == ("v720" in names and "MPD" in text)


def test_a_play_reaches_what_it_says_where_a_licence_server_finds_out_and_else_software() -> None:
    film = protected()
    hard, soft = Capabilities(robustness="hardware"), Capabilities()
    assert protection.level_of(film, Offer(("widevine",)), hard) == "hardware"
    assert protection.level_of(film, Offer(("widevine",)), soft) == "software"
    assert protection.level_of(film, Offer(("common",)), hard) == "software"
    assert protection.level_of(film, Offer(), hard) == "software"
    by_playready = Capabilities(robustness="hardware", system="playready")
    assert protection.level_of(film, Offer(("widevine",)), by_playready) == "software"
    assert protection.level_of(film, Offer(("widevine", "playready")), by_playready) == "hardware"


def test_without_demands_everything_is_listed_for_software() -> None:
    film = protected()
    assert protection.within(film, "software", Offer()) == film
