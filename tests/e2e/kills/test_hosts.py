"""Two hosts, one bucket, four workers: a host is killed whole at any moment, and nothing differs.

``CUEMARK_TEST_KILLS`` and ``CUEMARK_TEST_SEED`` say how many and which; ``make soak`` kills 50.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.buckets import BUCKET, SECRET_ACCESS_KEY, BucketServer
from tests.e2e.installation import wait_until
from tests.e2e.kills.conftest import (
    KEPT_BY_APPLIANCES,
    KILL,
    KILLS,
    SEED,
    Accepted,
    Undisturbed,
    random_of,
    summary_line,
)
from tests.e2e.kills.hosts import CABLE, OUT, WORKERS, InstalledOn, Lan, WorkersOn, lan
from tests.e2e.kills.running import content
from tests.e2e.kills.test_kills import open_workflows

pytestmark = pytest.mark.slow

HOST_KILLS = 2 if KILLS <= 20 else KILLS // 4
WHILE_ENCODING = 0.6
"""The part of an undisturbed run in which the second host finds something to do."""
AWAY_S = 10.0 if KILLS > 20 else 2.0
BUCKET_AWAY_S = max(AWAY_S, 5.0)
SERVED = ("versions", "reports", "masters", "artworks")
INSTALL, WORKERS_ONLY = "first-host", "second-host"


@pytest.fixture(scope="module")
def two_hosts() -> Iterator[Lan]:
    with lan() as found:
        yield found


@pytest.fixture(scope="module")
def bucket(two_hosts: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BucketServer]:
    server = BucketServer(tmp_path_factory.mktemp("s3"), two_hosts.server)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def installation(
    accepted: Accepted, two_hosts: Lan, bucket: BucketServer, tmp_path: Path
) -> Iterator[InstalledOn]:
    accepted.lay_down(tmp_path / "data")
    prefix = tmp_path.name.replace("_", "-")
    installation = InstalledOn(tmp_path / "data", two_hosts.first, bucket, prefix)
    yield installation
    installation.kill_all()


@pytest.fixture
def workers(two_hosts: Lan, tmp_path: Path) -> Iterator[WorkersOn]:
    workers = WorkersOn(tmp_path / "second", two_hosts.second)
    yield workers
    workers.kill_host()


@pytest.mark.parametrize("number", range(HOST_KILLS))
def test_a_host_that_dies_changes_nothing_of_what_is_made(
    number: int,
    accepted: Accepted,
    undisturbed: Undisturbed,
    installation: InstalledOn,
    workers: WorkersOn,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    random = random_of(number)
    victim = (INSTALL, WORKERS_ONLY)[number % 2]
    at_s = random.uniform(0, WHILE_ENCODING * undisturbed.wall_s)
    print(
        f"{victim} killed at {at_s:.2f} s; again with CUEMARK_TEST_SEED={SEED} "
        f"CUEMARK_TEST_KILLS={KILLS} pytest tests/e2e/kills/test_hosts.py -k [{number}]"
    )
    installation.start()
    installation.wait_serving()
    with installation.paused():
        ticket = installation.ticket(tmp_path / "ticket")
        workers.start(ticket)
        workers.wait_working()
    began_s = time.monotonic()
    time.sleep(at_s)
    if victim == INSTALL:
        installation.kill_all()
        installation.start()
        installation.wait_serving()
    else:
        workers.kill_host()
        workers.start(ticket)
        workers.wait_working()
    installation.wait_done(accepted.version_id)
    done_s = time.monotonic() - began_s
    again = assert_as_undisturbed(installation, workers, undisturbed, WORKERS)
    record_property(KILL, summary_line(number, victim, at_s, again, done_s))


def test_each_neighbor_may_be_away_for_a_while(
    accepted: Accepted,
    undisturbed: Undisturbed,
    two_hosts: Lan,
    installation: InstalledOn,
    workers: WorkersOn,
    tmp_path: Path,
) -> None:
    installation.start()
    installation.wait_serving()
    with installation.paused():
        workers.start(installation.ticket(tmp_path / "ticket"))
        workers.wait_working()
    wait_until(lambda: bool(installation.encoded() + workers.encoded()), 60, "work is in hand")
    told = set[str]()
    with two_hosts.first.without(OUT), two_hosts.second.without(OUT):
        began_s = time.monotonic()
        # What is in hand needs the bucket when it is done, and not before.
        while not any(told) or time.monotonic() - began_s < BUCKET_AWAY_S:
            assert time.monotonic() - began_s < 60, "nobody waits for the bucket"
            told |= {str(row[0]) for row in installation.query("select waiting from encoding.job")}
            time.sleep(0.1)
    with two_hosts.second.without(CABLE):
        time.sleep(AWAY_S)
    control = installation.groups()["control"]
    os.kill(control, signal.SIGSTOP)
    time.sleep(AWAY_S)
    os.kill(control, signal.SIGCONT)
    installation.wait_done(accepted.version_id)
    tell_off_the_wrong(tmp_path / "ticket", WorkersOn(tmp_path / "third", two_hosts.second))
    assert_as_undisturbed(installation, workers, undisturbed, 0)
    assert_no_secret_was_told(tmp_path / "ticket", installation, workers)
    prefix = installation.folder.parent.name.replace("_", "-")
    away = f"waiting for the object store: s3://{BUCKET}/{prefix} does not answer"
    assert told - {""} == {away}


def tell_off_the_wrong(ticket: Path, stranger: WorkersOn) -> None:
    """Who comes with a ticket that opens nothing is told so in one sentence each."""
    good = json.loads(ticket.read_text())
    bucket = {**good["bucket"], "secret_access_key": "another"}
    for changed, said in (
        ({"database_password": "0" * 64}, "the install does not take this ticket any more: make"),
        ({"key": "0" * 64}, "the install does not take this ticket now: set the clocks"),
        ({"bucket": bucket}, "refuses these credentials: mend them in the settings"),
        ({"work": {**good["work"], "pipeline": "another"}}, "put the same release on both"),
        ({"database_host": "10.87.255.1"}, "the install's database does not answer"),
    ):
        bad = stranger.folder.with_name("bad")
        bad.write_text(json.dumps({**good, **changed}))
        done = stranger.cli("host", "work", "--ticket", str(bad), expect=1)
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def assert_no_secret_was_told(ticket: Path, installation: InstalledOn, workers: WorkersOn) -> None:
    given = json.loads(ticket.read_text())
    secrets = (SECRET_ACCESS_KEY, given["key"], given["database_password"])
    for folder in (installation.folder, workers.folder):
        for log in (folder / "logs").iterdir():
            told = log.read_text(errors="replace")
            assert [secret for secret in secrets if secret in told] == [], log


def assert_as_undisturbed(
    installation: InstalledOn, workers: WorkersOn, undisturbed: Undisturbed, killed: int
) -> int:
    """Stop both hosts; returns how many chunks were encoded again.

    Beside the ``killed``, a worker may have ended because its database went away under it.
    """
    wait_until(lambda: open_workflows(installation) == [], 30, "no workflow is left open")
    wait_until(
        lambda: served(installation) == served_of(undisturbed), 30, "all that is served is here"
    )
    workers.stop()
    installation.stop()
    encoded = installation.encoded() + workers.encoded()
    assert set(encoded) <= undisturbed.chunks
    again = sum(encoded.values()) - len(encoded)
    gave_up = len(installation.events("worker_gives_up") + workers.events("worker_gives_up"))
    assert again <= killed + gave_up, "more was encoded again than was in the hands of the ended"
    return again


def served(installation: InstalledOn) -> dict[str, str]:
    """What the first host serves: versions and what is kept beside them, and its appliances'."""
    appliances = [
        f"appliances/{path.name}" for path in (installation.folder / "appliances").iterdir()
    ]
    kept = [f"{path}/{part}" for path in appliances for part in KEPT_BY_APPLIANCES]
    return content(installation.folder, *(f"objects/{part}" for part in SERVED), *kept)


def served_of(undisturbed: Undisturbed) -> dict[str, str]:
    prefixes = (*(f"objects/{part}/" for part in SERVED), "appliances/")
    return {
        name: hashed for name, hashed in undisturbed.content.items() if name.startswith(prefixes)
    }
