"""What a play asks of rights, and is told of the right to its title."""

from typing import NamedTuple

from cuemark.contracts.ids import TitleId
from cuemark.contracts.rights import Decide, Decision, LicenceType


class Asked(NamedTuple):
    """What the right of a play depends on: where it is, and what its plan says of licences."""

    title_id: TitleId
    territory: str
    licence_types: tuple[LicenceType, ...]

    @property
    def question(self) -> Decide:
        return Decide(
            title_ids=[self.title_id],
            territory=self.territory,
            licence_types=[*self.licence_types],
        )


def sentence(name: str, territory: str, right: Decision) -> str:
    """Why a title may not be played: one sentence for whoever wanted to.

    A title that may not be shown yet is one that there is not.
    """
    there = f"in {territory}" if territory else "where this device is"
    if right.reason == "not_begun":
        if not right.shown:
            return "There is no such title."
        since = f" before {right.until:%Y-%m-%d %H:%M} UTC" if right.until else ""
        return f"{name} may not be played {there}{since}."
    return {
        "unrecorded": f"No right to play {name} is recorded.",
        "territory": f"{name} may not be played {there}.",
        "licence_type": f"{name} is not a part of this plan {there}.",
        "held_back": f"{name} may not be played {there} yet: another window comes first.",
        "suspended": f"{name} may not be played {there} now: an exclusive window is running.",
        "over": f"The right to play {name} {there} has ended.",
    }.get(right.reason, f"{name} may not be played {there}.")
