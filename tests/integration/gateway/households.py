"""A whole control plane on a real PostgreSQL, and what two members have in it."""

import asyncio
import contextlib
import hashlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
from sqlalchemy import text

from cuemark.app import system
from cuemark.app.compose import Composition, compose
from cuemark.app.folder import DataFolder, Ports
from cuemark.app.readiness import port_answers
from cuemark.app.schemas import lines, migrate_all
from cuemark.app.settings import Settings
from cuemark.contexts.encoding import store
from cuemark.contracts.encoding import events
from cuemark.contracts.ids import ApplianceId, TitleId, VersionId
from cuemark.contracts.licensing import Licensing, ProvisionedKeys, ProvisionKeys
from cuemark.contracts.steering import Steering
from cuemark.contracts.steering.reports import Report
from cuemark.gateway.door import Door
from cuemark.kit.clock import SystemClock
from cuemark.kit.database import Database
from cuemark.kit.ids import Ids
from cuemark.kit.link import route_of
from cuemark.kit.objects import write_private
from cuemark.kit.outbox import Log
from cuemark.kit.passport import HEADER, Passport, PassportOffice
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.playback.versions import version

CARD = "4242424242424242"
PASSWORD = "correct horse battery"
WRITTEN_BY_REFUSALS = frozenset({"identity.act", "identity.act_head"})
"""Tables that a refusal writes to, and should."""


@dataclass(frozen=True)
class Household:
    """What belongs to one member, by the names that routes call it in their paths. It is done by
    one login, ``token``; the member has another one, elsewhere."""

    token: str
    other_token: str
    ids: Mapping[str, str]
    media_token: str


class Film(NamedTuple):
    title_id: TitleId
    version_id: VersionId
    kid: str


