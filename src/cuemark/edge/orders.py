"""What an agent and the process that keeps its appliance tell each other, in three small files.

The two may be of different releases, so these files are as lasting as a contract: fields are only
ever added. ``order.json`` is what control orders now, ``kept.json`` what came of the last order.
``heard`` is there once control has answered this agent: an order from before may be an old one.
"""

import contextlib
from pathlib import Path

import msgspec

from cuemark.contracts.steering.reports import ReleaseOrder, Software
from cuemark.edge.answers import Answers
from cuemark.kit.errors import UNREADABLE
from cuemark.kit.objects import write_private
from cuemark.kit.release import release_here

ORDER, KEPT, HEARD = "run/order.json", "run/kept.json", "run/heard"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Which release an appliance is kept on; empty: that of the process which keeps it.

    ``before`` is the one before it, while it is ``on_trial``. ``order_id`` and ``trouble`` are as
    in ``Software``.
    """

    release: str = ""
    before: str = ""
    on_trial: bool = False
    order_id: str = ""
    trouble: str = ""


def read_kept(folder: Path) -> Kept:
    """What is kept; nothing where the file cannot be read."""
    with contextlib.suppress(OSError, *UNREADABLE):
        return msgspec.json.decode((folder / KEPT).read_bytes(), type=Kept)
    return Kept()


def write_kept(folder: Path, kept: Kept) -> None:
    write_private(folder / KEPT, msgspec.json.encode(kept))


def read_order(folder: Path) -> ReleaseOrder | None:
    """What control orders this agent now, as far as it is heard and can be read."""
    if not (folder / HEARD).exists():
        return None
    with contextlib.suppress(OSError, *UNREADABLE):
        return msgspec.json.decode((folder / ORDER).read_bytes(), type=ReleaseOrder)
    return None


class Orders:
    """The agent's side, for an appliance that is ``kept`` or is not, and ``answers`` so well."""

    def __init__(self, folder: Path, kept: bool, answers: Answers) -> None:
        self._folder = folder
        self.answers = answers
        self._kept = kept
        self._order: ReleaseOrder | None = None
        self._heard = False

    def take(self, order: ReleaseOrder | None) -> None:
        """Hand on what control said, an order or that it has none. Raises ``OSError``."""
        if not self._kept:
            return
        if order is None:
            (self._folder / ORDER).unlink(missing_ok=True)
        elif order != self._order:
            write_private(self._folder / ORDER, msgspec.json.encode(order))
        self._order = order
        if not self._heard:
            write_private(self._folder / HEARD, b"")
            self._heard = True

    def software(self) -> Software:
        """What to report: with it, what became of the last order."""
        answered, failed = self.answers.last_minute()
        kept = read_kept(self._folder) if self._kept else Kept()
        return Software(
            release=release_here(),
            can_update=self._kept,
            order_id=kept.order_id,
            trouble=kept.trouble,
            answered=answered,
            failed=failed,
        )
