"""Playback in memory."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import msgspec

from cuemark.contracts import playback
from cuemark.contracts.ids import AccountId, ApplianceId, PlaySessionId, ProfileId, VersionId
from cuemark.contracts.playback import devices, streams
from cuemark.kit.errors import Refusal
from tests.unit.gateway.neighbours.neighbour import FILM, Neighbour
from tests.unit.gateway.neighbours.steering import REDIRECT_TOKEN

ANNAS_SESSION = PlaySessionId("ses_anna")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@dataclass
class Theatre(Neighbour):
    refusals: ClassVar[tuple[type[Refusal], ...]] = playback.Playback.refusals
    manifests: list[playback.GetManifest] = field(default_factory=list)
    started: list[playback.StartPlay] = field(default_factory=list)
    ended: list[playback.EndPlay] = field(default_factory=list)
    stopped: list[playback.StopPlay] = field(default_factory=list)
    asked: list[PlaySessionId] = field(default_factory=list)
    licence_urls: list[str] = field(default_factory=list)
    steering_urls: list[str] = field(default_factory=list)
    systems: list[str | None] = field(default_factory=list)
    redirected: list[playback.GetRedirectedManifest] = field(default_factory=list)
    evidence: list[playback.NameSessions] = field(default_factory=list)

    def check_session(self, session_id: PlaySessionId, account_id: AccountId) -> None:
        self.check()
        if (session_id, account_id) != (ANNAS_SESSION, "acc_anna"):
            raise playback.UnknownPlay("There is no such play.")

    async def start(self, request: playback.StartPlay) -> playback.Play:
        self.check()
        if request.title_id != FILM:
            raise playback.CannotPlay("This title cannot be played yet.")
        if request.device == "one too many" and request.instead_of is None:
            running = streams.HeldStream(
                session_id=ANNAS_SESSION,
                title_id=FILM,
                title="The Film",
                device="tv",
                started_at=self.clock.now(),
                login_id="lgn_tv",
            )
            held = streams.StreamsHeld(plays=[running])
            raise streams.TooManyStreams("Your plan allows 1 at once: end another play.", held)
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
            redirect_token=REDIRECT_TOKEN,
            beside=["lgn_phone"],
        )

    async def get_manifest(self, request: playback.GetManifest) -> playback.Manifest:
        self.check_session(request.session_id, request.account_id)
        self.manifests.append(request)
        self.licence_urls.append(request.licence_url)
        self.steering_urls.append(request.steering_url)
        self.systems.append(request.system)
        return playback.Manifest(text=f"<{request.format}>")

    async def get_redirected_manifest(
        self, request: playback.GetRedirectedManifest
    ) -> playback.Manifest:
        self.check()
        if request.session_id != ANNAS_SESSION:
            raise playback.UnknownPlay("There is no such play.")
        self.redirected.append(request)
        return playback.Manifest(text=f"<{request.format} at one address>")

    async def get_play(self, request: playback.GetPlay) -> playback.PlayState:
        self.check_session(request.session_id, request.account_id)
        self.asked.append(request.session_id)
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

    async def list_own_plays(self, request: playback.ListOwnPlays) -> playback.OwnPlayPage:
        self.check()
        now = self.clock.now()
        if request.account_id != "acc_anna":
            return playback.OwnPlayPage(plays=[])
        play = playback.OwnPlay(
            session_id=ANNAS_SESSION,
            profile_id=ProfileId("prf_anna"),
            title_id=FILM,
            device="tv",
            started_at=now,
            ended_at=None,
            expires_at=now,
        )
        return playback.OwnPlayPage(plays=[play], next_cursor="" if request.after else "more")

    async def list_devices(self, request: devices.ListDevices) -> devices.DeviceList:
        self.check()
        if request.account_id != "acc_anna":
            return devices.DeviceList(devices=[])
        now = self.clock.now()
        tv = devices.Device(
            device_id="tv-1",
            name="tv",
            first_seen_at=now,
            seen_at=now,
            capabilities=devices.Capabilities(codecs=["h264", "hevc"], max_height=2160),
        )
        return devices.DeviceList(devices=[tv])

    async def name_sessions(self, request: playback.NameSessions) -> playback.Naming:
        self.check()
        self.evidence.append(request)
        guilty = playback.Suspect(
            session_id=ANNAS_SESSION,
            version_id=request.version_id,
            named=True,
            agreement=0.9,
            chance=1e-7,
            started_at=self.clock.now(),
            device="tv",
            account_id=AccountId("acc_anna"),
            profile_id=ProfileId("prf_anna"),
        )
        other = msgspec.structs.replace(
            guilty,
            session_id=PlaySessionId("ses_ben"),
            named=False,
            agreement=0.55,
            chance=0.8,
            account_id=None,
            profile_id=None,
        )
        return playback.Naming(
            title_id=FILM, compared=2, suspects=[guilty, other], verdict="It was ses_anna."
        )

    async def end(self, request: playback.EndPlay) -> playback.PlayEnded:
        self.check_session(request.session_id, request.account_id)
        self.ended.append(request)
        return playback.PlayEnded()

    async def stop(self, request: playback.StopPlay) -> playback.PlayEnded:
        self.check()
        self.stopped.append(request)
        return playback.PlayEnded()
