"""Why a play ends early. Every message is one sentence for the person who watches.

PlayerError
|-- ApiRefused        the service said no: wrong login, no rights, a play that is over
|   `-- ProofAsked      the work of a challenge is to be done first, and was not enough
|-- ApiAway           the service gives no answer, or one outside of its documented API
|-- TitleUnclear      no title, or more than one, has the name that was given
|-- PositionInvalid, SoundUnknown, CodecUnknown, RangeUnknown
|                     what was asked for is not in the film; says what is
|-- ManifestInvalid   the manifest cannot be played; says where and why
|-- MediaAway         no appliance delivers what is next
`-- MediaUndecodable  what appliances deliver does not decrypt or decode, whoever is asked
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cuemark.player.report import Report


class PlayerError(Exception):
    """Root of what ``play`` may raise. ``report`` tells how far the play got, once it began."""

    report: "Report | None" = None


class ApiRefused(PlayerError):
    """``code`` and ``status`` are those of the API's answer."""

    def __init__(self, message: str, *, code: str = "refused", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class ProofAsked(ApiRefused):
    """``challenge`` is to be answered by ``kit.puzzle``, of so many bits."""

    def __init__(self, message: str, challenge: str, bits: int) -> None:
        super().__init__(message, code="proof_needed", status=403)
        self.challenge = challenge
        self.bits = bits


class ApiAway(PlayerError):
    """Transport error, timeout, 5xx, or an answer that is not the documented one."""


class TitleUnclear(PlayerError):
    """The name fits no title, or several."""


class PositionInvalid(PlayerError):
    """The message tells how long the film is."""


class SoundUnknown(PlayerError):
    """The message tells which sounds the film has."""


class CodecUnknown(PlayerError):
    """The message tells what the film is there in."""


class RangeUnknown(PlayerError):
    """The message tells in which dynamic ranges the film is there."""


class ManifestInvalid(PlayerError):
    """Raised by the parsers on anything that is not the manifest of a play of ours."""


class MediaAway(PlayerError):
    """Every appliance refused, failed or was silent for longer than a viewer waits."""


class MediaUndecodable(PlayerError):
    """The bytes came and were wrong, from every appliance that was asked."""
