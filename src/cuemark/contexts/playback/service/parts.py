"""The parts of which a play is made, each with its time and with what a play does without it."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from cuemark.contracts.catalog import Catalog
from cuemark.contracts.encoding import Encoding
from cuemark.contracts.experiments import Experiments
from cuemark.contracts.licensing import Licensing
from cuemark.contracts.playback import CannotPlayNow
from cuemark.contracts.rights import Rights
from cuemark.contracts.steering import Steering
from cuemark.contracts.viewers import Viewers
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Neighbours:
    """The contexts that a play asks."""

    catalog: Catalog
    encoding: Encoding
    experiments: Experiments
    licensing: Licensing
    rights: Rights
    steering: Steering
    viewers: Viewers


@dataclass(frozen=True)
class Part:
    """Asked for ``within_ms``; ``refused`` is what a viewer is told where a play cannot be without
    it, empty where it can."""

    within_ms: int
    refused: str = ""


CATALOG = Part(1500, refused="The catalog does not answer")
RIGHTS = Part(1500, refused="What rights there are cannot be read")
LEVEL = Part(1500, refused="What this profile may play cannot be read")
"""Only of profiles that have a maturity level."""
PLAN = Part(1000, refused="Your plan cannot be looked up")
"""Only where nothing is known of it: what billing said last holds for ``LAST_KNOWN_LASTS``."""
VERSION = Part(1500, refused="The version's description cannot be read")
"""Only where it was not played lately: then it is remembered."""
APPLIANCES = Part(1500, refused="No appliance can be chosen")
LICENCES = Part(1500, refused="Licences cannot be issued")
POSITION = Part(300)
"""Without it a play starts from the beginning."""
CELLS = Part(150)
"""Without them a play is in no experiment, and starts by the default settings."""


async def asked(part: Part, answer: Awaitable[T]) -> T:
    """The answer, in time; raises ``Unavailable``."""
    within_s = part.within_ms / 1000
    try:
        with deadline(within_s):
            async with asyncio.timeout(within_s):
                return await answer
    except TimeoutError as late:
        raise Unavailable(f"no answer within {part.within_ms} ms") from late


async def needed(part: Part, answer: Awaitable[T]) -> T:
    """The answer of what a play cannot do without; raises ``CannotPlayNow``."""
    try:
        return await asked(part, answer)
    except Unavailable as away:
        raise not_now(part, away) from away


def not_now(part: Part, away: Unavailable | None = None) -> CannotPlayNow:
    structlog.get_logger().warning("play_refused", reason=str(away or part.refused))
    return CannotPlayNow(f"{part.refused} just now: try again in a moment.")
