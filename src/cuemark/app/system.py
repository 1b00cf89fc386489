"""The children of one machine's install: what is started, in which order, and when it serves."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import msgspec

from cuemark import contexts
from cuemark.app.engines import postgres
from cuemark.app.engines.postgres import Door
from cuemark.app.folder import DataFolder, Ports
from cuemark.app.forking import Forkserver
from cuemark.app.payments import stripe_keys
from cuemark.app.readiness import at_once, http_answers, port_answers
from cuemark.app.settings import Settings
from cuemark.app.sites import Site, at_site
from cuemark.app.state import Running, RunningAppliance
from cuemark.app.supervisor import ChildSpec, listen
from cuemark.contracts.ids import ApplianceId
from cuemark.edge import front, nginx, origin
from cuemark.edge.settings import ApplianceSettings, OriginSettings
from cuemark.kit.passport import appliance_key

if TYPE_CHECKING:
    from cuemark.contexts.billing.wiring import Provider, SandboxAt

_CONTEXTS = "cuemark.contexts."
UPGRADE, CONTROL, WORKER = "cuemark.app.upgrade", "cuemark.app.control", "cuemark.app.worker"
FUNCTIONS = "cuemark.app.functions"
SANDBOX = "cuemark.app.sandbox"


@dataclass(frozen=True)
class Install:
    """A data folder with its settings and ports: all that the children's specs depend on.

    ``kept_backup`` is the backup that this start made before it migrated, if any.
    """

    folder: DataFolder
    settings: Settings
    ports: Ports
    kept_backup: str = ""

    @property
    def functions(self) -> Path:
        """The folder of the functions, which need not be there."""
        return self.folder.root / (self.settings.functions or "functions")

    @property
    def public_url(self) -> str:
        """Where people reach the page, without a slash at its end."""
        own = f"http://{self.settings.bind}:{self.ports.public}"
        return self.settings.public_url.rstrip("/") or own

    @property
    def internal_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.internal}"

    @property
    def database_url(self) -> str:
        return self.settings.postgres_url or postgres.url_of(self.folder.run)

    @property
    def appliance_ids(self) -> Sequence[ApplianceId]:
        return [ApplianceId(f"appliance-{n + 1}") for n in range(self.settings.appliances)]

    @property
    def storage_ids(self) -> Sequence[ApplianceId]:
        """Those of the storage tier: the last ones."""
        return self.appliance_ids[len(self.appliance_ids) - self.settings.storage_appliances :]

    @property
    def enrolled_ids(self) -> Sequence[ApplianceId]:
        """The appliances of this machine, and those elsewhere."""
        return [*self.appliance_ids, *map(ApplianceId, self.settings.appliances_elsewhere)]

    def appliance_url(self, number: int) -> str:
        return f"http://{self.settings.bind}:{self.ports.appliances[number]}"


class UpToDate(msgspec.Struct, frozen=True):
    """What ``cuemark.app.upgrade`` prints. ``kept_backup`` is as in ``Install``."""

    kept_backup: str


def install_on(folder: DataFolder, settings: Settings) -> Install:
    """The install on a data folder, its ports chosen."""
    ports = folder.ports(
        settings.bind,
        settings.port,
        settings.appliances,
        settings.farm.listen,
        sandbox=settings.has_sandbox,
    )
    return Install(folder, settings, ports)


def postgres_spec(install: Install) -> ChildSpec:
    folder = install.folder
    door = database_door(install)

    async def ready() -> bool:
        return await asyncio.to_thread(postgres.answers, folder.run)

    return ChildSpec(
        name="postgres",
        argv=postgres.server_argv(folder.postgres, folder.run, door=door),
        ready=ready,
        drop_root=True,
        on_parent_death=signal.SIGINT,
        stop_signal=signal.SIGINT,
        stop_s=15,
        prepare=lambda: postgres.clear_stale_locks(folder.postgres, folder.run),
    )


def forkserver_for(install: Install) -> Forkserver:
    """What forks control and the workers: their modules, and those that they import when built."""
    found = [f"{each.name}.wiring" for each in iter_modules(contexts.__path__, _CONTEXTS)]
    # One that is only thought about in the lab so far has nothing to build.
    rooms = [name for name in found if find_spec(name) is not None]
    plan = {UPGRADE: [*rooms, "alembic.runtime.environment"], CONTROL: ["cuemark.gateway.app"]}
    if install.settings.workers:
        plan[WORKER] = ["cuemark.contexts.encoding.workflow"]
    if install.settings.functions:
        plan[FUNCTIONS] = []
    return Forkserver(plan)


def upgrade_spec(install: Install, forkserver: Forkserver) -> ChildSpec:
    """What runs to its end before anything else does that uses the database."""
    return ChildSpec(
        name="upgrade",
        argv=[UPGRADE, "--data", str(install.folder.root)],
        ready=at_once,
        launch=forkserver.launch,
    )


def database_door(install: Install) -> Door | None:
    """Where other hosts reach the database of this install; None where none may."""
    if not install.settings.farm.listen:
        return None
    return Door(install.settings.farm.listen, install.folder.run / "pg_hba.conf")


def control_spec(install: Install, forkserver: Forkserver) -> ChildSpec:
    public = listen(install.settings.bind, install.ports.public)
    internal = listen("127.0.0.1", install.ports.internal)
    descriptors = ["--public-fd", str(public.fileno()), "--internal-fd", str(internal.fileno())]
    listeners = [public, internal]
    if install.ports.farm:
        farm = listen(install.settings.farm.listen, install.ports.farm)
        descriptors += ["--farm-fd", str(farm.fileno())]
        listeners.append(farm)
    return ChildSpec(
        name="control",
        argv=[CONTROL, "--data", str(install.folder.root), *descriptors],
        launch=forkserver.launch,
        ready=http_answers("127.0.0.1", install.ports.internal),
        ready_s=90,
        listeners=tuple(listeners),
    )


def worker_specs(install: Install, forkserver: Forkserver) -> list[ChildSpec]:
    return [
        ChildSpec(
            name=f"worker-{number + 1}",
            argv=[WORKER, "--data", str(install.folder.root), "--name", f"worker-{number + 1}"],
            ready=at_once,
            launch=forkserver.launch,
        )
        for number in range(install.settings.workers)
    ]


def functions_specs(install: Install, forkserver: Forkserver) -> list[ChildSpec]:
    """What runs functions, unless the install is to have none."""
    if not install.settings.functions:
        return []
    return [
        ChildSpec(
            name="functions",
            argv=[FUNCTIONS, "--data", str(install.folder.root)],
            ready=at_once,
            launch=forkserver.launch,
        )
    ]


def sandbox_of(install: Install) -> "SandboxAt":
    """Where the payment sandbox of an install is."""
    # Only who sells needs billing's code.
    from cuemark.contexts.billing.wiring import SandboxAt

    url = f"http://{install.settings.bind}:{install.ports.sandbox}"
    return SandboxAt(url, install.folder.secret("sandbox_key"))


def provider_of(install: Install) -> "Provider":
    """Who charges the members of an install; raises ``PaymentKeyUnreadable``."""
    from cuemark.contexts.billing.wiring import DebitAt, StripeAt

    payments = install.settings.payments
    if payments.provider == "sandbox":
        return sandbox_of(install)
    if payments.provider == "debit":
        return DebitAt(sandbox_of(install))
    key, webhook_secret = stripe_keys(install.folder.root, payments)
    return StripeAt(key, webhook_secret, return_url=f"{install.public_url}/plan")


def sandbox_specs(install: Install) -> list[ChildSpec]:
    """The payment sandbox, where the install sells by it."""
    if not install.settings.has_sandbox:
        return []
    return [
        ChildSpec(
            name="sandbox",
            argv=[sys.executable, "-m", SANDBOX, "--data", str(install.folder.root)],
            ready=port_answers(install.settings.bind, install.ports.sandbox),
        )
    ]


def origin_spec(install: Install) -> ChildSpec:
    folder = install.folder.root / "origin"
    settings = OriginSettings(
        folder=str(folder),
        objects=str(install.folder.objects),
        port=install.ports.origin,
        key=install.folder.secret("origin_key").hex(),
        limit_rate_kbps=install.settings.origin_limit_kbps,
    )
    return _nginx_spec(
        "origin",
        install.settings.nginx,
        folder,
        port_answers("127.0.0.1", install.ports.origin),
        lambda: origin.write_config(settings),
    )


def passport_key_of(install: Install, appliance_id: str) -> bytes:
    """With what an appliance signs who it is; 32 bytes."""
    return appliance_key(install.folder.secret("passport_key"), appliance_id)


def appliance_specs(install: Install, number: int) -> list[ChildSpec]:
    """The agent and the nginx of an appliance, in that order."""
    appliance_id = install.appliance_ids[number]
    folder = install.folder.appliance(appliance_id)
    site = install.settings.sites.get(appliance_id, Site())
    settings = ApplianceSettings(
        appliance_id=appliance_id,
        folder=str(folder),
        url=install.appliance_url(number),
        bind=install.settings.bind,
        port=install.ports.appliances[number],
        agent_port=install.ports.agents[number],
        control_url=install.settings.control_url or install.internal_url,
        passport_key=passport_key_of(install, appliance_id).hex(),
        origin_url=f"http://127.0.0.1:{install.ports.origin}",
        origin_key=install.folder.secret("origin_key").hex(),
        log=str(install.folder.log_file),
        store_limit_bytes=install.settings.store_limit_gb * 1_000_000_000,
        reserve_bytes=install.settings.store_reserve_mb * 1_000_000,
        scrub_kbps=install.settings.scrub_kbps,
        nginx=install.settings.nginx,
    )
    return specs_of_appliance(at_site(settings, site))


def specs_of_appliance(settings: ApplianceSettings) -> list[ChildSpec]:
    """The agent and the nginx of an appliance, in that order."""
    folder = Path(settings.folder)
    config = folder / "agent.json"
    agent = ChildSpec(
        name=f"{settings.appliance_id}-agent",
        argv=[sys.executable, "-m", "cuemark.edge.agent", "--config", str(config)],
        ready=port_answers("127.0.0.1", settings.agent_port),
        prepare=lambda: settings.write(config),
    )
    server = _nginx_spec(
        settings.appliance_id,
        settings.nginx,
        folder,
        port_answers(settings.bind, settings.port),
        lambda: front.write_config(settings),
    )
    return [agent, server]


def running(install: Install, pids: dict[str, int]) -> Running:
    """What to tell about an install whose children have these process ids."""
    return Running(
        member_url=f"{install.public_url}/",
        api_url=f"{install.public_url}/api/v1",
        internal_url=install.internal_url,
        appliances=[
            RunningAppliance(
                id=appliance_id,
                url=install.appliance_url(number),
                pid=pids.get(appliance_id, 0),
                agent_pid=pids.get(f"{appliance_id}-agent", 0),
            )
            for number, appliance_id in enumerate(install.appliance_ids)
        ],
        pids=pids,
        kept_backup=install.kept_backup,
    )


def _nginx_spec(
    name: str,
    program: str,
    folder: Path,
    ready: Callable[[], Awaitable[bool]],
    prepare: Callable[[], None],
) -> ChildSpec:
    return ChildSpec(
        name=name,
        argv=nginx.argv(folder, program),
        ready=ready,
        drop_root=True,
        on_parent_death=signal.SIGTERM,
        stop_signal=signal.SIGTERM,
        prepare=prepare,
        leavings=[folder / nginx.PID],
    )
