"""Marked versions: each session has a row of variants of its own, by which a copy names it."""

from datetime import timedelta

import msgspec
import pytest
from defusedxml.ElementTree import fromstring

from cuemark.contexts.playback.model import fingerprint
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.encoding.versions import Version
from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.playback import (
    CannotName,
    CannotNameNow,
    EndPlay,
    EvidenceInvalid,
    NameSessions,
    Playback,
)
from cuemark.kit.cat import TokenKey, derive_key, verify
from cuemark.kit.clock import ManualClock
from tests.contract.playback.conftest import (
    EDGE,
    FILM,
    FINGERPRINT_KEY,
    OWNER,
    PROFILE,
    House,
    manifest,
    start,
)
from tests.unit.playback.versions import version


def rows_in(mpd: str) -> set[bytes]:
    """The rows of variants that the tokens of a manifest carry, one for each appliance."""
    master = TokenKey("k1", b"1" * 32)
    found = set()
    for base in fromstring(mpd).findall("{urn:mpeg:dash:schema:mpd:2011}BaseURL"):
        key = derive_key(master, base.get("serviceLocation") or "")
        claims = verify(
            (base.text or "").split("/")[-3],
            keys={key.kid: key.key},
            audience=base.get("serviceLocation") or "",
            path=f"/{(base.text or '').split('/')[-2]}/v360/x1.m4s",
            now=ManualClock().now(),
        )
        found.add(claims.variants)
    return found


async def test_every_token_of_a_marked_version_carries_the_row_of_its_session(
    house: House, playback: Playback
) -> None:
    await house.report(ApplianceId("edge-b"))
    plain = await start(playback)
    mpd = await manifest(playback, plain.session_id)
    assert (rows_in(mpd), "/x$Number$" in mpd) == ({b""}, False)
    house.shelf.version = marked("ver_2")
    house.clock.advance(1)
    for edge in (EDGE, ApplianceId("edge-b")):
        await house.report(edge)
    one, two = await start(playback), await start(playback)
    mpds = [await manifest(playback, each.session_id) for each in (one, two)]
    assert all("$RepresentationID$/x$Number$.m4s" in each for each in mpds)
    rows = [rows_in(each) for each in mpds]
    assert rows == [
        {fingerprint.row(FINGERPRINT_KEY, one.session_id)},
        {fingerprint.row(FINGERPRINT_KEY, two.session_id)},
    ]
    assert rows_in(await manifest(playback, one.session_id)) == rows[0]


def marked(version_id: str) -> Version:
    return msgspec.structs.replace(
        version(), version_id=VersionId(version_id), title_id=FILM, marked=True
    )


def shown(session_id: PlaySessionId, first: int = 0, count: int = 40) -> list[float]:
    """What a clean copy of a session shows."""
    row = fingerprint.row(FINGERPRINT_KEY, session_id)
    return [0.3 * float(sign) for sign in fingerprint.signs(row, first, count)]


async def test_a_copy_names_the_session_that_it_was_made_of_and_no_other(
    house: House, playback: Playback
) -> None:
    house.shelf.version = marked("ver_1")
    plays = [await start(playback, device=f"tv {n}") for n in range(6)]
    guilty = plays[2]
    await playback.end(EndPlay(session_id=guilty.session_id, account_id=OWNER))
    house.clock.advance(400 * 86400)
    naming = await playback.name_sessions(
        NameSessions(
            version_id=VersionId("ver_1"), first_segment=3, values=shown(guilty.session_id, 3)
        )
    )
    assert (naming.title_id, naming.compared) == (FILM, 6)
    first, *others = naming.suspects
    assert (first.session_id, first.named, first.agreement) == (guilty.session_id, True, 1.0)
    assert (first.account_id, first.profile_id) == (OWNER, PROFILE)
    assert (first.device, first.version_id) == ("tv 2", "ver_1")
    assert first.started_at == house.clock.now() - timedelta(days=400)
    assert first.chance < 1e-9
    assert naming.verdict.startswith(f"This copy was made of the play {guilty.session_id}: ")
    assert len(others) == 5
    for each in others:
        assert (each.named, each.account_id, each.profile_id) == (False, None, None)
        assert each.chance > 1e-3


async def test_a_copy_that_is_too_short_names_nobody(house: House, playback: Playback) -> None:
    house.shelf.version = marked("ver_1")
    plays = [await start(playback) for _ in range(4)]
    naming = await playback.name_sessions(
        NameSessions(
            version_id=VersionId("ver_1"),
            first_segment=0,
            values=shown(plays[0].session_id, count=8),
        )
    )
    assert naming.verdict.startswith("No session can be named: the best of 4 ")
    assert naming.suspects[0].session_id == plays[0].session_id
    assert [each.account_id for each in naming.suspects] == [None] * 4


async def test_sessions_of_all_versions_cut_alike_are_compared(
    house: House, playback: Playback
) -> None:
    """The quick version is replaced by the full one, whose segments are the same."""
    at_first = house.shelf.version
    unmarked = await start(playback)
    house.shelf.version = marked("ver_quick")
    await house.report()
    quick = await start(playback)
    timeline = msgspec.structs.replace(at_first.video_timeline, durations=[48048, 48048])
    house.shelf.version = msgspec.structs.replace(marked("ver_cut"), video_timeline=timeline)
    await house.report()
    cut_otherwise = await start(playback)
    house.shelf.version = marked("ver_full")
    await house.report()
    full = await start(playback)
    naming = await playback.name_sessions(
        NameSessions(
            version_id=VersionId("ver_full"), first_segment=0, values=shown(quick.session_id)
        )
    )
    assert naming.suspects[0].session_id == quick.session_id
    assert naming.suspects[0].named
    compared = {each.session_id for each in naming.suspects}
    assert compared == {quick.session_id, full.session_id}
    assert not compared & {unmarked.session_id, cut_otherwise.session_id}


async def test_nobody_is_named_where_nothing_is_marked_or_nothing_is_shown(
    house: House, playback: Playback
) -> None:
    request = NameSessions(version_id=VersionId("ver_1"), first_segment=0, values=[0.2, -0.1])
    with pytest.raises(CannotName, match="pictures of this version are not marked"):
        await playback.name_sessions(request)
    with pytest.raises(CannotName, match="no such version"):
        await playback.name_sessions(
            msgspec.structs.replace(request, version_id=VersionId("ver_gone"))
        )
    house.shelf.version = marked("ver_2")
    marked_one = msgspec.structs.replace(request, version_id=VersionId("ver_2"))
    naming = await playback.name_sessions(marked_one)
    assert (naming.compared, naming.suspects) == (0, [])
    assert naming.verdict == "No session can be named: nobody has played these marked pictures."
    await house.report()
    await start(playback)
    for values in ([], [0.0, 0.0]):
        naming = await playback.name_sessions(msgspec.structs.replace(marked_one, values=values))
        assert (naming.compared, naming.suspects) == (1, [])
        assert "shows nothing of the film's mark" in naming.verdict
    with pytest.raises(EvidenceInvalid, match="no film has so many segments"):
        await playback.name_sessions(msgspec.structs.replace(marked_one, first_segment=-1))


async def test_nobody_is_named_while_encoding_is_away(house: House, playback: Playback) -> None:
    house.take_away(Encoding)
    with pytest.raises(CannotNameNow, match="try again in a moment"):
        await playback.name_sessions(
            NameSessions(version_id=VersionId("ver_1"), first_segment=0, values=[1.0])
        )
