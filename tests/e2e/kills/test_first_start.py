"""Killed in the middle of its very first start, an installation begins again."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import wait_until
from tests.e2e.kills.conftest import PORTS_FROM
from tests.e2e.kills.running import WatchedInstallation, names
from tests.e2e.kills.victims import kill_everything

pytestmark = pytest.mark.slow

MOMENTS = (".postgres.draft/PG_VERSION", "postgres/PG_VERSION", "secrets/master_key")
"""The cluster half made, the database not made, the schemas and secrets half made."""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[WatchedInstallation]:
    installation = WatchedInstallation(tmp_path / "data", {"CUEMARK_PORT": str(PORTS_FROM)})
    yield installation
    with contextlib.suppress(AssertionError):
        installation.kill_all()


def test_a_first_start_that_is_killed_at_each_step_is_taken_up_again(
    installation: WatchedInstallation,
) -> None:
    for moment in MOMENTS:
        installation.start()
        wait_until((installation.folder / moment).exists, 60, f"there is {moment}")
        kill_everything(installation)
    key = (installation.folder / "secrets" / "master_key").read_text()
    installation.start()
    installation.wait_serving()
    assert installation.json("titles")["titles"] == []
    assert (installation.folder / "secrets" / "master_key").read_text() == key
    installation.stop()
    left = {name for name in names(installation.folder) if "draft" in name or "/tmp/" in name}
    assert {name for name in left if (installation.folder / name).is_file()} == set()
    shutil.rmtree(installation.folder)
