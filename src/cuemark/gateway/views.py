"""What the public API takes and gives where it is not a contract's own message."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar.params import QueryParameter
from msgspec import Meta

from cuemark.contracts.catalog import Title
from cuemark.contracts.encoding.artwork import ArtworkCandidate
from cuemark.contracts.encoding.jobs import Effort, Priority
from cuemark.contracts.encoding.marks import MarkEvidence, MarkSearch
from cuemark.contracts.encoding.versions import CaptionRole, Codec
from cuemark.contracts.experiments import Cell
from cuemark.contracts.ids import AccountId
from cuemark.contracts.playback import Naming
from cuemark.contracts.rights import Decision, Window
from cuemark.contracts.steering.rollouts import RolloutChange, RolloutPolicy
from cuemark.kit.log_errors import LoggedError
from cuemark.kit.pages import MOST_ROWS

API = "/api/v1"
MEDIA = f"{API}/media"
DASH_FILE, HLS_FILE = "manifest.mpd", "master.m3u8"

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}\Z"
IdText = Annotated[str, Meta(pattern=ID_PATTERN)]
Line = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Prose = Annotated[str, Meta(max_length=5000, pattern=r"^[^\x00]*\Z")]
Secret = Annotated[str, Meta(max_length=1024, pattern=r"^[^\x00]*\Z")]


Cursor = Annotated[str, QueryParameter(max_length=512, pattern=r"^[\x20-\x7e]*\Z")]
FunctionName = Annotated[str, QueryParameter(max_length=63, pattern=r"^[a-z0-9-]*\Z")]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST_ROWS)]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the bodies that the API takes and gives."""


class StreamView(View, frozen=True):
    """A play of the account that holds a stream of its plan."""

    session_id: str
    title_id: str
    title: str
    device: str
    started_at: datetime


class ErrorBody(View, frozen=True, omit_defaults=True):
    """``plays`` are those in whose place another play may begin, where too many run."""

    code: str
    message: str
    plays: list[StreamView] = []


class ChallengeView(View, frozen=True):
    """Send the same once more with `proof`: `challenge`, a colon, and a decimal number such that
    the SHA-256 of all of it begins with `bits` zero bits. Good for two minutes, once."""

    challenge: str
    bits: int


class ErrorView(View, frozen=True, omit_defaults=True):
    error: ErrorBody
    proof: ChallengeView | None = None


class HealthView(View, frozen=True):
    status: Literal["ok"] = "ok"


class PaymentsView(View, frozen=True):
    """Who charges members, ``none`` where nothing is sold; and with Stripe, what a browser shows to
    it."""

    provider: Literal["none", "sandbox", "debit", "stripe"] = "none"
    publishable_key: str = ""


class ServiceView(View, frozen=True):
    name: str
    sign_up: Literal["open", "closed"]
    payments: PaymentsView = PaymentsView()


Proof = Annotated[str, Meta(max_length=700, pattern=r"^[\x21-\x7e]*\Z")]


class LoginBody(View, frozen=True):
    """``proof`` answers a challenge; empty where none was given."""

    email: Line
    password: Secret
    proof: Proof = ""


class RedeemBody(View, frozen=True):
    code: Secret


class SwitchBody(View, frozen=True):
    """``from_now`` leaves out what happened while the function was off."""

    on: bool
    from_now: bool = False


class MeView(View, frozen=True):
    role: Literal["member", "operator"]
    account_id: str
    email: str
    profile_name: str
    profile_id: str
    kids: bool


class AccountBody(View, frozen=True):
    email: Line
    password: Secret | None = None
    profile_name: Line = ""


class LoginLinkBody(View, frozen=True):
    email: Line
    create: bool = False
    ttl_s: Annotated[int, Meta(ge=1, le=30 * 86400)] = 3600


class LoginLinkView(View, frozen=True):
    code: str
    url: str
    expires_at: datetime


class OperatorLinkView(View, frozen=True):
    url: str
    expires_at: datetime


class ErrorListView(View, frozen=True):
    errors: list[LoggedError]


class TitleBody(View, frozen=True):
    name: Line
    synopsis: Prose = ""
    series: Line = ""
    launch_at: datetime | None = None


class LaunchBody(View, frozen=True):
    """``launch_at`` is a moment with its time zone; null: from now on."""

    launch_at: datetime | None


class ExperimentBody(View, frozen=True):
    """As in ``PutExperiment``; the name is in the path."""

    layer: str
    cells: list[Cell]
    share_bp: int


class RightsBody(View, frozen=True):
    windows: list[Window]


class TitleView(View, frozen=True):
    """``playable``: whoever asks may play it there where they are. One that may be shown before its
    right begins is so from ``playable_from`` on."""

    title_id: str
    name: str
    synopsis: str
    duration_s: float
    quality: Literal["none", "quick", "full"]
    artwork_url: str
    position_s: float
    series: str = ""
    launch_at: datetime | None = None
    launched: bool = True
    playable: bool = True
    playable_from: datetime | None = None


class ArtworkBody(View, frozen=True):
    """``with_name`` puts the title's name on the picture. With a ``language`` the picture is for
    readers of that one alone."""

    number: Annotated[int, Meta(ge=0, le=1000)]
    with_name: bool = False
    language: Annotated[str, Meta(pattern=r"^([A-Za-z0-9-]{2,35})?\Z")] = ""


