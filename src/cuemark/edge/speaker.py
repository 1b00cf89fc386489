"""A BGP session with one router: an ExaBGP process of its own, and what it tells.

It speaks to one router, listens nowhere, and announces nothing. ExaBGP hands its JSON to a child of
its own, here ``cat``, which writes it into a FIFO that the agent reads.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from cuemark.edge.bgp import MOST_LINE_BYTES, LineInvalid, SessionUp, heard
from cuemark.edge.rib import HOLD_S, PeerTable
from cuemark.edge.settings import BgpSettings, PeerSettings
from cuemark.kit.objects import write_private
from cuemark.kit.process import kill_group, launch_argv

AGAIN_S = 1.0
MOST_AGAIN_S = 30.0
STOP_S = 2.0
FIFO = "CUEMARK_ROUTES"
"""The variable that says where; ExaBGP hands it on, whatever is in the path."""
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "exabgp_api_ack": "false",
    "exabgp_api_cli": "false",
    "exabgp_daemon_drop": "false",
    "exabgp_log_level": "ERROR",
    "exabgp_tcp_bind": "",
}


def config_of(bgp: BgpSettings, peer: PeerSettings) -> str:
    """ExaBGP's configuration for the session with ``peer``. Its lines go to the file ``FIFO``."""
    return f"""\
process routes {{
  run /bin/sh -c "exec cat 3>&1 > ${FIFO}";
  encoder json;
}}
neighbor {peer.address} {{
  router-id {bgp.router_id};
  local-address {peer.local_address};
  local-as {bgp.asn};
  peer-as {peer.asn};
  connect {peer.port};
  hold-time {peer.hold_time_s};
  adj-rib-in false;
  adj-rib-out false;
  capability {{ graceful-restart 0; }}
  family {{ ipv4 unicast; ipv6 unicast; }}
  api {{
    processes [ routes ];
    neighbor-changes;
    receive {{ parsed; update; }}
  }}
}}
"""


class Speaker:
    """Keeps the session of ``table``'s router up, in ``folder``."""

    def __init__(self, bgp: BgpSettings, table: PeerTable, folder: Path, number: int) -> None:
        self._bgp = bgp
        self._table = table
        self._folder = folder
        self._name = f"bgp-{number}"

    async def run(self) -> None:
        """For ever. What goes wrong ends the session and its routes; then it begins anew."""
        pause_s = AGAIN_S
        log = structlog.get_logger().bind(peer=self._table.peer.address)
        while True:
            try:
                async with self._process() as reader:
                    was_up = await self.listen(reader)
            except OSError as error:
                self._table.lose(f"ExaBGP cannot be run: {error}")
                was_up = False
            told = self._table.told()
            log.warning("bgp_session_lost", state=told.state, complaint=told.complaint)
            if self._table.held:
                await asyncio.sleep(HOLD_S)
                self._table.lose("it was held for announcing too much, and begins anew")
            pause_s = AGAIN_S if was_up else min(2 * pause_s, MOST_AGAIN_S)
            await asyncio.sleep(pause_s)

    async def listen(self, reader: asyncio.StreamReader) -> bool:
        """Take what ExaBGP writes until it ends, or a line cannot be read, or it is too much.

        Then no route of the router counts. Returns whether the session ever was up.
        """
        was_up, trouble = False, "ExaBGP ended"
        try:
            while not self._table.held and (line := await reader.readline()):
                event = heard(line)
                was_up = was_up or isinstance(event, SessionUp)
                if event is not None:
                    self._table.take(event)
                # A line may be long to take, and there may be many: others have their turn.
                await asyncio.sleep(0)
        except (LineInvalid, ValueError) as error:
            # A ValueError is a line that is too long. What was lost in it nobody knows.
            trouble = str(error)
        if not self._table.held:
            self._table.lose(trouble)
        return was_up

    @contextlib.asynccontextmanager
    async def _process(self) -> AsyncIterator[asyncio.StreamReader]:
        """ExaBGP, running, and its lines."""
        fifo = self._folder / f"{self._name}.fifo"
        config = self._folder / f"{self._name}.conf"
        fifo.unlink(missing_ok=True)
        os.mkfifo(fifo, 0o600)
        write_private(config, config_of(self._bgp, self._table.peer).encode())
        reader = asyncio.StreamReader(limit=MOST_LINE_BYTES)
        # Read and write, so that neither end waits for the other to come; ExaBGP's own end is told
        # by its process.
        descriptor = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
        )
        try:
            process = await asyncio.create_subprocess_exec(
                *launch_argv(
                    [sys.executable, "-m", "exabgp", "server", str(config)], drop_root=True
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr,
                env={**ENVIRONMENT, FIFO: str(fifo)},
            )
            ending = asyncio.create_task(_end_with(process, reader))
            try:
                yield reader
            finally:
                kill_group(process.pid, signal.SIGTERM)
                try:
                    await asyncio.wait([ending], timeout=STOP_S)
                finally:
                    kill_group(process.pid)
                    await ending
        finally:
            transport.close()
            fifo.unlink(missing_ok=True)


async def _end_with(process: asyncio.subprocess.Process, reader: asyncio.StreamReader) -> None:
    await process.wait()
    reader.feed_eof()
