"""Killed at any moment, Cuemark ends where it would have ended undisturbed.

``CUEMARK_TEST_KILLS`` and ``CUEMARK_TEST_SEED`` say how many and which; ``make soak`` runs 200.
"""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import wait_until
from tests.e2e.kills.conftest import (
    KILL,
    KILLS,
    SEED,
    Accepted,
    Powered,
    Undisturbed,
    made_in,
    random_of,
    summary_line,
)
from tests.e2e.kills.running import WatchedInstallation, broken_views, names
from tests.e2e.kills.victims import (
    EVERYTHING,
    POWER,
    SUPERVISOR,
    VICTIMS,
    kill_child,
    kill_everything,
    kill_supervisor,
    workers_lost,
)

pytestmark = pytest.mark.slow


def planned_victims(kills: int) -> list[str]:
    """Every victim in turn, in an order of the seed's."""
    order = list(VICTIMS)
    random.Random(SEED).shuffle(order)
    return [order[number % len(order)] for number in range(kills)]


@pytest.fixture
def installation(
    accepted: Accepted, victim: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[WatchedInstallation]:
    """A copy of the accepted title; for a cut of power, on disks that can take one."""
    if victim == POWER:
        powered: Powered = request.getfixturevalue("powered")
        yield powered.installation
        return
    installation = accepted.copy(tmp_path / "data")
    yield installation
    installation.kill_all()


@pytest.mark.parametrize(
    ("number", "victim"),
    [
        pytest.param(number, victim, id=f"{number:03}-{victim}")
        for number, victim in enumerate(planned_victims(KILLS))
    ],
)
def test_a_kill_changes_nothing_of_what_is_made(
    number: int,
    victim: str,
    accepted: Accepted,
    undisturbed: Undisturbed,
    installation: WatchedInstallation,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    at_s = random_of(number).uniform(0, undisturbed.wall_s)
    print(
        f"{victim} killed at {at_s:.2f} s; again with CUEMARK_TEST_SEED={SEED} "
        f"CUEMARK_TEST_KILLS={KILLS} pytest tests/e2e/kills -k {number:03}-{victim}"
    )
    began_s = time.monotonic()
    installation.start()
    time.sleep(at_s)
    if victim == POWER:
        powered: Powered = request.getfixturevalue("powered")
        powered.cut()
    elif victim == EVERYTHING:
        kill_everything(installation)
    elif victim == SUPERVISOR:
        kill_supervisor(installation)
    else:
        kill_child(installation, victim)
    if victim in (POWER, EVERYTHING, SUPERVISOR):
        installation.start()
    installation.wait_serving()
    installation.wait_done(accepted.version_id)
    done_s = time.monotonic() - began_s
    again = assert_as_undisturbed(installation, undisturbed, workers_lost(victim))
    record_property(KILL, summary_line(number, victim, at_s, again, done_s))


def assert_as_undisturbed(
    installation: WatchedInstallation,
    undisturbed: Undisturbed,
    lost_workers: int,
) -> int:
    """Stop the installation; returns how many chunks were encoded again."""
    wait_until(lambda: open_workflows(installation) == [], 20, "no workflow is left open")
    told = installation.query(
        "select body->>'version_id' from log.event "
        "where topic = 'encoding' and body->>'kind' = 'VersionPublished'"
    )
    assert len(told) == len(set(told)) == 2, "each version is told of once"
    installation.stop()
    made = made_in(installation.folder)
    assert sorted(made) == sorted(undisturbed.content)
    differing = [name for name, hashed in made.items() if undisturbed.content[name] != hashed]
    assert differing == [], "what was made differs from the undisturbed run's"
    assert names(installation.folder) == undisturbed.names, "files are left, or missing"
    assert broken_views(installation.folder) == []
    encoded = installation.encoded()
    assert set(encoded) <= undisturbed.chunks
    again = sum(encoded.values()) - len(encoded)
    assert again <= lost_workers, "more was encoded again than was in the hands of the killed"
    return again


def open_workflows(installation: WatchedInstallation) -> list[object]:
    return list(
        installation.query(
            "select workflow_uuid from dbos.workflow_status where status != 'SUCCESS'"
        )
    )
