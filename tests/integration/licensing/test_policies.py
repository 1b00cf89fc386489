"""What licence servers are told of a licence, by the protocols that their vendors published."""

import base64
import dataclasses
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace

from cuemark.contexts.licensing import wiring
from cuemark.contexts.licensing.model.dialects import Dialect
from cuemark.contexts.licensing.wiring import (
    LicenceServer,
    Office,
    Provider,
    Server,
    Terms,
    entitlement,
    forwarded,
    widevine,
)
from cuemark.contracts.ids import AccountId, PlaySessionId, TitleId, VersionId
from cuemark.contracts.licensing import (
    ForwardChallenge,
    LicenceRefused,
    LicenceServerAway,
    Licensing,
    OpenLicences,
    ProvisionKeys,
    ServerLicence,
)
from cuemark.contracts.protection import System
from cuemark.kit.clock import ManualClock
from tests.databases import opened
from tests.integration.licensing.vendors import EntitlementVendor, WidevineCloud
from tests.others import Answering, serving
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary, denied, granted
from tests.vaults import vault_of

OWNER, SESSION, FILM = AccountId("acc_1"), PlaySessionId("play_" + "0" * 26), VersionId("ver_1")
KEY, IV = bytes(range(32)), bytes(range(16))
GUID = "12196546-a312-4a4e-ab65-c19bccce1adf"
TERMS = Terms(
    licence_s=1800, renew_after_s=600, renew_retry_s=20, renew_grace_s=120, outputs={"UHD1": "2.2"}
)
PROVIDER = Provider("ourselves", KEY, IV)


@pytest.fixture
def others() -> Iterator[Answering]:
    with serving() as says:
        yield says


@asynccontextmanager
async def licensing_with(
    database_url: str,
    dialects: Mapping[System, Dialect],
    others: Answering,
    *,
    terms: Terms = TERMS,
    notary: Notary | None = None,
    clock: ManualClock | None = None,
) -> AsyncIterator[Licensing]:
    clock = clock or ManualClock()
    async with opened(database_url, wiring) as database:
        room = wiring.build(
            database=database,
            clock=clock,
            rights=notary or Notary(clock),
            catalog=Films(clock),
            vault=vault_of(),
            clearkey=False,
            systems=list(dialects),
            licence_servers={
                name: LicenceServer(Server(others.url), dialect)
                for name, dialect in dialects.items()
            },
            demands={"UHD1": "hardware"},
            terms=terms,
        )
        await room.service.open_licences(
            OpenLicences(
                session_id=SESSION,
                account_id=OWNER,
                version_id=FILM,
                expires_at=clock.now() + timedelta(hours=1),
                robustness="hardware",
                title_id=TitleId("tit_1") if notary else None,
                territory="DE",
            )
        )
        yield room.service
        for closer in room.closers:
            await closer()


async def ask(licensing: Licensing, system: System = "widevine") -> ServerLicence:
    return await licensing.forward_challenge(
        ForwardChallenge(
            session_id=SESSION, account_id=OWNER, system=system, challenge=b"\x08\x01\xff"
        )
    )


async def test_widevines_cloud_gets_the_policy_signed_and_its_licence_comes_out(
    database_url: str, others: Answering
) -> None:
    cloud = WidevineCloud("ourselves", KEY, IV)
    others.answer = cloud.answer
    async with licensing_with(database_url, {"widevine": widevine(PROVIDER)}, others) as licensing:
        provisioned = await licensing.provision_keys(
            ProvisionKeys(version_id=FILM, labels=["AUDIO", "UHD1"])
        )
        licence = await ask(licensing)
    assert licence.licence == b"licence:\x08\x01\xff"
    (message,) = cloud.licensed
    assert base64.b64decode(message["content_id"]) == FILM.encode()
    assert message["policy_overrides"] == {
        "can_play": True,
        "can_persist": False,
        "can_renew": True,
        "license_duration_seconds": 1800,
        "rental_duration_seconds": 0,
        "playback_duration_seconds": 0,
        "renewal_delay_seconds": 600,
        "renewal_retry_interval_seconds": 20,
        "renewal_recovery_duration_seconds": 120,
    }
    told = {
        base64.b64decode(spec["key_id"]).hex(): (
            base64.b64decode(spec["key"]).hex(),
            spec["track_type"],
            spec["security_level"],
            spec["required_output_protection"]["hdcp"],
        )
        for spec in message["content_key_specs"]
    }
    levels = {"AUDIO": (1, "HDCP_NONE"), "UHD1": (5, "HDCP_V2_2")}
    assert told == {key.kid: (key.key, key.label, *levels[key.label]) for key in provisioned.keys}


async def test_a_signature_by_another_key_is_refused_and_told(
    database_url: str, others: Answering
) -> None:
    others.answer = WidevineCloud("ourselves", KEY[::-1], IV).answer
    async with licensing_with(database_url, {"widevine": widevine(PROVIDER)}, others) as licensing:
        with pytest.raises(LicenceServerAway, match="refuses with SIGNATURE_FAILED"):
            await ask(licensing)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"status": 1}',
        b'{"status": "OK"}',
        b'{"status": "OK", "license": "?"}',
        b'{"status": "OK", "license": null}',
        b'{"status":' + b"[" * 5000,
        b'{"status": "<script>secret</script>"}',
    ],
)
async def test_what_is_no_answer_of_widevines_cloud_is_one_sentence(
    database_url: str, others: Answering, body: bytes
) -> None:
    others.body = body
    async with licensing_with(database_url, {"widevine": widevine(PROVIDER)}, others) as licensing:
        with pytest.raises(LicenceServerAway, match=r"refuses:|else than a licence") as away:
            await ask(licensing)
    assert "secret" not in away.value.message


