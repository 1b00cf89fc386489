"""Routes and how clients are steered, over the API and on the page of operations."""

from cuemark.gateway.app import build_gateway
from tests.unit.gateway.asking import Asker
from tests.unit.gateway.neighbours import OPERATOR, Town


async def test_routes_are_listed_a_page_at_a_time(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/routes?limit=2&appliance=edge-a", token=OPERATOR)
    assert answer.status == 200
    assert answer.json()["total"] == 1
    (found,) = answer.json()["routes"]
    assert (found["appliance_id"], found["route"]["prefix"]) == ("edge-a", "192.0.2.0/24")
    for wrong in ("limit=0", "limit=201", "appliance=a%20b"):
        refused = await ask("GET", f"/api/v1/routes?{wrong}", token=OPERATOR)
        assert refused.status == 422


async def test_how_a_client_is_steered_is_explained(ask: Asker) -> None:
    answer = await ask("GET", "/api/v1/routes/explain?address=192.0.2.7", token=OPERATOR)
    assert answer.json()["place"]["country"] == "DE"
    (candidate,) = answer.json()["candidates"]
    assert (candidate["ring"], candidate["reason"]) == (1, "route 192.0.2.0/24")
    refused = await ask("GET", "/api/v1/routes/explain?address=nowhere", token=OPERATOR)
    assert (refused.status, refused.code) == (422, "address_invalid")


async def test_the_page_shows_the_routers_and_what_they_did_wrong(town: Town) -> None:
    ask = Asker(build_gateway(town.parts))
    page = (await ask("GET", "/operations", token=OPERATOR)).body.decode()
    assert "Who tells them routes" in page
    assert "it announced more than &lt;10&gt; prefixes" in page
