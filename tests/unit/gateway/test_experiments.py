"""Experiments, as operators start and stop them over the API."""

import pytest

from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, OPERATOR, Town
from tests.unit.gateway.neighbours.experiments import RUNS

WHERE = "/api/v1/experiments"
BODY = {
    "layer": "player",
    "share_bp": 1000,
    "cells": [
        {"name": "control"},
        {"name": "low", "weight": 3, "settings": {"player.default_bandwidth_kbps": 500}},
        {"name": "off", "settings": {"player.use_network_information": False}},
    ],
}


async def test_an_experiment_is_put_under_the_name_of_its_path(ask: Asker) -> None:
    answer = await ask("PUT", f"{WHERE}/low-start", token=OPERATOR, json=BODY)
    put = answer.json()
    assert (answer.status, put["name"], put["layer"]) == (200, "low-start", "player")
    control, low, off = put["cells"]
    assert (control["weight"], control["settings"]) == (1, {})
    assert (low["weight"], low["settings"]) == (3, {"player.default_bandwidth_kbps": 500})
    assert off["settings"] == {"player.use_network_information": False}


async def test_experiments_are_listed_and_stopped(ask: Asker) -> None:
    listed = await ask("GET", WHERE, token=OPERATOR)
    assert [each["name"] for each in listed.json()["experiments"]] == [RUNS]
    stopped = await ask("POST", f"{WHERE}/{RUNS}/stop", token=OPERATOR)
    assert (stopped.status, stopped.json()["name"]) == (200, RUNS)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", f"/{RUNS}", BODY, 409, "experiment_runs"),
        ("POST", "/none/stop", None, 404, "unknown_experiment"),
        ("PUT", "/a", {}, 422, "invalid"),
        ("PUT", "/a", BODY | {"share_bp": "all"}, 422, "invalid"),
        ("PUT", "/a", BODY | {"cells": [{"name": "a", "settings": {"x": None}}]}, 422, "invalid"),
        ("PUT", "/a", BODY | {"cells": {"a": 1}}, 422, "invalid"),
        ("GET", "?limit=0", None, 422, "invalid"),
    ],
)
async def test_what_cannot_be_is_refused(
    ask: Asker, method: str, path: str, body: object, status: int, code: str
) -> None:
    answer = await ask(method, f"{WHERE}{path}", token=OPERATOR, json=body)
    assert (answer.status, answer.code) == (status, code)


async def test_members_see_and_start_nothing_of_it(ask: Asker) -> None:
    assert (await ask("GET", WHERE, token=ANNA)).status == 403
    assert (await ask("PUT", f"{WHERE}/a", token=ANNA, json=BODY)).status == 403
    assert (await ask("POST", f"{WHERE}/{RUNS}/stop", token=ANNA)).status == 403


async def test_without_experiments_an_operator_is_told(ask: Asker, town: Town) -> None:
    town.trials.away = True
    answer = await ask("GET", WHERE, token=OPERATOR)
    assert (answer.status, answer.code) == (503, "unavailable")
