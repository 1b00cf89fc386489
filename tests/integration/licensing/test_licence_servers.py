"""Challenges of DRM systems, forwarded to a server that others run."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import msgspec
import pytest
from structlog.testing import capture_logs

from cuemark.contexts.licensing import wiring
from cuemark.contexts.licensing.model.dialects.forwarded import (
    CONTENT_HEADER,
    KIDS_HEADER,
    LEFT_OUT_HEADER,
    MAX_KIDS_BYTES,
    POLICY_HEADER,
)
from cuemark.contexts.licensing.wiring import LicenceServer, Server, forwarded
from cuemark.contracts.ids import AccountId, PlaySessionId, VersionId
from cuemark.contracts.licensing import (
    CloseLicences,
    ForwardChallenge,
    GetLicence,
    LicenceRefused,
    LicenceServerAway,
    Licensing,
    ListKeyIds,
    OpenLicences,
    ProvisionKeys,
    ServerLicence,
)
from cuemark.contracts.protection import System
from cuemark.kit.clock import ManualClock
from cuemark.kit.deadline import deadline
from tests.databases import opened
from tests.others import Answering, serving
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

OWNER, SESSION, FILM = AccountId("acc_1"), PlaySessionId("play_" + "0" * 26), VersionId("ver_1")
OPENED = OpenLicences(
    session_id=SESSION,
    account_id=OWNER,
    version_id=FILM,
    expires_at=ManualClock().now() + timedelta(minutes=1),
)
SECRET = "5ec2e7"


@pytest.fixture
def others() -> Iterator[Answering]:
    with serving() as says:
        says.body, says.media_type = b"\0licence\xff", "text/xml; charset=utf-8"
        yield says


@pytest.fixture
async def licensing(database_url: str, others: Answering) -> AsyncIterator[Licensing]:
    clock = ManualClock()
    async with opened(database_url, wiring) as database:
        room = wiring.build(
            database=database,
            clock=clock,
            rights=Notary(clock),
            catalog=Films(clock),
            vault=vault_of(),
            clearkey=False,
            systems=["widevine", "common"],
            licence_servers={
                "widevine": LicenceServer(Server(others.url, {"X-Token": SECRET}), forwarded())
            },
            demands={"UHD1": "hardware"},
        )
        await room.service.open_licences(OPENED)
        yield room.service
        for closer in room.closers:
            await closer()


async def forward(
    licensing: Licensing,
    system: System = "widevine",
    account_id: AccountId = OWNER,
    challenge: bytes = b"\x08\x01challenge\0",
) -> ServerLicence:
    return await licensing.forward_challenge(
        ForwardChallenge(
            session_id=SESSION,
            account_id=account_id,
            system=system,
            challenge=challenge,
            media_type="text/xml",
            soap_action='"AcquireLicense"',
        )
    )


async def test_a_challenge_of_another_login_is_taken_nowhere(
    licensing: Licensing, others: Answering
) -> None:
    await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["SD", "AUDIO"]))
    bound = PlaySessionId("play_" + "1" * 26)
    opened = msgspec.structs.replace(OPENED, session_id=bound, login_id="log_tv")
    await licensing.open_licences(opened)
    asked = ForwardChallenge(
        session_id=bound, account_id=OWNER, system="widevine", challenge=b"c", login_id="log_phone"
    )
    with pytest.raises(LicenceRefused, match="another device"):
        await licensing.forward_challenge(asked)
    assert others.asked == []
    await licensing.forward_challenge(msgspec.structs.replace(asked, login_id="log_tv"))
    assert len(others.asked) == 1


async def test_a_challenge_and_its_licence_pass_as_they_are(
    licensing: Licensing, others: Answering
) -> None:
    keys = await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["SD", "AUDIO"]))
    licence = await forward(licensing)
    assert licence == ServerLicence(licence=others.body, media_type=others.media_type)
    (asked,) = others.asked
    assert asked.body == b"\x08\x01challenge\0"
    assert asked.path == "/answer"
    assert asked.headers["x-token"] == SECRET
    assert asked.headers["content-type"] == "text/xml"
    assert asked.headers["soapaction"] == '"AcquireLicense"'
    assert asked.headers[CONTENT_HEADER] == FILM
    assert asked.headers[KIDS_HEADER].split(",") == [key.kid for key in keys.keys]


async def test_of_a_long_film_in_short_periods_the_key_ids_are_asked_for_and_no_header_grows(
    licensing: Licensing, others: Answering
) -> None:
    """Four hours in periods of a minute."""
    labels = ["AUDIO", "HD", "SD", "UHD1"]
    wanted = ProvisionKeys(version_id=FILM, labels=labels, periods=4 * 60)
    keys = (await licensing.provision_keys(wanted)).keys
    await forward(licensing)
    (asked,) = others.asked
    assert KIDS_HEADER not in asked.headers
    # UHD1 takes hardware, which this session has not.
    assert asked.headers[LEFT_OUT_HEADER] == str(3 * 4 * 60)
    assert set(json.loads(asked.headers[POLICY_HEADER])["labels"]) == {"AUDIO", "HD", "SD"}
    assert sum(len(name) + len(value) for name, value in asked.headers.items()) < 2048
    told, after = [], ""
    while True:
        page = await licensing.list_key_ids(ListKeyIds(version_id=FILM, after=after))
        assert len(page.keys) <= 200
        told += [(each.period, each.label, each.kid) for each in page.keys]
        if not (after := page.next_cursor):
            break
    assert told == sorted((key.period, key.label, key.kid) for key in keys)
    assert len(told) == 4 * 4 * 60


async def test_as_many_key_ids_as_fit_are_told_in_the_header(
    licensing: Licensing, others: Answering
) -> None:
    for periods, fits in ((31, True), (32, False)):
        others.asked.clear()
        wanted = ProvisionKeys(
            version_id=FILM, labels=["AUDIO", "HD", "SD", "UHD2"], periods=periods
        )
        await licensing.provision_keys(wanted)
        await forward(licensing)
        (asked,) = others.asked
        assert (KIDS_HEADER in asked.headers, LEFT_OUT_HEADER in asked.headers) == (fits, not fits)
        assert len(asked.headers.get(KIDS_HEADER, "")) <= MAX_KIDS_BYTES


async def test_who_has_no_play_gets_no_licence_and_the_server_is_not_asked(
    licensing: Licensing, others: Answering
) -> None:
    with pytest.raises(LicenceRefused, match="no such playback session"):
        await forward(licensing, account_id=AccountId("acc_thief"))
    with pytest.raises(LicenceRefused, match="no licence server for playready"):
        await forward(licensing, "playready")
    await licensing.close_licences(CloseLicences(session_id=SESSION))
    with pytest.raises(LicenceRefused, match="has ended"):
        await forward(licensing)
    assert others.asked == []


async def test_keys_in_the_clear_are_given_only_where_the_install_wants_it(
    licensing: Licensing,
) -> None:
    keys = await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["SD"]))
    with pytest.raises(LicenceRefused, match="no keys in the clear"):
        await licensing.get_licence(
            GetLicence(session_id=SESSION, account_id=OWNER, kids=[keys.keys[0].kid])
        )
    assert [each.system for each in keys.keys[0].signals] == ["widevine", "common"]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (Answering(status=500), "answers with status 500"),
        (Answering(status=403, body=b"<secret>"), "answers with status 403"),
        (Answering(status=302, location="http://127.0.0.1:1/"), "answers with status 302"),
        (Answering(endless=True), "answers with more than 262144 bytes"),
        (Answering(delay_s=1.0), "does not answer within 0 s"),
    ],
)
async def test_a_server_that_does_not_do_its_part_is_one_sentence(
    licensing: Licensing, others: Answering, how: Answering, says: str
) -> None:
    others.status, others.body, others.location = how.status, how.body, how.location
    others.endless, others.delay_s = how.endless, how.delay_s
    began_s = time.monotonic()
    with capture_logs() as logs, deadline(0.4), pytest.raises(LicenceServerAway) as away:
        await forward(licensing)
    assert time.monotonic() - began_s < 2
    assert away.value.message == (f"The licence server for widevine {says}: try again in a moment.")
    assert SECRET not in repr(logs) + repr(away.value.__cause__)
    assert others.url not in away.value.message


async def test_a_server_that_is_away_is_one_sentence(database_url: str, free_port: int) -> None:
    clock = ManualClock()
    async with opened(database_url, wiring) as database:
        gone = Server(f"http://127.0.0.1:{free_port}/x?key={SECRET}")
        room = wiring.build(
            database=database,
            clock=clock,
            rights=Notary(clock),
            catalog=Films(clock),
            vault=vault_of(),
            systems=["widevine"],
            licence_servers={"widevine": LicenceServer(gone, forwarded())},
        )
        await room.service.open_licences(OPENED)
        with capture_logs() as logs, pytest.raises(LicenceServerAway, match="cannot be reached"):
            await forward(room.service)
        assert SECRET not in repr(logs)
        for closer in room.closers:
            await closer()


async def test_the_server_is_told_no_key_that_demands_more_than_the_play_reaches(
    licensing: Licensing, others: Answering
) -> None:
    keys = {
        key.label: key.kid
        for key in (
            await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["SD", "UHD1"]))
        ).keys
    }
    await forward(licensing)
    better = PlaySessionId("play_" + "1" * 26)
    opened = msgspec.structs.replace(OPENED, session_id=better, robustness="hardware")
    await licensing.open_licences(opened)
    await licensing.forward_challenge(
        ForwardChallenge(session_id=better, account_id=OWNER, system="widevine", challenge=b"c")
    )
    told = [asked.headers[KIDS_HEADER].split(",") for asked in others.asked]
    assert told == [[keys["SD"]], [keys["SD"], keys["UHD1"]]]
