"""What appliances hold, as a steering process knows it: asked of fill for what is new, again and
again. With fill away, what was known last stands; before anything is known, nobody's holding
counts."""

import asyncio

import structlog

from cuemark.contexts.steering.model.holding import Stock
from cuemark.contracts.fill import Fill, GetHeld
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import ContractError

LOOK_S = 1.0
CALL_S = 5.0


class Holding:
    """The stock of this process; ``fill`` knows what appliances told."""

    def __init__(self, fill: Fill) -> None:
        self._fill = fill
        self._trouble = ""
        self.stock = Stock()

    async def follow(self) -> None:
        """For ever: bring the stock up to date."""
        while True:
            try:
                more = await self.catch_up()
                self._note("")
            except ContractError as away:
                more = False
                self._note(str(away))
            await asyncio.sleep(0 if more else LOOK_S)

    async def catch_up(self) -> bool:
        """Take some of what is new, a bounded piece; whether there is more."""
        with deadline(CALL_S):
            held = await self._fill.get_held(GetHeld(known=self.stock.revisions))
        self.stock.apply(held)
        return held.more

    def _note(self, trouble: str) -> None:
        """Say once when it begins, and once when it is over."""
        if bool(trouble) != bool(self._trouble):
            event = "held_not_read" if trouble else "held_read"
            structlog.get_logger().warning(event, trouble=trouble or self._trouble)
        self._trouble = trouble
