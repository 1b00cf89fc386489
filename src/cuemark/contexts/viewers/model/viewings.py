"""What regions make of one title's changes, in whatever order these come, and however often.

Each session has the largest of its viewings, and the title the largest of its removals. Both only
grow, so what is made of the same changes is the same (Shapiro, Preguiça, Baquero and Zawirski,
"Conflict-free Replicated Data Types", 2011, section 2.2). What shows follows from that alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cuemark.contracts.ids import PlaySessionId
from cuemark.contracts.viewers.exchange import RemovalChange, ViewingChange


@dataclass(frozen=True)
class Seen:
    """What one profile has seen of one title. ``removed`` is the stamp of its last removal."""

    removed: str = ""
    viewings: Mapping[PlaySessionId, ViewingChange] = field(default_factory=dict)

    @property
    def current(self) -> ViewingChange | None:
        """The viewing that was reported last: from there the title goes on."""
        return max(self.viewings.values(), key=lambda viewing: viewing.stamp, default=None)


def joined(seen: Seen, changes: Iterable[ViewingChange | RemovalChange]) -> Seen:
    """What ``seen`` and the changes make together. A removal takes away what did not know of it."""
    removed, viewings = seen.removed, dict(seen.viewings)
    for change in changes:
        if isinstance(change, RemovalChange):
            removed = max(removed, change.stamp)
        else:
            known = viewings.get(change.session_id)
            if known is None or _place(known) < _place(change):
                viewings[change.session_id] = change
    left = {each: viewing for each, viewing in viewings.items() if viewing.since >= removed}
    return Seen(removed, left)


def _place(viewing: ViewingChange) -> tuple[str, int, str]:
    """A session that goes on after a removal begins anew, whatever its number was before."""
    return viewing.since, viewing.sequence, viewing.stamp