class Town:
    """The gateway of an install, as whoever sends bytes to it sees it."""

    film: Film
    anna: Household
    ben: Household
    cleo: Household
    more: dict[str, Household]
    staff: Mapping[str, str]
    """A token of one of staff, by the role."""

    def __init__(self, install: system.Install, composition: Composition) -> None:
        self.install = install
        self.composition = composition
        self.ask = Asker(cast(Door, composition.gateway))
        self._inside = Asker(cast(Door, composition.internal))
        self.database = Database(install.database_url)
        self.operator = install.folder.secret("operator_token").hex()
        self.office = PassportOffice(install.folder.secret("passport_key"), SystemClock())

    async def must(self, method: str, path: str, body: object = None, *, token: str = "") -> Answer:
        """The answer of a request that has to work."""
        answer = await self.ask(method, f"/api/v1{path}", json=body, token=token or self.operator)
        assert answer.status < 300, (method, path, answer.status, answer.body)
        return answer

    async def inside(self, contract: type, method: str, request: msgspec.Struct) -> bytes:
        """What a context answers to another process of the install."""
        passport = self.office.mint(Passport(subject="worker-1", role="service"))
        answer = await self._inside(
            "POST",
            route_of(contract, method),
            headers={HEADER: passport},
            json=msgspec.to_builtins(request),
        )
        assert answer.status == 200, answer.body
        return answer.body

    async def inside_raw(self, path: str, passport: str, body: Mapping[str, str] = {}) -> Answer:
        """What another process of the install is answered that shows this for a passport."""
        return await self._inside("POST", path, headers={HEADER: passport}, json=body)

    async def log_in(self, email: str) -> str:
        link = (await self.must("POST", "/login-links", {"email": email, "create": True})).json()
        granted = await self.must("POST", "/login/link", {"code": link["code"]})
        return str(granted.json()["token"])

    async def settle(self, email: str) -> Household:
        """A member with two logins, a plan that is paid for, a play that runs and a passkey."""
        token, other_token = await self.log_in(email), await self.log_in(email)
        me = (await self.must("GET", "/me", token=token)).json()
        card = await self._card(token)
        body = {"plan_id": "small", "territory": "DE", "card": card}
        await self.must("POST", "/subscription", body, token=token)
        async with asyncio.timeout(30):
            while not (await self.must("GET", "/entitlement", token=token)).json()["entitled"]:
                await asyncio.sleep(0.1)
        invoices = (await self.must("GET", "/invoices", token=token)).json()["invoices"]
        logins = (await self.must("GET", "/account/logins", token=token)).json()["logins"]
        device_id = f"television-of-{email}"
        play = await self._play(token, device_id)
        guest = (await self.must("POST", "/profiles", {"name": "Guest"}, token=token)).json()
        passkey_id = f"psk_{me['account_id'].removeprefix('acc_')}"
        await self.change(
            "insert into identity.passkey (passkey_id, credential_id, account_id, name, public_key,"
            " sign_count, transports, made_at) "
            "values (:id, :sha256, :account, 'A phone', '', 0, '', now())",
            id=passkey_id,
            sha256=hashlib.sha256(passkey_id.encode()).digest(),
            account=me["account_id"],
        )
        return Household(
            token=token,
            other_token=other_token,
            ids={
                "kid": self.film.kid,
                "form": "pdf",
                "system": "widevine",
                "account_id": me["account_id"],
                "session_id": play["session_id"],
                "device_id": device_id,
                "invoice_id": invoices[0]["invoice_id"],
                "profile_id": guest["profile_id"],
                "own_profile_id": me["profile_id"],
                "passkey_id": passkey_id,
                "login_id": next(each["login_id"] for each in logins if not each["is_this"]),
            },
            media_token=play["redirected_dash_url"].split("/media/")[1].partition("/")[0],
        )

    async def hire(self) -> dict[str, str]:
        """Somebody of staff for each role."""
        tokens = {}
        for role in (await self.must("GET", "/staff")).json()["roles"]:
            body = {"email": f"{role}@films.example", "role": role}
            member = (await self.must("POST", "/staff", body)).json()
            made = await self.must("POST", f"/staff/{member['staff_id']}/tokens", {})
            tokens[role] = str(made.json()["token"])
        return tokens

    async def report(self) -> None:
        """The appliance says that it is well."""
        await self.inside(Steering, "report", _report(self.film.version_id))

    async def _play(self, token: str, device_id: str) -> dict[str, str]:
        """A play that has begun, as soon as the film can be played."""
        async with asyncio.timeout(30):
            while True:
                await self.report()
                body = {"title_id": self.film.title_id, "device_id": device_id}
                answer = await self.ask("POST", "/api/v1/plays", json=body, token=token)
                if answer.status < 300:
                    return cast(dict[str, str], answer.json())
                assert answer.code == "cannot_play", answer.body
                await asyncio.sleep(0.1)

    async def _card(self, token: str) -> str:
        answer = await self.must("POST", "/billing/test-cards", {"number": CARD}, token=token)
        return str(answer.json()["token"])

    async def everything(self) -> dict[str, str]:
        """A digest of each table of ours, so that what changed shows by name."""
        digests = {}
        async with self.database.transaction() as transaction:
            found = await transaction.execute(
                text(
                    "select table_schema || '.' || table_name from information_schema.tables "
                    "where table_type = 'BASE TABLE' and table_schema = any(:schemas)"
                ),
                {"schemas": list(lines())},
            )
            tables = [name for name in found.scalars() if name not in WRITTEN_BY_REFUSALS]
            rows = " union all ".join(
                f"select '{name}', md5(string_agg(t::text, '|' order by t::text)) from {name} t"
                for name in tables
            )
            for name, digest in await transaction.execute(text(rows)):
                digests[name] = digest
        return digests

    async def prove(self) -> None:
        """Every login is proved now by the second factor of its account."""
        await self.change("update identity.login set level = 2, proved_at = now()")

    async def change(self, statement: str, **values: object) -> None:
        """What no request does, such as letting time pass for one row."""
        async with self.database.transaction() as transaction:
            await transaction.execute(text(statement), values)


