"""Master keys in memory, for tests of what lies under them."""

from dataclasses import replace
from datetime import datetime

from cuemark.contexts.licensing.wiring import FIRST, MasterKey, Vault


def vault_of(secret: bytes = bytes(32), made_at: datetime | None = None) -> Vault:
    """A vault that begins with one master key; the next ones have their number in each byte."""
    held = {FIRST: MasterKey(secret)}

    def make(number: int) -> None:
        held.setdefault(number, replace(MasterKey(bytes([number]) * 32, number), made_at=made_at))

    def destroy(number: int) -> None:
        held.pop(number, None)

    return Vault(lambda: list(held.values()), make, destroy)
