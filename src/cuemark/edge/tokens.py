"""The agent's own judgement of a request for media: it can stand without nginx before it.

The rule is that of ``verify.js``, and the two share their test vectors. A token's claims are
remembered under the keys that proved them; time, session and network are looked at each time.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cuemark.contracts.ids import VersionId
from cuemark.edge.nginx import PATH_FORM, VERSION_FORM
from cuemark.edge.revoked import Revoked
from cuemark.kit.cat import Claims, TokenRejected, claims_of
from cuemark.kit.clock import Clock

REMEMBERED = 4096
LATEST_S = 250_000_000_000
"""A moment of the year 9892: later ones are no time to Python."""

_MEDIA = re.compile(f"/({VERSION_FORM})/({PATH_FORM})")
_MARKED = re.compile(r"(.*/)([abx])([1-9][0-9]{0,8})\.m4s")


@dataclass(frozen=True)
class Refused:
    """Why a request is not served: a status, and a sentence for whoever sent it."""

    status: int
    sentence: str


NO_KEYS = Refused(503, "this appliance has no token keys yet")
NO_TOKEN = Refused(401, "no token of this appliance that is in time")
REVOKED = Refused(401, "the play of this token has ended")
OTHER_NETWORK = Refused(403, "the token is for another network")
OTHER_PATH = Refused(403, "the token does not cover this path")
NO_FILE = Refused(404, "no such file in this version")


@dataclass(frozen=True)
class Granted:
    """The file that a request may have; of marked pictures, the session's variant."""

    version_id: VersionId
    path: str


class Tokens:
    """Judges requests at ``audience`` with the keys that ``keys`` gives now, by their ids."""

    def __init__(
        self, audience: str, keys: Callable[[], Mapping[str, bytes]], revoked: Revoked, clock: Clock
    ) -> None:
        self._audience = audience
        self._keys = keys
        self._revoked = revoked
        self._clock = clock
        self._proven_by: Mapping[str, bytes] = {}
        self._claims: dict[str, tuple[Claims, datetime]] = {}

    def judge(self, target: str, address: str) -> Granted | Refused:
        """What becomes of ``/t/<token>/<version>/<path>`` from a client at ``address``."""
        token, slash, rest = target.partition("?")[0].removeprefix("/t/").partition("/")
        path = slash + rest
        claims = self.claims(token)
        if isinstance(claims, Refused):
            return claims
        if claims.networks and not claims.from_network(address):
            return OTHER_NETWORK
        if not path.startswith(claims.path_prefix):
            return OTHER_PATH
        match = _MEDIA.fullmatch(path)
        named = variant_of(match[2], claims.variants) if match else ""
        return Granted(VersionId(match[1]), named) if match and named else NO_FILE

    def claims(self, token: str) -> Claims | Refused:
        """What a token claims that may be used here and now; else why it may not."""
        keys = self._keys()
        if keys is not self._proven_by:
            self._claims.clear()
            self._proven_by = keys
        held = self._claims.get(token) or self._proven(token)
        if held is None:
            return NO_TOKEN if keys else NO_KEYS
        claims, ends_at = held
        if ends_at <= self._clock.now():
            return NO_TOKEN
        return REVOKED if claims.subject in self._revoked else claims

    def _proven(self, token: str) -> tuple[Claims, datetime] | None:
        """What a token claims, and when it ends, remembered; None where no key of now proves it."""
        try:
            claims = claims_of(token, self._proven_by)
        except TokenRejected:
            return None
        if claims.audience != self._audience:
            return None
        if len(self._claims) >= REMEMBERED:
            del self._claims[next(iter(self._claims))]
        ends_s = min(max(claims.expires_at_s, 0), LATEST_S)
        held = self._claims[token] = claims, datetime.fromtimestamp(ends_s, UTC)
        return held


def variant_of(path: str, variants: bytes) -> str:
    """The file behind a path: of segment x7 that is a7 or b7, as the session's seventh bit says.

    Nobody gets a variant by its own name, or without a row of bits: "" for these.
    """
    marked = _MARKED.fullmatch(path)
    if marked is None:
        return path
    if marked[2] != "x" or not variants:
        return ""
    at = (int(marked[3]) - 1) % (8 * len(variants))
    variant = "b" if variants[at >> 3] >> (7 - at % 8) & 1 else "a"
    return f"{marked[1]}{variant}{marked[3]}.m4s"