@pytest.mark.parametrize("system", ["widevine", "playready", "fairplay"])
async def test_an_entitlement_says_the_policy_to_each_system(
    database_url: str, others: Answering, system: System
) -> None:
    clock = ManualClock()
    vendor = EntitlementVendor(GUID, KEY, clock.now)
    others.answer = vendor.answer
    dialects: dict[System, Dialect] = {system: entitlement(Office(GUID, KEY))}
    async with licensing_with(database_url, dialects, others, clock=clock) as licensing:
        provisioned = await licensing.provision_keys(
            ProvisionKeys(version_id=FILM, labels=["AUDIO", "UHD1"])
        )
        licence = await ask(licensing, system)
    assert licence.licence == b"licence:\x08\x01\xff"
    (message,) = vendor.licensed
    assert message["license"]["duration"] == 1800
    assert message["license"]["allow_persistence"] is False
    assert message["license"]["widevine"]["renewal_delay"] == 600
    named = {
        key["id"].replace("-", ""): key["usage_policy"]
        for key in message["content_keys_source"]["inline"]
    }
    assert named == {key.kid: key.label for key in provisioned.keys}
    assert all(
        key.key not in others.asked[0].headers["x-axdrm-message"] for key in provisioned.keys
    )
    usage = {each["name"]: each for each in message["content_key_usage_policies"]}
    assert usage["UHD1"]["widevine"] == {"device_security_level": "HW_SECURE_ALL", "hdcp": "2.2"}
    assert usage["UHD1"]["playready"]["min_device_security_level"] == 3000
    assert usage["UHD1"]["fairplay"] == {"hdcp": "TYPE1"}
    assert "hdcp" not in usage["AUDIO"]["widevine"]


async def test_an_entitlement_for_too_many_keys_is_refused_before_it_is_sent(
    database_url: str, others: Answering
) -> None:
    dialects: dict[System, Dialect] = {"widevine": entitlement(Office(GUID, KEY))}
    async with licensing_with(database_url, dialects, others) as licensing:
        await licensing.provision_keys(
            ProvisionKeys(version_id=FILM, labels=["AUDIO", "SD"], periods=400)
        )
        with pytest.raises(LicenceServerAway, match="cannot be told of 800 keys"):
            await ask(licensing)
    assert others.asked == []


async def test_a_server_of_ones_own_reads_the_policy_in_a_header(
    database_url: str, others: Answering
) -> None:
    others.body = b"licence"
    async with licensing_with(database_url, {"playready": forwarded()}, others) as licensing:
        await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["AUDIO", "UHD1"]))
        await ask(licensing, "playready")
    (asked,) = others.asked
    assert asked.body == b"\x08\x01\xff"
    policy = json.loads(asked.headers["cuemark-policy"])
    assert policy == {
        "licence_s": 1800,
        "ends_at": (ManualClock().now() + timedelta(hours=1)).isoformat(timespec="seconds"),
        "persistent": False,
        "labels": {
            "AUDIO": {"robustness": "software"},
            "UHD1": {"robustness": "hardware", "hdcp": "2.2"},
        },
        "renewal": {"after_s": 600, "retry_s": 20, "grace_s": 120},
    }


async def test_a_licence_that_may_be_kept_is_told_as_such_in_each_protocol(
    database_url: str, others: Answering
) -> None:
    clock = ManualClock()
    kept = dataclasses.replace(TERMS, persistent=True, playback_s=900)
    cloud = WidevineCloud("ourselves", KEY, IV)
    vendor = EntitlementVendor(GUID, KEY, clock.now)
    others.answer = lambda asked: (
        vendor.answer(asked) if "x-axdrm-message" in asked.headers else cloud.answer(asked)
    )
    dialects: dict[System, Dialect] = {
        "widevine": widevine(PROVIDER),
        "fairplay": entitlement(Office(GUID, KEY)),
        "playready": forwarded(),
    }
    async with licensing_with(database_url, dialects, others, terms=kept, clock=clock) as licensing:
        await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=["AUDIO"]))
        await ask(licensing)
        await ask(licensing, "fairplay")
        others.answer, others.body = None, b"licence"
        await ask(licensing, "playready")
    told = cloud.licensed[0]["policy_overrides"]
    assert (told["can_persist"], told["rental_duration_seconds"]) == (True, 1800)
    assert told["playback_duration_seconds"] == 900
    assert vendor.licensed[0]["license"]["allow_persistence"] is True
    policy = json.loads(others.asked[-1].headers["cuemark-policy"])
    assert (policy["persistent"], policy["playback_s"]) == (True, 900)


async def test_a_renewal_ends_with_the_right_and_is_refused_after_it(
    database_url: str, others: Answering
) -> None:
    clock = ManualClock()
    film = TitleId("tit_1")
    right_ends = clock.now() + timedelta(seconds=900)
    notary = Notary(clock, said={film: replace(granted(film), ends_at=right_ends)})
    cloud = WidevineCloud("ourselves", KEY, IV)
    others.answer = cloud.answer
    dialects: dict[System, Dialect] = {"widevine": widevine(PROVIDER)}
    async with licensing_with(
        database_url, dialects, others, notary=notary, clock=clock
    ) as licensing:
        await ask(licensing)
        clock.advance(600)
        await ask(licensing)
        notary.said[film] = denied(film, "over")
        with pytest.raises(LicenceRefused, match="right to play this title has ended"):
            await ask(licensing)
    lasted = [each["policy_overrides"]["license_duration_seconds"] for each in cloud.licensed]
    assert lasted == [900, 300]
