"""Keys from a key server by SPEKE v2: from ours over HTTP, and from servers that do it wrong."""

import base64
import dataclasses
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cuemark.contexts.licensing import wiring
from cuemark.contexts.licensing.model import cpix, speke
from cuemark.contexts.licensing.wiring import Server
from cuemark.contracts.ids import VersionId
from cuemark.contracts.licensing import (
    ExchangeInvalid,
    ExchangeKeys,
    KeysNotGiven,
    Licensing,
    ProvisionedKeys,
    ProvisionKeys,
    RotateMasterKey,
)
from cuemark.gateway.app import build_gateway
from cuemark.kit.clock import ManualClock, SystemClock
from cuemark.kit.database import Database
from cuemark.kit.deadline import deadline
from cuemark.kit.room import Room
from tests.databases import opened
from tests.integration.gateway.listening import free_port, listening
from tests.others import Answering, Asked, serving
from tests.unit.gateway.neighbours import ANNA, OPERATOR, Town
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

FILM = VersionId("ver_film")
LABELS = ["AUDIO", "SD", "HD"]
SECRET = "5ec2e7"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring) as database:
        yield database


@pytest.fixture
async def ours(other_database_url: str) -> AsyncIterator[Licensing]:
    """A key store of our own, elsewhere."""
    async with opened(other_database_url, wiring) as database:
        room = wiring.build(
            database=database,
            clock=ManualClock(),
            rights=Notary(ManualClock()),
            catalog=Films(ManualClock()),
            vault=vault_of(b"o" * 32),
        )
        yield room.service


@pytest.fixture
def others() -> Iterator[Answering]:
    with serving() as says:
        says.media_type = "application/xml"
        yield says


@pytest.fixture
async def asking(database: Database, others: Answering) -> AsyncIterator[Licensing]:
    """Licensing whose keys come from ``others``."""
    room = wiring.build(
        database=database,
        clock=ManualClock(),
        rights=Notary(ManualClock()),
        catalog=Films(ManualClock()),
        vault=vault_of(),
        systems=["widevine", "fairplay"],
        key_server=Server(others.url, {"Authorization": f"Bearer {SECRET}"}),
    )
    yield room.service
    for closer in room.closers:
        await closer()


async def provision(licensing: Licensing, labels: list[str] = LABELS) -> ProvisionedKeys:
    return await licensing.provision_keys(ProvisionKeys(version_id=FILM, labels=labels))


async def test_our_client_gets_its_keys_from_our_endpoint(
    database: Database, ours: Licensing, tmp_path: Path
) -> None:
    """Over HTTP, by the operator's token, once: later it has them itself."""
    port = free_port()
    town = Town(tmp_path, f"http://127.0.0.1:{port}", SystemClock())
    parts = dataclasses.replace(town.parts, licensing=ours)
    url = f"http://127.0.0.1:{port}/api/v1/speke/v2.0/copyProtection"

    def client(token: str, sealed: bool = False) -> Room[Licensing]:
        return wiring.build(
            database=database,
            clock=ManualClock(),
            rights=Notary(ManualClock()),
            catalog=Films(ManualClock()),
            vault=vault_of(),
            systems=["widevine", "playready", "fairplay", "common"],
            key_server=Server(url, {"Authorization": f"Bearer {token}"}),
            sealed=sealed,
        )

    async with listening(build_gateway(parts), port):
        member = client(ANNA)
        with pytest.raises(KeysNotGiven, match="the key server answers with status 403"):
            await provision(member.service)
        operator = client(OPERATOR)
        made = await provision(operator.service)
        sealed = client(OPERATOR, sealed=True)
        more = await provision(sealed.service, ["SD", "UHD1"])
    assert await provision(operator.service, [*LABELS, "UHD1"]) == ProvisionedKeys(
        keys=sorted([*made.keys, more.keys[1]], key=lambda key: key.label)
    )
    stored = await provision(ours, [*LABELS, "UHD1"])
    assert {(key.label, key.kid, key.key, key.iv) for key in stored.keys} == {
        (key.label, key.kid, key.key, key.iv) for key in [*made.keys, more.keys[1]]
    }
    for key in made.keys:
        assert [signal.system for signal in key.signals] == [
            *("widevine", "playready", "fairplay", "common")
        ]
    for room in (member, operator, sealed):
        for closer in room.closers:
            await closer()


