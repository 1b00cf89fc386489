"""A playback session: whose it is, what it plays, from where, and until when."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cuemark.contexts.playback.model.rights import Asked
from cuemark.contracts.ids import AccountId, PlaySessionId, ProfileId, TitleId, VersionId
from cuemark.contracts.playback.devices import Capabilities
from cuemark.contracts.protection import Robustness
from cuemark.contracts.rights import LicenceType
from cuemark.contracts.steering import RankedAppliance

MIN_LIFE = timedelta(hours=12)
LIFE_DURATIONS = 3
MAX_DEVICE_CHARS = 200
MAX_DEVICE_ID_CHARS = 100
MAX_LOGIN_ID_CHARS = 100
HEARD_EVERY = timedelta(seconds=10)
SILENT_AFTER = timedelta(minutes=10)
"""A play that was not heard of for so long is not listed: a viewer may pause, or be gone."""


@dataclass(frozen=True)
class Session:
    """``ranking`` holds media tokens: it belongs in manifests, and in no log, as does
    ``steering_token``, which is empty in sessions of older releases.
    ``max_height`` is what the plan of its account allows, in lines, 0 for any. ``capabilities`` are
    what its device said, None in sessions of older releases; ``title`` is the name of what it
    plays, empty in those. ``licence_types`` are those of the plan that it began with, by which it
    goes on; without any they are the install's. ``login_id`` is the login by which it began, empty
    in those and where it began by none."""

    session_id: PlaySessionId
    account_id: AccountId
    profile_id: ProfileId
    title_id: TitleId
    version_id: VersionId
    duration_s: float
    device: str
    ranking: list[RankedAppliance] = field(repr=False)
    started_at: datetime
    expires_at: datetime
    trace_id: str = ""
    heard_at: datetime | None = None
    robustness: Robustness = "software"
    steering_token: str = field(default="", repr=False)
    territory: str = ""
    licence_types: tuple[LicenceType, ...] = ()
    max_height: int = 0
    title: str = ""
    device_id: str = ""
    capabilities: Capabilities | None = None
    login_id: str = ""

    @property
    def right_asked(self) -> Asked:
        return Asked(self.title_id, self.territory, self.licence_types)

    def steering_address(self, url: str) -> str:
        """Where this session is steered, below ``url``; empty where one of the two is."""
        return f"{url}?play={self.steering_token}" if url and self.steering_token else ""


def end_of(started_at: datetime, duration_s: float) -> datetime:
    """When a session's tokens and licences end.

    Licences outlast a stated outage of the control plane, and a viewer may pause: half a day, or
    three times the film where that is longer.
    """
    return started_at + max(MIN_LIFE, timedelta(seconds=LIFE_DURATIONS * duration_s))


def resume_of(position_s: float, duration_s: float) -> float:
    """Where to begin in a version of ``duration_s``: a new version may end before the old one."""
    return position_s if 0 < position_s < duration_s else 0.0
