"""Billing in this process, on PostgreSQL, and the sandbox that it is paid through."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.contract.billing.conftest import Sandbox, running
from tests.contract.billing.house import House, opened_house

T = TypeVar("T")


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with running(tmp_path / "bank.sqlite") as sandbox:
        yield sandbox


@pytest.fixture
async def house(database_url: str, sandbox: Sandbox) -> AsyncIterator[House]:
    async def itself(contract: type[T], service: T, subject: str = "") -> T:
        return service

    async with opened_house(itself, database_url, sandbox) as house:
        yield house
