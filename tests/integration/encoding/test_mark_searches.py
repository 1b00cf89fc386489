"""A search for a mark as a worker does it: once, and each way that it can end in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from benches.marking import Marked, copied, marked_of, session_of
from benches.specimen import NOW, keep
from cuemark.contexts.encoding import store, wiring
from cuemark.contexts.encoding.model.validation.manifests import ManifestsOf
from cuemark.contexts.encoding.model.watermark import key_id
from cuemark.contexts.encoding.service import Ledger
from cuemark.contexts.encoding.service.ledger import FIND_MARK
from cuemark.contexts.encoding.stages.workshop import Workshop
from cuemark.contexts.encoding.store import JobRow, marks
from cuemark.contexts.encoding.store.workers import WorkerRow
from cuemark.contexts.encoding.wiring import policy_of
from cuemark.contexts.encoding.workflow.hand import Hand
from cuemark.contexts.encoding.workflow.searching import MOST_TRIES, search
from cuemark.contexts.encoding.workflow.tasks import Parts
from cuemark.contexts.licensing import wiring as licensing
from cuemark.contexts.playback.wiring import manifests_of
from cuemark.contracts.encoding.farm import InHand
from cuemark.contracts.encoding.marks import MarkSearch
from cuemark.contracts.ids import VersionId
from cuemark.kit import outbox
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database, migrate
from cuemark.kit.event_loop import EventLoopThread
from cuemark.kit.outbox import Log
from tests.e2e.installation import ffmpeg
from tests.unit.gateway.neighbours.catalog import Films
from tests.unit.gateway.neighbours.rights import Notary
from tests.vaults import vault_of

KEY = b"0123456789abcdef"
RATE, SECONDS = 24, 4


@dataclass(frozen=True)
class Desk:
    """A worker that looks into copies, and the database that it does so for."""

    parts: Parts
    database: Database
    hand: Hand
    version_id: VersionId

    def asked(self, sha256: str, search_id: str = "mks_1") -> str:
        async def insert() -> None:
            async with self.database.transaction() as transaction:
                await marks.insert_search(
                    transaction, search_id, self.version_id, sha256, "trace", NOW
                )

        self.parts.loop.run(insert())
        return search_id

    def found(self, search_id: str) -> MarkSearch:
        async def find() -> MarkSearch | None:
            async with self.database.transaction() as transaction:
                return await marks.find_search(transaction, search_id)

        found = self.parts.loop.run(find())
        assert found is not None
        return found

    def searched(self, sha256: str) -> MarkSearch:
        search_id = self.asked(sha256)
        search(self.parts, self.hand, search_id)
        return self.found(search_id)


@pytest.fixture(scope="module")
def made(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Marked:
    film = tmp_path_factory.mktemp("searched") / "film.mp4"
    ffmpeg(
        ["-f", "lavfi", "-i", f"mandelbrot=s=256x144:r={RATE}:start_scale=0.8"],
        ["-t", str(SECONDS), "-vf", "format=yuv420p,noise=alls=6:allf=t"],
        ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", str(film)],
    )
    return marked_of(shop, film, [144], KEY)


@pytest.fixture
def desk(made: Marked, database_url: str) -> Iterator[Desk]:
    migrate(database_url, outbox.SCHEMA, outbox.MIGRATIONS)
    migrate(database_url, wiring.SCHEMA, wiring.MIGRATIONS)
    clock, database, loop = SystemClock(), Database(database_url, pool_size=2), EventLoopThread()
    parts = Parts(
        shop=made.marked.shop,
        ledger=Ledger(database, Log(clock), clock),
        licensing=licensing.build(
            database=database,
            clock=clock,
            rights=Notary(clock),
            catalog=Films(clock),
            vault=vault_of(),
        ).service,
        clock=clock,
        loop=loop,
        manifests=lambda version: ManifestsOf(*manifests_of(version)),
        policy=policy_of({}),
    )
    job = JobRow(
        version_id=made.version.version_id,
        quick_version_id=VersionId("ver_quick"),
        title_id=made.version.title_id,
        master_sha256=made.marked.order.sha256,
        captions=[],
        trace_id="",
        created_at=NOW,
        mark_key_id=key_id(KEY),
    )

    async def insert() -> None:
        async with database.transaction() as transaction:
            await store.insert_job(transaction, job)
            await marks.insert_key(transaction, job.version_id, KEY)
            await store.insert_version(transaction, made.version, {})

    loop.run(insert())
    yield Desk(parts, database, Hand(), made.version.version_id)
    loop.run(database.close())


def test_a_copy_tells_the_variant_of_each_segment(desk: Desk, made: Marked, tmp_path: Path) -> None:
    turns = "abba"[: len(made.version.video_timeline.durations)]
    session = session_of(made.marked, turns, tmp_path / "session.mp4")
    copy = copied(made.marked, session, "scale=192:108", 26, tmp_path / "copy.mp4")
    found = desk.searched(keep(desk.parts.shop, copy))
    assert (found.state, found.error) == ("done", "")
    assert found.evidence is not None
    assert found.evidence.first_segment == 0
    assert "".join("a" if each > 0 else "b" for each in found.evidence.values) == turns
    search(desk.parts, desk.hand, found.search_id)
    assert desk.found(found.search_id) == found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-t", "4", "-c:v", "libx264"], "shows nothing of this film"),
        (["-t", "0.4", "-c:v", "libx264"], "less than a segment"),
        (["-t", "700", "-r", "1", "-c:v", "libx264"], "far longer than the film"),
    ],
)
def test_what_is_no_copy_is_told_in_a_sentence(
    desk: Desk, tmp_path: Path, arguments: list[str], said: str
) -> None:
    file = tmp_path / "other.mp4"
    source = f"testsrc2=s=128x96:r={RATE}"
    ffmpeg(["-f", "lavfi", "-i", source], [*arguments, "-preset", "ultrafast", str(file)])
    found = desk.searched(keep(desk.parts.shop, file))
    assert found.state == "failed"
    assert said in found.error


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        np.random.default_rng(1).bytes(50_000),
    ],
)
def test_a_file_that_is_no_film_is_refused(desk: Desk, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "hostile"
    file.write_bytes(data)
    found = desk.searched(keep(desk.parts.shop, file))
    assert (found.state, found.evidence) == ("failed", None)
    assert found.error
    assert "passwd" not in found.error


def test_a_search_that_ends_its_workers_is_given_up(desk: Desk, made: Marked) -> None:
    search_id = desk.asked(made.marked.order.sha256)
    for _ in range(MOST_TRIES):
        desk.parts.loop.run(desk.parts.ledger.begin_search(search_id))
    search(desk.parts, desk.hand, search_id)
    assert "workers ended 3 times" in desk.found(search_id).error


def test_a_worker_hears_whether_its_search_is_still_wanted(desk: Desk, made: Marked) -> None:
    search_id = desk.asked(made.marked.order.sha256)
    worker = WorkerRow(executor_id="worker-1", host="here", slot=1, pid=1)
    hand = InHand(
        version_id=desk.version_id, kind=FIND_MARK, stage="verify", made_for=search_id, since_s=1
    )
    ledger, loop = desk.parts.ledger, desk.parts.loop
    assert loop.run(ledger.beat(worker, hand)).wanted
    assert loop.run(ledger.has_open_jobs())
    loop.run(ledger.end_search(search_id, None, "not wanted"))
    assert not loop.run(ledger.beat(worker, hand)).wanted
