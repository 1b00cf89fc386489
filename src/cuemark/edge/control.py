"""What the agent and control tell each other: snapshots come in, reports go out.

With control away the appliance serves on under the last snapshot, which it keeps on disk.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from blake3 import blake3

from cuemark.contracts.ids import ApplianceId, VersionId
from cuemark.contracts.steering import Steering
from cuemark.contracts.steering.reports import (
    REPORT_EVERY_S,
    GetSnapshot,
    Report,
    Snapshot,
    SnapshotKey,
    SnapshotSource,
    Software,
)
from cuemark.contracts.steering.routes import BgpPeer
from cuemark.edge.in_step import InStep
from cuemark.edge.nginx import TOKEN_KEYS
from cuemark.edge.orders import Orders
from cuemark.edge.revoked import Revoked
from cuemark.edge.settings import ApplianceSettings
from cuemark.edge.store import Indexes, IndexInvalid, read_index
from cuemark.edge.upstream import SourceAway, SourceError, Upstream
from cuemark.kit.deadline import deadline
from cuemark.kit.errors import UNREADABLE, Refusal, Unavailable
from cuemark.kit.objects import write_private

SNAPSHOT_EVERY_S = 0.5
CALL_S = 1.0
PROBE_S = 0.4
INDEX_PAUSE_S = 1.0
BAD_INDEX_PAUSE_S = 10.0


class HeldSnapshot(msgspec.Struct, frozen=True):
    """All that control has said so far: keys in force, the BLAKE3 of each version's index, and whom
    to ask for files before the origin."""

    token_keys: list[SnapshotKey] = []
    versions: dict[VersionId, str] = {}
    cursor: str = ""
    sources: list[SnapshotSource] = []

    def merged(self, news: Snapshot) -> "HeldSnapshot":
        added = {version.version_id: version.index_blake3 for version in news.versions}
        return HeldSnapshot(news.token_keys, {**self.versions, **added}, news.cursor, news.sources)


class TokenKeyFile(msgspec.Struct, frozen=True):
    """The keys as njs reads them; ``mark`` changes with them."""

    mark: str
    keys: dict[str, str]


class Knowledge:
    """The last snapshot, on disk and in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.snapshot = HeldSnapshot()
        with contextlib.suppress(FileNotFoundError, *UNREADABLE):
            body = (folder / "run" / "snapshot.json").read_bytes()
            self.snapshot = msgspec.json.decode(body, type=HeldSnapshot)
        self._write_keys(self.snapshot)
        self.keys = _keys_of(self.snapshot)

    def take(self, news: Snapshot) -> None:
        """Hold what is new; nginx sees changed keys within a second."""
        merged = self.snapshot.merged(news)
        if merged.token_keys != self.snapshot.token_keys:
            self._write_keys(merged)
            self.keys = _keys_of(merged)
        if merged != self.snapshot:
            write_private(self._folder / "run" / "snapshot.json", msgspec.json.encode(merged))
        # Last: what could not be written, the disk being full, is news again the next time.
        self.snapshot = merged

    def _write_keys(self, snapshot: HeldSnapshot) -> None:
        keys = {key.kid: key.key for key in snapshot.token_keys}
        mark = blake3(msgspec.json.encode(keys)).hexdigest()[:16] if keys else ""
        write_private(self._folder / TOKEN_KEYS, msgspec.json.encode(TokenKeyFile(mark, keys)))


def _keys_of(snapshot: HeldSnapshot) -> dict[str, bytes]:
    return {key.kid: bytes.fromhex(key.key) for key in snapshot.token_keys}


@dataclass(frozen=True)
class Vitals:
    """What an appliance measures of itself at each report."""

    in_flight: Callable[[], int]
    served_kbps: Callable[[], int]
    peers: Callable[[], list[BgpPeer]]
    software: Callable[[], Software]


