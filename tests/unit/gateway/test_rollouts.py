"""Rollouts over HTTP, and what the page of operations says of releases."""

import pytest

from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, OPERATOR, Town

HERE = "/api/v1/rollouts"


async def test_an_operator_starts_a_rollout_and_changes_it(ask: Asker, town: Town) -> None:
    body = {"release": "0.2.0+abc", "policy": {"waves": ["1", "20%"], "soak_s": 5}}
    answer = await ask("POST", HERE, token=OPERATOR, json=body)
    assert answer.status == 201
    begun = answer.json()
    assert (begun["policy"]["waves"], begun["policy"]["drain_s"]) == (["1", "20%"], 30)
    assert (await ask("GET", f"{HERE}/last", token=OPERATOR)).json()["standing"] == "halted"
    for change in ("pause", "resume", "undo"):
        answer = await ask("POST", f"{HERE}/rol_1", token=OPERATOR, json={"change": change})
        assert answer.status == 200
    assert town.guide.rollouts == ["start", "pause", "resume", "undo"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (HERE, {"release": "../.."}, 422, "rollout_invalid"),
        (f"{HERE}/rol_other", {"change": "pause"}, 404, "no_rollout"),
    ],
)
async def test_a_refusal_says_why(
    ask: Asker, path: str, body: dict[str, str], status: int, code: str
) -> None:
    answer = await ask("POST", path, token=OPERATOR, json=body)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"release": 3},
        {"release": "0.2.0", "policy": {"soak_s": "long"}},
        {"release": "0.2.0", "policy": {"waves": [10]}},
    ],
)
async def test_what_is_no_rollout_is_malformed(ask: Asker, body: object) -> None:
    answer = await ask("POST", HERE, token=OPERATOR, json=body)
    assert answer.status in (400, 422)


async def test_a_member_updates_nothing(ask: Asker, town: Town) -> None:
    answer = await ask("POST", HERE, token=ANNA, json={"release": "0.2.0+abc"})
    assert (answer.status, town.guide.rollouts) == (403, [])
