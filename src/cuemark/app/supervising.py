"""What every run under a supervisor begins and ends with, whatever it keeps running."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

from cuemark.app import state
from cuemark.app.folder import DataFolder
from cuemark.app.log_keeping import keep_bounded
from cuemark.app.supervisor import Supervisor


@contextlib.asynccontextmanager
async def supervised(folder: DataFolder) -> AsyncIterator[tuple[Supervisor, asyncio.Event]]:
    """A supervisor on a folder whose logs are kept bounded, and what SIGINT, SIGTERM or SIGHUP set.

    At the end of the block all that it keeps running is stopped, and the folder's state is gone.
    """
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    supervisor = Supervisor(folder.run, folder.logs)
    supervisor.clear_leftovers()
    bounding = asyncio.create_task(
        keep_bounded(folder, lambda: {each.spec.name: each.group for each in supervisor.children})
    )
    try:
        yield supervisor, stop
    finally:
        bounding.cancel()
        await asyncio.gather(bounding, return_exceptions=True)
        await supervisor.stop()
        state.clear(folder)
