"""Master keys over HTTP: an operator's alone, and refusals in words."""

from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import ANNA, OPERATOR

HERE = "/api/v1/master-keys"


async def test_an_operator_rotates_and_retires(ask: Asker) -> None:
    answer = await ask("POST", HERE, token=OPERATOR, json={})
    assert answer.status == 201
    assert [(each["number"], each["wraps"]) for each in answer.json()["keys"]] == [
        (2, True),
        (1, False),
    ]
    answer = await ask("DELETE", f"{HERE}/1", token=OPERATOR)
    assert (answer.status, len(answer.json()["keys"])) == (200, 1)
    assert (await ask("GET", HERE, token=OPERATOR)).json() == answer.json()


async def test_what_cannot_go_is_refused(ask: Asker) -> None:
    answer = await ask("DELETE", f"{HERE}/1", token=OPERATOR)
    assert (answer.status, answer.code) == (409, "master_key_in_use")
    answer = await ask("DELETE", f"{HERE}/7", token=OPERATOR)
    assert (answer.status, answer.code) == (404, "unknown_master_key")


async def test_no_answer_has_a_key_in_it(ask: Asker) -> None:
    told = (await ask("GET", HERE, token=OPERATOR)).json()
    fields = {"number", "content_keys", "wraps", "there", "made_at"}
    assert all(set(each) <= fields for each in told["keys"])


async def test_a_member_rotates_nothing(ask: Asker) -> None:
    assert (await ask("POST", HERE, token=ANNA, json={})).status == 403


async def test_a_licence_server_is_told_key_ids_and_a_member_is_not(ask: Asker) -> None:
    path = "/api/v1/versions/ver_film/key-ids"
    told = (await ask("GET", path, token=OPERATOR)).json()
    assert [each["label"] for each in told["keys"]] == ["SD"]
    assert all(set(each) == {"kid", "label", "period"} for each in told["keys"])
    assert (await ask("GET", path, token=ANNA)).status == 403
