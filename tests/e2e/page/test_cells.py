"""Two members in different cells of an experiment play by different settings."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuemark.contexts.experiments.model.allocation import allocate
from cuemark.contracts.experiments import Experiment
from cuemark.contracts.experiments.settings import defaults
from tests.e2e.installation import Installation
from tests.e2e.page.conftest import Visitor
from tests.e2e.page.looking import until
from tests.e2e.test_members import call

pytestmark = pytest.mark.slow

GOAL = "player.buffering_goal_s"
SHORT_S = 6.0


@dataclass(frozen=True)
class Member:
    email: str
    token: str
    account_id: str


@pytest.fixture
def experiment(running_cuemark: Installation, tmp_path: Path) -> Iterator[Experiment]:
    """All members are in one of two cells, for as long as a test lasts."""
    file = tmp_path / "buffer.json"
    cells = [{"name": "control"}, {"name": "short", "settings": {GOAL: SHORT_S}}]
    file.write_bytes(msgspec.json.encode({"layer": "e2e", "share_bp": 10_000, "cells": cells}))
    put = running_cuemark.json("experiment", "put", "buffer", str(file))
    yield msgspec.convert(put, Experiment)
    running_cuemark.json("experiment", "stop", "buffer")


def joined(install: Installation) -> Member:
    email = f"celled-{time.monotonic_ns()}@cuemark.example"
    code = link_of(install, email).partition("code=")[2]
    granted = call(install, "POST", "/login/link", {"code": code})[1]
    return Member(email, granted["token"], granted["account"]["account_id"])


def link_of(install: Installation, email: str) -> str:
    return str(install.json("account", "login-link", email, "--create")["url"])


def by_cell(install: Installation, experiment: Experiment) -> dict[str, Member]:
    """A member of each cell, by the name of the cell that the allocation says."""
    found: dict[str, Member] = {}
    while len(found) < len(experiment.cells):
        member = joined(install)
        found[allocate([experiment], member.account_id).cells["buffer"]] = member
    return found


def play_of(install: Installation, member: Member, title_id: str) -> Any:
    status, play = call(install, "POST", "/plays", {"title_id": title_id}, member.token)
    assert status == 201, play
    return play


def test_members_of_different_cells_play_by_different_settings(
    guest: Visitor, running_cuemark: Installation, experiment: Experiment, title_id: str
) -> None:
    members = by_cell(running_cuemark, experiment)
    goals = {"control": defaults()[GOAL], "short": SHORT_S}
    for cell, goal in goals.items():
        play = play_of(running_cuemark, members[cell], title_id)
        assert play["settings"] == defaults() | {GOAL: goal}
        guest.page.context.clear_cookies()
        guest.page.goto(link_of(running_cuemark, members[cell].email))
        guest.page.get_by_role("heading", name="All titles").wait_for()
        guest.watch(title_id)
        shown = until(guest.page, lambda now: now["frames"] >= 10, "ten frames on screen")
        assert shown["buffering_goal_s"] == goal
    assert guest.complaints == []


def test_a_stopped_experiment_sets_nothing_any_more(
    running_cuemark: Installation, experiment: Experiment, title_id: str
) -> None:
    member = by_cell(running_cuemark, experiment)["short"]
    assert play_of(running_cuemark, member, title_id)["settings"][GOAL] == SHORT_S
    running_cuemark.json("experiment", "stop", "buffer")
    assert play_of(running_cuemark, member, title_id)["settings"] == defaults()