class ArtworkView(View, frozen=True):
    """``shown`` is what stands for the title now; brightness is 0 to 1."""

    number: int
    at_s: float
    sharpness: float
    brightness: float
    shown: bool
    url: str


class ArtworkListView(View, frozen=True):
    """``chosen`` says that an operator chose what is shown, and ``with_name`` that it has the
    title's name on it."""

    title_id: str
    version_id: str
    chosen: bool
    artworks: list[ArtworkView]
    with_name: bool = False


class TitleListView(View, frozen=True):
    titles: list[TitleView]
    next_cursor: str = ""


class WatchingView(View, frozen=True):
    titles: list[TitleView]


class SteeringView(View, frozen=True):
    """A steering manifest: draft-pantos-hls-rfc8216bis section 7.1, and ETSI TS 103 998."""

    version: Literal[1] = msgspec.field(name="VERSION")
    ttl_s: int = msgspec.field(name="TTL")
    reload_uri: str = msgspec.field(name="RELOAD-URI")
    pathway_priority: list[str] = msgspec.field(name="PATHWAY-PRIORITY")


class DrainingBody(View, frozen=True):
    draining: bool


class RolloutBody(View, frozen=True):
    release: str
    policy: RolloutPolicy = msgspec.field(default_factory=RolloutPolicy)


class RolloutChangeBody(View, frozen=True):
    change: RolloutChange


class ProgressBody(View, frozen=True):
    position_s: Annotated[float, Meta(ge=0, le=1e7)]
    sequence: Annotated[int, Meta(ge=0, le=2**53)]


class UploadBody(View, frozen=True):
    name: Line
    size_bytes: Annotated[int, Meta(ge=0, le=2**50)]
    sha256: Annotated[str, Meta(pattern=r"^(|[0-9a-fA-F]{64})\Z")] = ""


class CaptionBody(View, frozen=True):
    language: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{2,35}\Z")]
    upload_id: IdText
    role: CaptionRole = "subtitles"


class IngestBody(View, frozen=True):
    upload_id: IdText
    captions: Annotated[list[CaptionBody], Meta(max_length=64)] = []
    effort: Effort | None = None
    codecs: Annotated[list[Codec], Meta(max_length=8)] | None = None
    priority: Priority = "normal"
    crypto_period_s: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    marked: bool = False


class MarkSearchBody(View, frozen=True):
    upload_id: IdText


class SuspectView(View, frozen=True):
    """Whose session it is, is told of those alone that are ``named``; ``email`` is empty while
    identity is away, too."""

    session_id: str
    version_id: str
    named: bool
    agreement: float
    chance: float
    started_at: datetime
    device: str
    account_id: str | None
    profile_id: str | None
    email: str


class NamingView(View, frozen=True):
    title_id: str
    compared: int
    verdict: str
    suspects: list[SuspectView]


class MarkSearchView(View, frozen=True):
    """``naming`` is there when the search is ``done``."""

    search_id: str
    version_id: str
    state: Literal["running", "done", "failed"]
    error: str
    evidence: MarkEvidence | None
    naming: NamingView | None


class PriorityBody(View, frozen=True):
    priority: Priority


class CancelBody(View, frozen=True):
    """``by`` is a name for people to read, beside who the caller is."""

    by: Line = ""


def title_view(title: Title, position_s: float = 0.0, right: Decision | None = None) -> TitleView:
    """``right`` is what a member has to the title; operators need none."""
    artwork = f"{API}/titles/{title.title_id}/artwork" if title.artwork_key else ""
    return TitleView(
        title_id=title.title_id,
        name=title.name,
        synopsis=title.synopsis,
        duration_s=title.duration_s,
        quality=title.quality,
        artwork_url=artwork,
        position_s=position_s,
        series=title.series,
        launch_at=title.launch_at,
        launched=title.launched,
        playable=right is None or right.allowed,
        playable_from=right.until if right and not right.allowed else None,
    )


def artwork_list_view(title: Title, candidates: list[ArtworkCandidate]) -> ArtworkListView:
    return ArtworkListView(
        title_id=title.title_id,
        version_id=title.version_id or "",
        chosen=title.artwork_chosen,
        with_name=title.artwork_with_name,
        artworks=[
            ArtworkView(
                number=each.number,
                at_s=each.at_s,
                sharpness=each.frame.sharpness,
                brightness=each.frame.brightness,
                shown=each.picture_key == title.artwork_key,
                url=f"{API}/titles/{title.title_id}/artworks/{each.number}",
            )
            for each in candidates
        ],
    )


def mark_search_view(
    search: MarkSearch, naming: Naming | None, emails: Mapping[AccountId, str]
) -> MarkSearchView:
    return MarkSearchView(
        search_id=search.search_id,
        version_id=search.version_id,
        state=search.state,
        error=search.error,
        evidence=search.evidence,
        naming=None if naming is None else _naming_view(naming, emails),
    )


def _naming_view(naming: Naming, emails: Mapping[AccountId, str]) -> NamingView:
    return NamingView(
        title_id=naming.title_id,
        compared=naming.compared,
        verdict=naming.verdict,
        suspects=[
            SuspectView(
                session_id=each.session_id,
                version_id=each.version_id,
                named=each.named,
                agreement=each.agreement,
                chance=each.chance,
                started_at=each.started_at,
                device=each.device,
                account_id=each.account_id,
                profile_id=each.profile_id,
                email=emails.get(each.account_id, "") if each.account_id else "",
            )
            for each in naming.suspects
        ],
    )
