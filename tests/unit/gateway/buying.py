"""How a member of the town comes by a plan."""

from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.neighbours import ANNA
from tests.unit.gateway.neighbours.billing import GOOD_CARD

API = "/api/v1"


async def subscribe(
    ask: Asker, token: str = ANNA, number: str = GOOD_CARD, proof: str = ""
) -> Answer:
    card = await ask("POST", f"{API}/billing/test-cards", token=token, json={"number": number})
    body = {"plan_id": "small", "territory": "DE", "card": card.json()["token"], "proof": proof}
    return await ask("POST", f"{API}/subscription", token=token, json=body)
