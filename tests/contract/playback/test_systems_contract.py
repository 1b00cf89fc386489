"""What the manifests of a play tell of its keys, to which systems."""

import pytest

from cuemark.contexts.playback import wiring
from cuemark.contracts.playback import CannotPlay, Playback
from tests.contract.conftest import Reach
from tests.contract.playback.conftest import LICENCE_URL, House, manifest, start
from tests.unit.playback.test_protection import protected


async def test_a_play_names_its_keys_to_the_systems_of_its_version_and_of_the_install(
    house: House, reach: Reach
) -> None:
    """A version of before the install named one plays on as it was packaged."""
    offer = wiring.Offer(("playready", "widevine"))
    playback = await reach(Playback, house.build(offer))
    before = await start(playback)
    assert before.systems == []
    house.shelf.version = protected(("widevine", "fairplay"), "cenc")
    playback = await reach(Playback, house.build(offer))
    play = await start(playback)
    assert play.systems == ["widevine"]
    mpd = await manifest(playback, play.session_id)
    assert f"<dashif:Laurl>{LICENCE_URL}/widevine</dashif:Laurl>" in mpd
    assert 'value="cenc"' in mpd
    hls = await manifest(playback, play.session_id, "hls", system="widevine")
    assert "/v360.widevine.m3u8" in hls
    for system in ("playready", "fairplay", "common"):
        with pytest.raises(CannotPlay, match=f"no playlists for {system}"):
            await manifest(playback, play.session_id, "hls", system=system)
    assert await manifest(playback, play.session_id, "hls")


async def test_without_clearkey_no_manifest_leads_to_a_key_in_the_clear(
    house: House, reach: Reach
) -> None:
    house.shelf.version = protected(("widevine",))
    playback = await reach(Playback, house.build(wiring.Offer(("widevine",), clearkey=False)))
    play = await start(playback)
    assert "ClearKey" not in await manifest(playback, play.session_id)
    with pytest.raises(CannotPlay, match="gives no keys in the clear"):
        await manifest(playback, play.session_id, "hls")
    assert "key_base" not in await manifest(playback, play.session_id, "hls", system="widevine")