def answered(ours: Licensing, others: Answering) -> None:
    """Have ``others`` answer with keys that are made up for each request, rightly."""

    def answer(asked: Asked) -> bytes:
        request = cpix.read(asked.body)
        keys = {
            key.kid: cpix.DocumentKey(key.kid, bytes([n + 1]) * 16)
            for n, key in enumerate(request.keys)
        }
        return cpix.write(speke.answer_of(request, keys, {}))

    others.answer = answer


async def test_a_request_is_what_speke_wants(
    asking: Licensing, ours: Licensing, others: Answering
) -> None:
    answered(ours, others)
    made = await provision(asking)
    assert [key.key for key in made.keys] == [f"{n:02x}" * 16 for n in (1, 2, 3)]
    assert [[one.system for one in key.signals] for key in made.keys] == [
        ["widevine", "fairplay"]
    ] * 3
    (asked,) = others.asked
    assert asked.headers["x-speke-version"] == "2.0"
    assert re.fullmatch(r"cuemark/\d+\.\d+\.\d+", asked.headers["x-speke-user-agent"])
    assert asked.headers["content-type"] == "application/xml"
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert b'contentId="ver_film" version="2.3"' in asked.body
    assert asked.body.count(b'commonEncryptionScheme="cbcs"') == 3
    assert await provision(asking) == made
    assert len(others.asked) == 1


async def test_keys_of_each_period_are_asked_for_apart_and_kept(
    asking: Licensing, others: Answering
) -> None:
    def answer(asked: Asked) -> bytes:
        request = cpix.read(asked.body)
        (period,) = request.periods
        keys = {
            key.kid: cpix.DocumentKey(key.kid, bytes([n + 1, period.index]) * 8)
            for n, key in enumerate(request.keys)
        }
        return cpix.write(speke.answer_of(request, keys, {}))

    others.answer = answer
    wanted = ProvisionKeys(version_id=VersionId("ver_film"), labels=["AUDIO", "SD"], periods=3)
    made = await asking.provision_keys(wanted)
    assert [(key.label, key.period, key.key) for key in made.keys] == [
        (label, period, f"{n:02x}{period:02x}" * 8)
        for period in range(3)
        for n, label in enumerate(("AUDIO", "SD"), 1)
    ]
    assert len(others.asked) == 3
    assert await asking.provision_keys(wanted) == made
    assert len(others.asked) == 3


async def test_a_key_server_that_gives_one_key_for_two_periods_is_refused(
    asking: Licensing, ours: Licensing, others: Answering
) -> None:
    answered(ours, others)
    wanted = ProvisionKeys(version_id=VersionId("ver_film"), labels=["SD"], periods=2)
    with pytest.raises(KeysNotGiven, match="or another period of this one"):
        await asking.provision_keys(wanted)


CPIX = '<CPIX xmlns="urn:dashif:org:cpix" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc">{}</CPIX>'


