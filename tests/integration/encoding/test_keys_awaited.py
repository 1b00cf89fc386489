"""A version waits for its keys, says so, and is not begun without them."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from benches.specimen import sounds_of
from cuemark.contexts.encoding import wiring as encoding
from cuemark.contexts.encoding.model.fairness import Urgency
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.stages.packaging import Order, RungToPackage
from cuemark.contexts.encoding.tools.ffmpeg import Recipe
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.contexts.encoding.workflow.patience import do_patiently
from cuemark.contexts.encoding.workflow.tasks import Parts, Task
from cuemark.contexts.licensing import wiring as licensing
from cuemark.contexts.licensing.model import cpix, speke
from cuemark.contexts.licensing.wiring import Server
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.ids import TitleId, VersionId
from cuemark.contracts.licensing import Licensing
from cuemark.kit import outbox
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.event_loop import EventLoopThread
from cuemark.kit.link import local
from cuemark.kit.outbox import Log
from tests.integration.encoding.conftest import Studio
from tests.others import Answering, Asked, serving
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

VERSION = "ver_waits"


@pytest.fixture
def others() -> Iterator[Answering]:
    with serving() as says:
        yield says


def order_of(studio: Studio) -> Order:
    recipe = Recipe(128, 72, 30.0, "veryfast")
    rung = RungToPackage(
        key=studio.joined_rung(recipe, studio.chunk_of_each_shot),
        width=recipe.width,
        height=recipe.height,
        vmaf_mean=80.0,
        vmaf_p5=70.0,
        vmaf_predicted=None,
    )
    return Order(
        version_id=VersionId(VERSION),
        title_id=TitleId("ttl_1"),
        quality="quick",
        sha256=studio.sha256,
        rungs=[rung],
        sounds=sounds_of(studio.shop, studio.sha256)[:1],
        captions=[],
    )


def right(asked: Asked) -> bytes:
    request = cpix.read(asked.body)
    keys = {
        key.kid: cpix.DocumentKey(key.kid, bytes([n + 1]) * 16)
        for n, key in enumerate(request.keys)
    }
    return cpix.write(speke.answer_of(request, keys, {}))


def test_a_version_waits_for_its_keys_and_says_so(
    studio: Studio, database_url: str, others: Answering
) -> None:
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    for owner in (encoding, licensing):
        migrate(database_url, owner.SCHEMA, owner.MIGRATIONS)
    clock, database, loop = SystemClock(), Database(database_url), EventLoopThread()
    room = licensing.build(
        database=database,
        clock=clock,
        rights=Notary(clock),
        catalog=Films(clock),
        vault=vault_of(),
        systems=["widevine"],
        key_server=Server(others.url),
    )
    parts = Parts(
        shop=studio.shop,
        ledger=Ledger(database, Log(clock), clock),
        licensing=local(Licensing, room.service),
        clock=clock,
        loop=loop,
        manifests=lambda version: ManifestsOf(*manifests_of(version)),
        policy=encoding.policy_of({}),
        thumbnails=False,
        scheme="cenc",
    )
    task = Task(
        kind="package",
        version_id=VersionId(VERSION),
        stage="package",
        urgency=Urgency.FULL,
        sha256=studio.sha256,
        order=order_of(studio),
    )
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into encoding.job (version_id, quick_version_id, title_id, master_sha256,"
                " captions, state, trace_id, created_at)"
                " values (:version, 'ver_q', 'ttl_1', '', '[]', 'running', '', now())"
            ),
            {"version": VERSION},
        )

    def waiting() -> str:
        with engine.begin() as connection:
            found = connection.execute(text("select waiting from encoding.job")).scalar_one()
            return str(found)

    others.status = 503
    done: list[str] = []
    work = threading.Thread(
        target=lambda: done.append(do_patiently(parts, Hand(), task, "package:1")[0])
    )
    work.start()
    deadline_s = time.monotonic() + 20
    while not waiting():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert waiting() == "waiting for content keys: the key server answers with status 503"
    assert not studio.shop.objects.path(f"versions/{VERSION}").exists()
    others.answer, others.status = right, 200
    work.join(60)
    assert len(done) == 1
    assert '"scheme":"cenc"' in done[0]
    assert '"system":"widevine"' in done[0]
    assert (studio.shop.objects.path(f"versions/{VERSION}") / "v72.widevine.m3u8").exists()
    for closer in room.closers:
        loop.run(closer())  # type: ignore[arg-type]
    loop.run(database.close())
    engine.dispose()
