"""One run of an install under the supervisor, from the first start to the last stop."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import psutil
import psycopg

from cuemark.app import state, system
from cuemark.app.backup import moving_in
from cuemark.app.engines import postgres
from cuemark.app.folder import DataFolder
from cuemark.app.settings import Settings
from cuemark.app.state import Phase, Running
from cuemark.app.supervising import supervised
from cuemark.app.supervisor import FIRST_STARTS, Child, ChildSpec, StartFailed, Supervisor


async def run(
    folder: DataFolder,
    settings: Settings,
    tell: Callable[[str], None],
    serving: Callable[[Running], None],
) -> None:
    """Start everything, keep it running until SIGINT or SIGTERM, stop everything in order.

    ``tell`` hears what is being started; ``serving`` is called once all of it serves.
    """

    def phase(doing: str, now: Running | None = None) -> None:
        tell(doing)
        state.write(folder, Phase(supervisor_pid=os.getpid(), doing=doing, running=now))

    async with supervised(folder) as (supervisor, stop):
        moving_in.finish(folder)
        folder.sweep()
        try:
            starting = asyncio.create_task(_start(supervisor, folder, settings, phase))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                install = starting.result()
                serving(await _keep_state(supervisor, install, phase, stop, first=True))
                await _keep_state(supervisor, install, phase, stop)
            else:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
        finally:
            tell("stopping")


async def _start(
    supervisor: Supervisor, folder: DataFolder, settings: Settings, phase: Callable[[str], None]
) -> system.Install:
    install = system.install_on(folder, settings)
    forkserver = system.forkserver_for(install)
    await supervisor.add(forkserver.spec())
    database = None
    if not settings.postgres_url:
        phase("starting PostgreSQL")
        postgres.initialise(folder.postgres)
        database = await supervisor.add(system.postgres_spec(install))
        await _create_database(supervisor, database, folder)
    phase("migrating")
    done = await supervisor.run(system.upgrade_spec(install, forkserver), database)
    kept = msgspec.json.decode(done, type=system.UpToDate).kept_backup
    install = replace(install, kept_backup=kept)
    phase("starting the control plane, the appliances and the workers")
    groups = [
        [system.control_spec(install, forkserver)],
        [system.origin_spec(install)],
        *(system.appliance_specs(install, number) for number in range(settings.appliances)),
        *([spec] for spec in system.worker_specs(install, forkserver)),
        *([spec] for spec in system.functions_specs(install, forkserver)),
        *([spec] for spec in system.sandbox_specs(install)),
    ]
    tasks = [asyncio.create_task(_add_in_turn(supervisor, specs)) for specs in groups]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return install


async def _create_database(supervisor: Supervisor, database: Child, folder: DataFolder) -> None:
    """Create the database unless it is there, also where PostgreSQL is killed meanwhile."""
    for starts_left in reversed(range(FIRST_STARTS)):
        starts = database.starts
        try:
            await asyncio.to_thread(postgres.create_database, folder.run)
        except psycopg.OperationalError as error:
            if starts_left and await supervisor.came_back(database, starts):
                continue
            said = str(error).splitlines()[0]
            raise StartFailed(f"PostgreSQL does not answer: {said}") from error
        return


async def _add_in_turn(supervisor: Supervisor, specs: Sequence[ChildSpec]) -> None:
    for spec in specs:
        await supervisor.add(spec)


async def _keep_state(
    supervisor: Supervisor,
    install: system.Install,
    phase: Callable[[str, Running | None], None],
    stop: asyncio.Event,
    first: bool = False,
) -> Running:
    """Write the process ids down whenever a child was restarted, until told to stop."""
    written: dict[str, int] = {}
    started_at = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    while True:
        pids = {child.spec.name: child.group for child in supervisor.children}
        pids["supervisor"] = os.getpid()
        now = msgspec.structs.replace(
            system.running(install, pids),
            started_at=started_at,
            starts={child.spec.name: child.starts for child in supervisor.children},
        )
        if pids != written:
            with contextlib.suppress(OSError):  # a full disk: told again at the next look
                phase("serving", now)
                written = pids
        if first or stop.is_set():
            return now
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await stop.wait()