class Liaison:
    """Keeps an appliance and control in step."""

    def __init__(
        self,
        settings: ApplianceSettings,
        steering: Steering,
        upstream: Upstream,
        knowledge: Knowledge,
        revoked: Revoked,
        indexes: Indexes,
        orders: Orders,
    ) -> None:
        self._settings = settings
        self._steering = steering
        self._upstream = upstream
        self._knowledge = knowledge
        self._revoked = revoked
        self._indexes = indexes
        self._orders = orders
        self._told_revision = -1
        self._in_step = InStep()
        self._learn_after_s: dict[VersionId, float] = {}

    def pending(self, version_id: VersionId) -> bool:
        """Whether control named this version but its index is not held yet."""
        known = version_id in self._knowledge.snapshot.versions
        return known and version_id not in self._indexes.version_ids

    async def pull_snapshots(self, learnt: Callable[[list[SnapshotSource]], None]) -> None:
        """For ever: learn of token keys, revoked sessions, published versions and neighbours."""
        learnt(self._knowledge.snapshot.sources)
        appliance_id = ApplianceId(self._settings.appliance_id)
        while True:
            request = GetSnapshot(
                appliance_id=appliance_id,
                after=self._knowledge.snapshot.cursor,
                revoked_after=self._revoked.cursor,
            )
            try:
                with deadline(CALL_S):
                    news = await self._steering.get_snapshot(request)
                self._revoked.take(news)
                self._knowledge.take(news)
                self._orders.take(news.order)
                learnt(self._knowledge.snapshot.sources)
                self._in_step.note("get_snapshot", "")
            except (Unavailable, Refusal, OSError) as error:
                self._in_step.note("get_snapshot", str(error))
            await asyncio.sleep(SNAPSHOT_EVERY_S)

    async def send_reports(self, vitals: Vitals) -> None:
        """For ever: tell steering that this appliance lives, and which versions it holds."""
        while True:
            report = await self._report(vitals)
            try:
                with deadline(CALL_S):
                    accepted = await self._steering.report(report)
                self._told_revision = -1 if accepted.send_inventory else report.inventory_revision
                self._in_step.note("report", "")
            except (Unavailable, Refusal) as error:
                self._told_revision = -1
                self._in_step.note("report", str(error))
            await asyncio.sleep(REPORT_EVERY_S)

    async def learn_versions(self, learnt: Callable[[VersionId], None]) -> None:
        """For ever: fetch and check the index of each version that is named and not held."""
        for version_id in sorted(self._indexes.version_ids):
            learnt(version_id)
        while True:
            for version_id, index_blake3 in list(self._knowledge.snapshot.versions.items()):
                due = asyncio.get_running_loop().time() >= self._learn_after_s.get(version_id, 0)
                if due and self.pending(version_id) and await self._learn(version_id, index_blake3):
                    learnt(version_id)
            await asyncio.sleep(SNAPSHOT_EVERY_S)

    async def _learn(self, version_id: VersionId, index_blake3: str) -> bool:
        try:
            body = await self._upstream.read(f"{version_id}/index.json")
            if blake3(body).hexdigest() != index_blake3:
                raise IndexInvalid(f"the index of {version_id} is not the one that was published")
            self._indexes.add(read_index(version_id, body), body)
        except (SourceError, IndexInvalid, OSError) as error:
            self._in_step.note(f"learn {version_id}", str(error))
            pause_s = INDEX_PAUSE_S if isinstance(error, SourceAway) else BAD_INDEX_PAUSE_S
            self._learn_after_s[version_id] = asyncio.get_running_loop().time() + pause_s
            return False
        structlog.get_logger().info("version_learnt", version_id=version_id)
        return True

    async def _report(self, vitals: Vitals) -> Report:
        revision = self._indexes.revision
        changed = revision != self._told_revision
        return Report(
            appliance_id=ApplianceId(self._settings.appliance_id),
            url=self._settings.url,
            healthy=await nginx_answers(self._settings),
            in_flight=vitals.in_flight(),
            served_kbps=vitals.served_kbps(),
            peers=vitals.peers(),
            capacity_kbps=self._settings.capacity_kbps,
            announced_only=self._settings.announced_only,
            place=self._settings.place,
            region=self._settings.region,
            software=vitals.software(),
            inventory_revision=revision,
            versions=sorted(self._indexes.version_ids) if changed else None,
        )


async def nginx_answers(settings: ApplianceSettings) -> bool:
    """Whether this appliance's nginx serves viewers now."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.bind, settings.bind)
    try:
        async with asyncio.timeout(PROBE_S):
            reader, writer = await asyncio.open_connection(
                host, settings.port, ssl=_ANY_CERTIFICATE if settings.certificate else None
            )
            try:
                writer.write(b"GET /health HTTP/1.0\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


def _without_looking() -> ssl.SSLContext:
    """For a server that is our own, whose certificate has another name than its address."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


_ANY_CERTIFICATE = _without_looking()
