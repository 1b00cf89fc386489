"""The contexts as the gateway sees them, kept in memory, for tests of its translation.

Each checks what the real one is promised to check (ownership, unknown ids), so that a route
that passes the wrong account fails here too.
"""

from tests.unit.gateway.neighbours.functions import RUN
from tests.unit.gateway.neighbours.identity import CODE, OPERATOR_CODE, PASSWORD
from tests.unit.gateway.neighbours.licensing import KEY, KID
from tests.unit.gateway.neighbours.neighbour import ANNA, BEN, DRAFT, FILM, OPERATOR
from tests.unit.gateway.neighbours.playback import ANNAS_SESSION, TRACE
from tests.unit.gateway.neighbours.steering import MEDIA_URL, PLAY_TOKEN, REDIRECT_TOKEN
from tests.unit.gateway.neighbours.town import Town
from tests.unit.gateway.neighbours.works import EVIL, SERIES

__all__ = [
    "ANNA",
    "ANNAS_SESSION",
    "BEN",
    "CODE",
    "DRAFT",
    "EVIL",
    "FILM",
    "KEY",
    "KID",
    "MEDIA_URL",
    "OPERATOR",
    "OPERATOR_CODE",
    "PASSWORD",
    "PLAY_TOKEN",
    "REDIRECT_TOKEN",
    "RUN",
    "SERIES",
    "TRACE",
    "Town",
]
