"""Where those wait who are slowed."""

import asyncio


class Slowed:
    """Room for those who are let wait: ``most`` at a time, on nobody's thread."""

    def __init__(self, most: int = 64) -> None:
        self._room = most

    async def wait(self, seconds: float) -> bool:
        """False at once where there is no room."""
        if self._room <= 0:
            return False
        self._room -= 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._room += 1
        return True
