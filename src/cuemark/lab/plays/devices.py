"""The devices of a schedule's accounts, each with what it believes that it plays."""

from collections.abc import Awaitable, Callable, Iterator

import msgspec

from cuemark.contracts.ids import AccountId, LoginId, PlaySessionId, ProfileId, TitleId
from cuemark.contracts.licensing import GetLicence
from cuemark.contracts.playback import (
    EndPlay,
    GetManifest,
    GetPlay,
    NoRight,
    NotEntitled,
    Play,
    StartPlay,
)
from cuemark.contracts.playback.streams import TooManyStreams
from cuemark.contracts.steering import Redirect
from cuemark.kit.errors import ContractError
from cuemark.kit.tracing import trace
from cuemark.lab.plays.house import Process
from cuemark.lab.plays.watch import Call
from cuemark.lab.plays.world import World

NAMES = ("tv", "phone", "tablet", "kitchen", "")
TERRITORIES = ("DE", "DE", "US", "")


class Devices:
    """``plays`` are those that go on, as far as anybody knows who plays them; ``over`` are known
    to be over. ``refused`` counts refusals by their names. A device has a login, and another one
    when that was ended."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.plays: list[tuple[AccountId, Play]] = []
        self.over: list[tuple[AccountId, Play]] = []
        self.refused: dict[str, int] = {}
        self._logins: dict[tuple[AccountId, str], LoginId] = {}
        self._began_by: dict[PlaySessionId, str] = {}

    def begin(self) -> None:
        rng = self._world.rng
        for _ in range(rng.choice((1, 1, 2, 3))):
            account_id, title_id = rng.choice(self._world.accounts), rng.choice(self._world.titles)
            asked = self._wish(account_id, title_id, rng.choice(NAMES))
            if self.plays and rng.random() < 0.2:
                instead = rng.choice(self.plays)[1].session_id
                asked = msgspec.structs.replace(asked, instead_of=instead)
            self._ask(self._begins, account_id, asked)

    def report(self) -> None:
        """Each tells that it goes on, or it is lost, or comes twice, or late: when others go on."""
        for account_id, play in self.plays:
            for _ in range(self._world.rng.choice((0, 1, 1, 2))):
                self._ask(self._reports, account_id, play)

    def want_keys(self) -> None:
        for account_id, play in self._some():
            self._ask(self.gets_manifest, account_id, play)
            self._ask(self.gets_licence, account_id, play)

    def are_redirected(self) -> None:
        for account_id, play in self._some():
            self._ask(self.is_redirected, account_id, play)

    def end(self) -> None:
        for account_id, play in self._some():
            self._ask(self._ends, account_id, play)

    def crash(self) -> None:
        for each in self._some():
            if each in self.plays:
                self.plays.remove(each)

    def log_out(self) -> None:
        """A device, from elsewhere: what it plays it goes on with, as far as that is let."""
        if not self._logins:
            return
        device = self._world.rng.choice(sorted(self._logins))
        self._ask(self._logs_out, device[0], self._logins.pop(device))

    def _login(self, account_id: AccountId, device_id: str) -> LoginId:
        device = account_id, device_id
        if device not in self._logins:
            self._logins[device] = LoginId(self._world.ids.new("lgn"))
        return self._logins[device]

    def _some(self) -> Iterator[tuple[AccountId, Play]]:
        """A play that a device believes to go on, or one that it knows to be over."""
        known = [*self.plays * 3, *self.over]
        if known:
            yield self._world.rng.choice(known)

    def try_to_begin(self, process: Process, account_id: AccountId) -> None:
        """A title that plays everywhere, on a new device, and instead of nothing."""
        unrecorded = TitleId(self._world.ids.new("ttl"))
        asked = self._wish(account_id, unrecorded, f"new {process.number}")
        self._ask(self._begins, account_id, asked, process=process)

    def _wish(self, account_id: AccountId, title_id: TitleId, device_id: str) -> StartPlay:
        return StartPlay(
            account_id=account_id,
            profile_id=ProfileId("prf_lab"),
            title_id=title_id,
            device_id=device_id,
            territory=self._world.rng.choice(TERRITORIES),
            login_id=self._login(account_id, device_id),
        )

    def _ask(
        self,
        what: Callable[..., Awaitable[None]],
        account_id: AccountId,
        *more: object,
        process: Process | None = None,
    ) -> None:
        process = process or self._world.rng.choice(self._world.processes)
        call = self._world.call(process, account_id)

        async def asking() -> None:
            with trace(call.name):
                try:
                    await what(process, call, *more)
                except ContractError as error:
                    name = type(error).__name__
                    self.refused[name] = self.refused.get(name, 0) + 1

        self._world.turns.begin(process, asking())

    async def _begins(self, process: Process, call: Call, asked: StartPlay) -> None:
        call.instead_of = asked.instead_of
        try:
            play = await process.playback.start(asked)
        except TooManyStreams:
            self._world.watch.refused_for_streams(call)
            raise
        except NotEntitled:
            self._world.watch.refused_for_plan(call)
            raise
        except NoRight:
            self._world.watch.refused_for_right(call, asked.title_id, asked.territory)
            raise
        self._began_by[play.session_id] = asked.login_id
        self.plays.append((call.account_id, play))

    async def _logs_out(self, process: Process, call: Call, login_id: LoginId) -> None:
        await process.end_login(call.account_id, login_id)
        self._world.watch.logged_out(login_id)

    async def _reports(self, process: Process, call: Call, play: Play) -> None:
        self._world.watch.hears(play.session_id)
        asked = GetPlay(session_id=play.session_id, account_id=call.account_id)
        try:
            await process.playback.get_play(asked)
        except ContractError:
            self._is_over(call.account_id, play)
            raise
        self._world.watch.hears(play.session_id)
        self._world.watch.answered(call, play.session_id, "an answer")

    def _is_over(self, account_id: AccountId, play: Play) -> None:
        if (account_id, play) in self.plays:
            self.plays.remove((account_id, play))
            self.over.append((account_id, play))

    async def gets_manifest(self, process: Process, call: Call, play: Play) -> None:
        self._world.watch.hears(play.session_id)
        await process.playback.get_manifest(
            GetManifest(
                session_id=play.session_id,
                account_id=call.account_id,
                format=self._world.rng.choice(("dash", "hls")),
                licence_url="https://lab.test/licence",
            )
        )
        self._world.watch.hears(play.session_id)
        self._world.watch.answered(call, play.session_id, "a manifest")

    async def gets_licence(self, process: Process, call: Call, play: Play) -> None:
        licence = await process.licensing.get_licence(
            GetLicence(
                session_id=play.session_id,
                account_id=call.account_id,
                kids=[self._world.lab.kids["SD"]],
                login_id=self._began_by[play.session_id],
            )
        )
        self._world.watch.licensed(call, play.session_id, licence.expires_at)

    async def is_redirected(self, process: Process, call: Call, play: Play) -> None:
        await process.steering.redirect(Redirect(token=play.redirect_token))
        self._world.watch.redirected(call, play.session_id)

    async def _ends(self, process: Process, call: Call, play: Play) -> None:
        asked = EndPlay(session_id=play.session_id, account_id=call.account_id)
        self._is_over(call.account_id, play)
        await process.playback.end(asked)
