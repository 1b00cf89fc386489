"""The agent of an appliance: ``python -m cuemark.edge.agent --config FILE``.

It learns from control what there is to serve, fills the store from its neighbours and the origin,
and answers what nginx does not find there. With control away it goes on under the last snapshot;
with all sources away it serves what it holds.
"""

import argparse
import asyncio
import resource
import signal
import sys
from pathlib import Path

import structlog

from cuemark.contracts.fill import Fill
from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.steering import Steering
from cuemark.contracts.telemetry import Telemetry
from cuemark.edge import tls
from cuemark.edge.access_log import AccessLog
from cuemark.edge.ahead import Ahead, Pace
from cuemark.edge.announcing import Announcer
from cuemark.edge.answers import Answers
from cuemark.edge.cache import FillTable
from cuemark.edge.control import Knowledge, Liaison, Vitals
from cuemark.edge.filling import Filler
from cuemark.edge.health import health
from cuemark.edge.housekeeping import Housekeeping
from cuemark.edge.http import HttpServer
from cuemark.edge.keeping import Keeping
from cuemark.edge.ledger import Ledger
from cuemark.edge.neighbours import Neighbours
from cuemark.edge.orders import Orders
from cuemark.edge.plan import Plan
from cuemark.edge.revoked import Revoked
from cuemark.edge.rib import Rib
from cuemark.edge.scrub import Scrub
from cuemark.edge.serving import MediaService
from cuemark.edge.settings import ApplianceSettings, SettingsInvalid, load
from cuemark.edge.shipping import Shipping
from cuemark.edge.speaker import Speaker
from cuemark.edge.spool import Spool
from cuemark.edge.store import Indexes, Store
from cuemark.edge.telling import Telling
from cuemark.edge.tokens import Tokens
from cuemark.edge.traffic import Meter
from cuemark.edge.upstream import Upstream
from cuemark.kit.channel import Channel
from cuemark.kit.clock import Clock, SystemClock
from cuemark.kit.link import connect
from cuemark.kit.logs import configure_logs
from cuemark.kit.objects import sweep_drafts
from cuemark.kit.passport import Passport, PassportOffice
from cuemark.kit.windows import place_of, window


async def serve(settings: ApplianceSettings, clock: Clock, stop: asyncio.Event) -> None:
    """Run the agent until ``stop`` is set."""
    folder = Path(settings.folder)
    sweep_drafts(folder / "run", folder / "indexes")
    store = Store(folder, settings.store_limit_bytes, settings.reserve_bytes)
    ledger = Ledger(folder)
    housekeeping = Housekeeping(folder, store, ledger, clock)
    indexes = Indexes(folder)
    knowledge = Knowledge(folder)
    revoked = Revoked(folder, clock)
    tokens = Tokens(settings.appliance_id, lambda: knowledge.keys, revoked, clock)
    rib = Rib(settings.bgp)
    meter = Meter(folder, clock)
    orders = Orders(folder, bool(settings.releases), Answers(clock))
    spool = Spool(folder, settings.lines_spool_bytes, clock.now())
    upstream = Upstream(settings.origin_url, settings.origin_key, settings.appliance_id)
    table = FillTable(settings.max_fills, settings.max_waiting_fills)
    neighbours = Neighbours(upstream, settings.appliance_id)
    filler = Filler(table, neighbours, store, clock)
    plan = Plan(folder)
    keeping = Keeping(plan, indexes, store)
    ahead = Ahead(indexes, store, filler, plan, keeping, pace_of(settings), clock)
    scrub = Scrub(
        indexes,
        store,
        filler,
        clock,
        rate_kbps=settings.scrub_kbps,
        every_s=settings.scrub_every_s,
    )
    office = PassportOffice(bytes.fromhex(settings.passport_key), clock)
    identity = Passport(subject=settings.appliance_id, role="appliance")
    async with Channel(settings.control_url, lambda: office.mint(identity)) as channel:
        steering = connect(Steering, channel)
        liaison = Liaison(settings, steering, upstream, knowledge, revoked, indexes, orders)
        shipping = Shipping(
            ApplianceId(settings.appliance_id),
            AccessLog(folder / "logs" / "access.jsonl", spool.read_to, every_line=True),
            spool,
            connect(Telemetry, channel).take_lines,
            orders.answers.count,
        )
        announcer = Announcer(ApplianceId(settings.appliance_id), rib, steering.announce_routes)
        media = MediaService(
            settings.appliance_id,
            settings.agent_key,
            tokens,
            indexes,
            store,
            filler,
            liaison.pending,
            lambda: health(store, scrub, filler, housekeeping.skipped_bytes, ahead.state()),
        )
        telling = Telling(settings, connect(Fill, channel), plan, ledger, indexes, store, clock)

        def learnt(version_id: VersionId) -> None:
            keeping.add(version_id)
            ahead.add(version_id)

        def planned() -> None:
            keeping.changed()
            ahead.follow()

        server = HttpServer(media.answer)
        await server.start(settings.agent_port)
        structlog.get_logger().info(
            "appliance_serves", versions=len(indexes.version_ids), held_bytes=store.held_bytes
        )
        async with asyncio.TaskGroup() as group:
            work = [
                group.create_task(liaison.pull_snapshots(neighbours.learn)),
                group.create_task(
                    liaison.send_reports(
                        Vitals(lambda: server.in_flight, meter.kbps, rib.told, orders.software)
                    )
                ),
                group.create_task(announcer.run()),
                *(group.create_task(each.run()) for each in speakers(settings, rib)),
                group.create_task(liaison.learn_versions(learnt)),
                group.create_task(keeping.run(ahead.look_again)),
                group.create_task(ahead.run()),
                group.create_task(telling.follow_manifests(planned)),
                group.create_task(telling.tell_served()),
                group.create_task(telling.tell_held()),
                group.create_task(housekeeping.keep_books()),
                group.create_task(housekeeping.go_through()),
                group.create_task(scrub.run()),
                group.create_task(shipping.gather()),
                group.create_task(shipping.ship()),
                group.create_task(tls.follow(settings, clock)),
            ]
            await stop.wait()
            for task in work:
                task.cancel()
        await server.close()
        await filler.close()
        await store.close()
        ledger.close()
    await neighbours.close()
    await upstream.close()


def pace_of(settings: ApplianceSettings) -> Pace:
    return Pace(
        window(settings.fill_window),
        place_of(settings.timezone),
        settings.fill_kbps,
        settings.background_kbps,
    )


def speakers(settings: ApplianceSettings, rib: Rib) -> list[Speaker]:
    """One for each router that tells this appliance routes."""
    if settings.bgp is None:
        return []
    folder = Path(settings.folder) / "run"
    return [
        Speaker(settings.bgp, table, folder, number)
        for number, table in enumerate(rib.tables.values(), start=1)
    ]


async def run(settings: ApplianceSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(settings, SystemClock(), stop)


def main() -> None:
    parser = argparse.ArgumentParser(prog="cuemark.edge.agent", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="settings, as JSON")
    try:
        settings = load(parser.parse_args().config)
    except SettingsInvalid as error:
        sys.exit(str(error))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    configure_logs(f"{settings.appliance_id}-agent", Path(settings.log) if settings.log else None)
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