@contextlib.asynccontextmanager
async def opened_town(
    folder: Path, database_url: str, more: Sequence[str] = ()
) -> AsyncIterator[Town]:
    """An install that sells and shows one film, composed in this process, with ``more`` households
    than three, whose members have ``PASSWORD``.

    What keeps working by itself is stopped before the town is given, so that nothing changes
    but by a request.
    """
    data = DataFolder(folder)
    data.prepare()
    (folder / "cuemark.toml").write_text(
        'billing = "on"\nsign_up = "open"\nworkers = 0\nappliances = 1\n'
        f'postgres_url = "{database_url}"\n'
    )
    given = Settings(
        billing="on", sign_up="open", workers=0, appliances=1, postgres_url=database_url
    )
    _choose_ports(data)
    install = system.install_on(data, given)
    await asyncio.to_thread(migrate_all, database_url)
    with _sandbox(folder):
        await _answers(install)
        composition = compose(install, ["all"], {})
        working = [asyncio.create_task(each.run()) for each in composition.followers]
        working += [asyncio.create_task(keeper()) for keeper in composition.keepers]
        town = Town(install, composition)
        try:
            await _sell(town)
            await _publish(town)
            town.anna = await town.settle("anna@films.example")
            town.ben = await town.settle("ben@films.example")
            town.cleo = await town.settle("cleo@films.example")
            town.more = {}
            for name in more:
                email = f"{name}@films.example"
                await town.must("POST", "/accounts", {"email": email, "password": PASSWORD})
                town.more[name] = await town.settle(email)
            # What plays tell of is written a moment later: it must not change beneath the tests.
            for each in (town.anna, town.ben, town.cleo, *town.more.values()):
                await town.must("GET", f"/accounts/{each.ids['account_id']}/fraud")
            town.staff = await town.hire()
            await _stop(working)
            yield town
        finally:
            await _stop(working)
            await town.database.close()
            await composition.close()


async def _stop(working: Sequence["asyncio.Task[None]"]) -> None:
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


async def _publish(town: Town) -> None:
    """A title with a version, and the keys of that."""
    clock = SystemClock()
    title = (await town.must("POST", "/titles", {"name": "The film"})).json()
    title_id = TitleId(title["title_id"])
    version_id = VersionId(Ids(clock).new("ver"))
    made = msgspec.structs.replace(
        version(), version_id=version_id, title_id=title_id, published_at=clock.now()
    )
    async with town.database.transaction() as transaction:
        await store.insert_version(transaction, made, {})
        published = events.VersionPublished(
            version_id=version_id,
            title_id=title_id,
            quality="full",
            duration_s=made.duration_s,
            artwork_key=made.artwork_key,
            index_blake3="00" * 32,
            published_at=made.published_at,
        )
        await Log(clock).append(transaction, events.TOPIC, title_id, published)
    labels = ["SD", "HD", "AUDIO"]
    keys = msgspec.json.decode(
        await town.inside(
            Licensing, "provision_keys", ProvisionKeys(version_id=version_id, labels=labels)
        ),
        type=ProvisionedKeys,
    )
    town.film = Film(title_id, version_id, keys.keys[0].kid)


async def _sell(town: Town) -> None:
    price = {"money": {"amount_minor": 900, "currency": "EUR"}}
    await town.must("PUT", "/plans", {"plan_id": "small", "name": "Small", "prices": [price]})


def _choose_ports(data: DataFolder) -> None:
    """Ports of the machine's choice: several test processes choose at once."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(6)]
        public, internal, origin, appliance, agent, sandbox = (
            probe.getsockname()[1] for probe in probes
        )
    ports = Ports(public, internal, origin, [appliance], [agent], sandbox=sandbox)
    write_private(data.run / "ports.json", msgspec.json.encode(ports))


@contextlib.contextmanager
def _sandbox(folder: Path) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-m", system.SANDBOX, "--data", str(folder)]) as process:
        try:
            yield
        finally:
            process.terminate()


async def _answers(install: system.Install) -> None:
    ready = port_answers(install.settings.bind, install.ports.sandbox)
    async with asyncio.timeout(30):
        while not await ready():
            await asyncio.sleep(0.05)


def _report(version_id: VersionId) -> Report:
    return Report(
        appliance_id=ApplianceId("appliance-1"),
        url="http://edge.test",
        healthy=True,
        in_flight=0,
        inventory_revision=1,
        versions=[version_id],
    )