def rewritten(pattern: str, replacement: str, count: int = 0) -> Answering:
    """What answers rightly but for what matches ``pattern``."""

    def answer(asked: Asked) -> bytes:
        plain = iter("abc")
        filled = re.sub(
            r"(<cpix:ContentKey [^>]*?) ?/>",
            lambda key: (
                f"{key[1]}><cpix:Data><p:Secret xmlns:p='urn:ietf:params:xml:ns:keyprov:pskc'>"
                f"<p:PlainValue>{base64.b64encode(next(plain).encode() * 16).decode()}"
                "</p:PlainValue></p:Secret></cpix:Data></cpix:ContentKey>"
            ),
            asked.body.decode(),
        )
        changed = re.sub(pattern, replacement, filled, count=count, flags=re.DOTALL)
        assert changed != filled
        return changed.encode()

    return Answering(answer=answer)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (Answering(status=500), "the key server answers with status 500"),
        (Answering(status=401), "the key server answers with status 401"),
        (Answering(delay_s=0.8), "the key server does not answer within 0 s"),
        (Answering(endless=True), "the key server answers with more than 262144 bytes"),
        (Answering(body=b"<html>"), "it is no XML"),
        (Answering(body=CPIX.format("").encode()), "it gives no key for AUDIO"),
        (Answering(body=b"<!DOCTYPE x [<!ENTITY e 'x'>]><x>&e;</x>"), "has a document type"),
        (rewritten(r"<cpix:Data>.*?</cpix:Data>", "", 1), "it gives no key for AUDIO"),
        (rewritten(r'ContentKey kid="[^"]+"', f'ContentKey kid="{"a" * 32}"', 1), "not asked for"),
        (rewritten(r"(<cpix:ContentKey .*?</cpix:ContentKey>)", r"\1\1", 1), "for AUDIO twice"),
        (rewritten(r"YWFhYWFhYWFhYWFhYWFhYQ==", "YWFhYWFhYWFhYWFhYWFh"), "has 15 bytes, not 16"),
        (rewritten(r"Y2NjY2NjY2NjY2NjY2NjYw==", "YWFhYWFhYWFhYWFhYWFhYQ=="), "for two labels"),
        (rewritten(r'contentId="ver_film"', 'contentId="ver_b"'), "about other content"),
    ],
)
async def test_a_server_that_does_it_wrong_is_one_sentence_and_nothing_is_kept(
    asking: Licensing, ours: Licensing, others: Answering, how: Answering, says: str
) -> None:
    others.status, others.body, others.delay_s = how.status, how.body, how.delay_s
    others.endless, others.answer = how.endless, how.answer
    began_s = time.monotonic()
    with capture_logs() as logs, deadline(0.4), pytest.raises(KeysNotGiven) as refused:
        await provision(asking)
    assert time.monotonic() - began_s < 2
    said = refused.value.message
    assert says in said
    assert "\n" not in said
    assert not any(word in said + repr(logs) for word in (SECRET, others.url, "YWFhYWFh"))
    others.status, others.body, others.delay_s, others.endless = 200, b"", 0.0, False
    answered(ours, others)
    assert len((await provision(asking)).keys) == 3


async def test_a_key_that_another_version_has_is_refused(
    asking: Licensing, ours: Licensing, others: Answering
) -> None:
    answered(ours, others)
    made = await provision(asking)
    with pytest.raises(KeysNotGiven, match="a key that another version has"):
        await asking.provision_keys(ProvisionKeys(version_id=VersionId("ver_b"), labels=["SD"]))
    assert await provision(asking) == made


async def exchange(licensing: Licensing, content: str, kids: dict[str, str]) -> cpix.Document:
    request = speke.request_of(content, kids, "cenc", ["widevine"])
    answer = await licensing.exchange_keys(ExchangeKeys(document=cpix.write(request)))
    return cpix.read(answer.document)


async def test_a_key_that_another_version_has_is_refused_over_a_change_of_the_master_key(
    asking: Licensing, ours: Licensing, others: Answering
) -> None:
    answered(ours, others)
    await provision(asking)
    await asking.rotate_master_key(RotateMasterKey())
    with pytest.raises(KeysNotGiven, match="a key that another version has"):
        await asking.provision_keys(ProvisionKeys(version_id=VersionId("ver_2"), labels=LABELS))


async def test_an_encryptor_of_others_gets_keys_and_a_licence_server_gets_ours(
    ours: Licensing,
) -> None:
    kids = {"SD": "ab" * 16, "HD": "cd" * 16}
    first = await exchange(ours, "their-film", kids)
    assert [(key.kid, len(key.key), len(key.iv)) for key in first.keys] == [
        (kid, 16, 16) for kid in kids.values()
    ]
    assert len(first.systems) == 2
    assert await exchange(ours, "their-film", kids) == first
    made = await provision(ours)
    told = await exchange(ours, FILM, {key.label: key.kid for key in made.keys})
    assert {key.kid: key.key.hex() for key in told.keys} == {key.kid: key.key for key in made.keys}


async def test_a_key_is_given_for_its_own_content_alone(ours: Licensing) -> None:
    await exchange(ours, "film-a", {"SD": "ab" * 16})
    for content, kids in (
        ("film-b", {"SD": "ab" * 16}),
        ("film-a", {"SD": "cd" * 16}),
        ("film-a", {"HD": "ef" * 16, "SD": "cd" * 16}),
    ):
        with pytest.raises(ExchangeInvalid, match="another key for SD"):
            await exchange(ours, content, kids)
    assert await exchange(ours, "film-a", {"HD": "aa" * 16}), "what was refused left nothing"
    for document in (b"", b"<x/>", CPIX.format("").encode()):
        with pytest.raises(ExchangeInvalid, match=r"This document cannot be answered: its? "):
            await ours.exchange_keys(ExchangeKeys(document=document))
