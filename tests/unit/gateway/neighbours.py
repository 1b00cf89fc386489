"""The contexts as the gateway sees them, kept in memory, for tests of its translation.

Each checks what the real one is promised to check (ownership, unknown ids), so that a route
that passes the wrong account fails here too.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import msgspec

from cuemark.contracts import catalog, encoding, identity, licensing, playback, steering, viewers
from cuemark.contracts.ids import (
    AccountId,
    ApplianceId,
    AssetId,
    PlaySessionId,
    ProfileId,
    TitleId,
    UploadId,
    VersionId,
)
from cuemark.gateway.machine import Machine, ProcessState
from cuemark.gateway.parts import GatewayParts
from cuemark.kit.clock import Clock, ManualClock
from cuemark.kit.errors import Refusal, Unavailable
from cuemark.kit.log_errors import LoggedError
from cuemark.kit.log_lines import LogLine
from cuemark.kit.objects import Objects
from cuemark.kit.passport import Passport, PassportOffice, current_passport

ANNA, BEN, OPERATOR = "token-anna", "token-ben", "token-operator"
KID = "00112233445566778899aabbccddeeff"
KEY = "0f0e0d0c0b0a09080706050403020100"
FILM, DRAFT = TitleId("ttl_film"), TitleId("ttl_draft")
PASSWORD = "correct horse"
CODE = "code/with strange+signs"
OPERATOR_CODE = "the operator's code"


def account(name: str, clock: Clock) -> identity.Account:
    return identity.Account(
        account_id=AccountId(f"acc_{name}"),
        email=f"{name}@films.example",
        profile_id=ProfileId(f"prf_{name}"),
        profile_name=name.title(),
        created_at=clock.now(),
    )


@dataclass
class Neighbour:
    """``away`` answers nothing; ``fault`` is raised as a bug would be."""

    clock: Clock
    away: bool = False
    fault: Exception | None = None

    def check(self) -> None:
        if self.away:
            raise Unavailable("switched off by the test")
        if self.fault:
            raise self.fault


@dataclass
class People(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = identity.Identity.refusals
    ended: set[str] = field(default_factory=set)
    passports: list[Passport | None] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    async def create_account(self, request: identity.CreateAccount) -> identity.Account:
        self.check()
        if "@" not in request.email:
            raise identity.AccountInvalid("This is no mail address.")
        return account(request.email.partition("@")[0], self.clock)

    async def login(self, request: identity.Login) -> identity.LoginGranted:
        self.check()
        if request.password != PASSWORD:
            raise identity.WrongCredentials("Mail and password do not match.")
        return self._grant()

    async def issue_login_link(self, request: identity.IssueLoginLink) -> identity.LoginLink:
        self.check()
        expires_at = self.clock.now() + timedelta(seconds=request.ttl_s)
        return identity.LoginLink(code=CODE, expires_at=expires_at)

    async def redeem_login_link(self, request: identity.RedeemLoginLink) -> identity.LoginGranted:
        self.check()
        if request.code != CODE:
            raise identity.WrongCredentials("The code is spent or late.")
        return self._grant()

    async def issue_operator_link(self, request: identity.IssueOperatorLink) -> identity.LoginLink:
        self.check()
        expires_at = self.clock.now() + timedelta(seconds=request.ttl_s)
        return identity.LoginLink(code=OPERATOR_CODE, expires_at=expires_at)

    async def redeem_operator_link(
        self, request: identity.RedeemOperatorLink
    ) -> identity.OperatorGranted:
        self.check()
        if request.code != OPERATOR_CODE:
            raise identity.WrongCredentials("The code is spent or late.")
        expires_at = self.clock.now() + timedelta(hours=12)
        return identity.OperatorGranted(token=OPERATOR, expires_at=expires_at)

    async def authenticate(self, request: identity.Authenticate) -> identity.Caller:
        self.check()
        self.shown.append(request.token)
        if request.token == OPERATOR:
            return identity.Caller(
                role="operator", account_id=AccountId(""), profile_id=ProfileId("")
            )
        name = {ANNA: "anna", BEN: "ben"}.get(request.token)
        if name is None or request.token in self.ended:
            raise identity.NotLoggedIn("Log in again.")
        who = account(name, self.clock)
        return identity.Caller(
            role="member",
            account_id=who.account_id,
            profile_id=who.profile_id,
            email=who.email,
            profile_name=who.profile_name,
        )

    async def logout(self, request: identity.Logout) -> identity.LoggedOut:
        self.check()
        self.passports.append(current_passport.get())
        self.ended.add(request.token)
        return identity.LoggedOut()

    def _grant(self) -> identity.LoginGranted:
        return identity.LoginGranted(
            token=ANNA,
            account=account("anna", self.clock),
            expires_at=self.clock.now() + timedelta(days=30),
        )


@dataclass
class Films(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = catalog.Catalog.refusals
    titles: dict[TitleId, catalog.Title] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now = self.clock.now()
        self.titles = {
            FILM: catalog.Title(
                title_id=FILM,
                name="Film",
                synopsis="",
                created_at=now,
                version_id=VersionId("ver_1"),
                quality="full",
                duration_s=52.0,
                artwork_key="artwork/film.jpg",
            ),
            DRAFT: catalog.Title(title_id=DRAFT, name="Draft", synopsis="", created_at=now),
        }

    async def create_title(self, request: catalog.CreateTitle) -> catalog.Title:
        self.check()
        if not request.name.strip():
            raise catalog.TitleInvalid("A title needs a name.")
        return catalog.Title(
            title_id=TitleId("ttl_new"),
            name=request.name,
            synopsis=request.synopsis,
            created_at=self.clock.now(),
        )

    async def get_title(self, request: catalog.GetTitle) -> catalog.Title:
        self.check()
        if request.title_id not in self.titles:
            raise catalog.UnknownTitle("There is no such title.")
        return self.titles[request.title_id]

    async def choose_artwork(self, request: catalog.ChooseArtwork) -> catalog.Title:
        title = await self.get_title(catalog.GetTitle(title_id=request.title_id))
        self.titles[title.title_id] = msgspec.structs.replace(
            title,
            artwork_key=request.artwork_key or "artwork/film.jpg",
            artwork_chosen=bool(request.artwork_key),
            artwork_with_name=request.with_name,
        )
        return self.titles[title.title_id]

    async def list_titles(self, request: catalog.ListTitles) -> catalog.TitlePage:
        self.check()
        found = [t for t in self.titles.values() if t.version_id or not request.published_only]
        return catalog.TitlePage(titles=found[: request.limit], next_cursor=request.after)


@dataclass
class Memory(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = viewers.Viewers.refusals
    recorded: list[viewers.RecordProgress] = field(default_factory=list)

    async def record_progress(self, request: viewers.RecordProgress) -> viewers.ProgressRecorded:
        self.check()
        if request.position_s > request.duration_s:
            raise viewers.ProgressInvalid("The position is outside the film.")
        self.recorded.append(request)
        return viewers.ProgressRecorded()

    async def get_resume_point(self, request: viewers.GetResumePoint) -> viewers.ResumePoint:
        self.check()
        return viewers.ResumePoint(position_s=12.5 if request.profile_id == "prf_anna" else 0.0)

    async def list_watching(self, request: viewers.ListWatching) -> viewers.WatchingPage:
        self.check()
        if request.profile_id != "prf_anna":
            return viewers.WatchingPage(titles=[])
        begun = [
            viewers.Watching(
                title_id=title_id, position_s=12.5, duration_s=52.0, watched_at=self.clock.now()
            )
            for title_id in (FILM, TitleId("ttl_gone"), DRAFT)
        ]
        return viewers.WatchingPage(titles=begun)


ANNAS_SESSION = PlaySessionId("ses_anna")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Theatre(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = playback.Playback.refusals
    started: list[playback.StartPlay] = field(default_factory=list)
    ended: list[playback.EndPlay] = field(default_factory=list)
    licence_urls: list[str] = field(default_factory=list)
    systems: list[str | None] = field(default_factory=list)

    def check_session(self, session_id: PlaySessionId, account_id: AccountId) -> None:
        self.check()
        if (session_id, account_id) != (ANNAS_SESSION, "acc_anna"):
            raise playback.UnknownPlay("There is no such play.")

    async def start(self, request: playback.StartPlay) -> playback.Play:
        self.check()
        if request.title_id != FILM:
            raise playback.CannotPlay("This title cannot be played yet.")
        self.started.append(request)
        return playback.Play(
            session_id=ANNAS_SESSION,
            title_id=request.title_id,
            version_id=VersionId("ver_1"),
            duration_s=52.0,
            resume_s=12.5,
            appliances=[ApplianceId("edge-a")],
            expires_at=self.clock.now() + timedelta(hours=6),
            systems=["widevine", "common"],
        )

    async def get_manifest(self, request: playback.GetManifest) -> playback.Manifest:
        self.check_session(request.session_id, request.account_id)
        self.licence_urls.append(request.licence_url)
        self.systems.append(request.system)
        return playback.Manifest(text=f"<{request.format}>")

    async def get_play(self, request: playback.GetPlay) -> playback.PlayState:
        self.check_session(request.session_id, request.account_id)
        return playback.PlayState(
            session_id=request.session_id,
            title_id=FILM,
            profile_id=ProfileId("prf_anna"),
            duration_s=52.0,
        )

    async def list_plays(self, request: playback.ListPlays) -> playback.PlayPage:
        self.check()
        now = self.clock.now()
        play = playback.RunningPlay(
            session_id=ANNAS_SESSION,
            title_id=FILM,
            version_id=VersionId("ver_1"),
            device="<b>tv</b>",
            appliances=[ApplianceId("edge-a")],
            started_at=now,
            heard_at=now,
            trace_id=TRACE,
        )
        return playback.PlayPage(plays=[play])

    async def end(self, request: playback.EndPlay) -> playback.PlayEnded:
        self.check_session(request.session_id, request.account_id)
        self.ended.append(request)
        return playback.PlayEnded()


@dataclass
class Keys(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = licensing.Licensing.refusals
    forwarded: list[licensing.ForwardChallenge] = field(default_factory=list)

    async def exchange_keys(self, request: licensing.ExchangeKeys) -> licensing.ExchangedKeys:
        self.check()
        if not request.document.startswith(b"<"):
            raise licensing.ExchangeInvalid("This document cannot be answered: it is no XML.")
        return licensing.ExchangedKeys(document=b"<answer/>")

    async def forward_challenge(
        self, request: licensing.ForwardChallenge
    ) -> licensing.ServerLicence:
        self.check()
        if (request.session_id, request.account_id) != (ANNAS_SESSION, "acc_anna"):
            raise licensing.LicenceRefused("This account has no such playback session.")
        if request.system == "fairplay":
            raise licensing.LicenceServerAway("The licence server for fairplay cannot be reached.")
        self.forwarded.append(request)
        return licensing.ServerLicence(licence=b"\0licence", media_type="text/xml")

    async def provision_keys(self, request: licensing.ProvisionKeys) -> licensing.ProvisionedKeys:
        raise AssertionError("the gateway provisions no keys")

    async def open_licences(self, request: licensing.OpenLicences) -> licensing.LicencesOpened:
        raise AssertionError("the gateway opens no licences")

    async def close_licences(self, request: licensing.CloseLicences) -> licensing.LicencesClosed:
        raise AssertionError("the gateway closes no licences")

    async def get_licence(self, request: licensing.GetLicence) -> licensing.Licence:
        self.check()
        mine = (request.session_id, request.account_id) == (ANNAS_SESSION, "acc_anna")
        if not mine or request.kids != [KID]:
            raise licensing.LicenceRefused("This session may not have these keys.")
        key = licensing.LicenceKey(kid=KID, key=KEY)
        return licensing.Licence(keys=[key], expires_at=self.clock.now() + timedelta(minutes=5))


@dataclass
class Studio(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = encoding.Encoding.refusals
    uploads: dict[str, encoding.Upload] = field(default_factory=dict)
    ingested: list[encoding.Ingest] = field(default_factory=list)
    reports: dict[str, encoding.VersionReport] = field(default_factory=dict)
    unprintable: set[str] = field(default_factory=set)

    async def open_upload(self, request: encoding.OpenUpload) -> encoding.Upload:
        self.check()
        upload_id = f"upl_{len(self.uploads)}"
        self.uploads[upload_id] = encoding.Upload(
            upload_id=UploadId(upload_id),
            name=request.name,
            size_bytes=request.size_bytes,
            received_bytes=0,
            spool_key=f"spool/{upload_id}",
        )
        return self.uploads[upload_id]

    async def get_upload(self, request: encoding.GetUpload) -> encoding.Upload:
        self.check()
        if request.upload_id not in self.uploads:
            raise encoding.UnknownUpload("There is no such upload.")
        return self.uploads[request.upload_id]

    async def complete_upload(self, request: encoding.CompleteUpload) -> encoding.Upload:
        upload = await self.get_upload(encoding.GetUpload(upload_id=request.upload_id))
        done = msgspec.structs.replace(
            upload, asset_id=AssetId("ast_1"), received_bytes=upload.size_bytes
        )
        self.uploads[request.upload_id] = done
        return done

    async def ingest(self, request: encoding.Ingest) -> encoding.Job:
        self.check()
        self.ingested.append(request)
        return self._job(request.title_id)

    async def get_job(self, request: encoding.GetJob) -> encoding.Job:
        self.check()
        raise encoding.UnknownVersion("There is no such job.")

    async def list_jobs(self, request: encoding.ListJobs) -> encoding.JobPage:
        self.check()
        return encoding.JobPage(jobs=[self._job(FILM)])

    async def get_version(self, request: encoding.GetVersion) -> encoding.Version:
        self.check()
        raise encoding.UnknownVersion("There is no such version.")

    async def get_report(self, request: encoding.GetReport) -> encoding.VersionReport:
        self.check()
        if request.version_id not in self.reports:
            raise encoding.UnknownVersion("There is no such version.")
        return self.reports[request.version_id]

    async def draw_title_card(self, request: encoding.DrawTitleCard) -> encoding.TitleCard:
        self.check()
        if request.name in self.unprintable:
            raise encoding.CardImpossible("No font here has these letters of the name: ?")
        return encoding.TitleCard(picture_key=f"{request.picture_key}-{request.name}")

    def _job(self, title_id: TitleId) -> encoding.Job:
        return encoding.Job(
            version_id=VersionId("ver_1"),
            title_id=title_id,
            state="running",
            quick_version_id=None,
            stages=[encoding.StageProgress(stage="inspect", done=1, total=1)],
            created_at=self.clock.now(),
        )


@dataclass
class Guide(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = steering.Steering.refusals

    async def report(self, request: steering.Report) -> steering.ReportAccepted:
        raise AssertionError("appliances do not report to the gateway")

    async def get_snapshot(self, request: steering.GetSnapshot) -> steering.Snapshot:
        raise AssertionError("appliances pull no snapshots from the gateway")

    async def rank(self, request: steering.Rank) -> steering.Ranking:
        raise AssertionError("the gateway ranks nothing")

    async def list_appliances(self, request: steering.ListAppliances) -> steering.ApplianceList:
        self.check()
        return steering.ApplianceList(
            appliances=[
                steering.ApplianceState(
                    appliance_id=ApplianceId("edge-a"),
                    url="http://127.0.0.1:8081",
                    alive=True,
                    healthy=True,
                    in_flight=0,
                    versions=1,
                    last_report_at=self.clock.now(),
                )
            ]
        )


MACHINE = Machine(
    doing="serving",
    started_at=None,
    processes=[ProcessState(name="worker-1", pid=7, alive=False, restarts=3, memory_bytes=9)],
    disk_free_bytes=10**9,
    disk_total_bytes=10**11,
)


class Town:
    """All neighbours of one gateway, and the parts it is built from."""

    def __init__(
        self,
        folder: Path,
        public_base_url: str | Callable[[], str] = "http://127.0.0.1:8080",
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.people = People(self.clock)
        self.films = Films(self.clock)
        self.memory = Memory(self.clock)
        self.theatre = Theatre(self.clock)
        self.keys = Keys(self.clock)
        self.studio = Studio(self.clock)
        self.guide = Guide(self.clock)
        self.objects = Objects(folder / "objects")
        self.page_folder = folder / "page"
        self.errors: list[LoggedError] = []
        self.lines: list[LogLine] = []
        self.office = PassportOffice(b"0" * 32, self.clock)
        self.parts = GatewayParts(
            identity=self.people,
            catalog=self.films,
            viewers=self.memory,
            playback=self.theatre,
            licensing=self.keys,
            encoding=self.studio,
            steering=self.guide,
            objects=self.objects,
            office=self.office,
            clock=self.clock,
            page_folder=self.page_folder,
            public_base_url=public_base_url,
            service_name="Cuemark",
            machine=lambda: MACHINE,
            last_errors=lambda limit: self.errors[:limit],
            trace_lines=lambda trace_id: [line for line in self.lines if line.trace_id == trace_id],
        )
