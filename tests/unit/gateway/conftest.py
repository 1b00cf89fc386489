"""A gateway among neighbours in memory."""

from pathlib import Path

import pytest

from cuemark.gateway.app import build_gateway
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.fixture
def ask(town: Town) -> Asker:
    return Asker(build_gateway(town.parts))
