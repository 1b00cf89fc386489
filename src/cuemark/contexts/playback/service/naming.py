"""Whose copy it is: what a copy shows, compared with the rows of all who may have made it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from cuemark.contexts.playback import store
from cuemark.contexts.playback.model import fingerprint
from cuemark.contexts.playback.model.session import Session
from cuemark.contracts.encoding.versions import UnknownVersion, Version
from cuemark.contracts.ids import PlaySessionId, VersionId
from cuemark.contracts.playback import (
    CannotName,
    CannotNameNow,
    EvidenceInvalid,
    NameSessions,
    Naming,
    Suspect,
)
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable

COMPARED_AT_ONCE = 2000

Describe = Callable[[VersionId], Awaitable[Version]]
"""Raises ``UnknownVersion`` and ``Unavailable``."""


class NamingService:
    """Compares every session that a title has had; ``key`` is of what their rows are made."""

    def __init__(self, database: Database, key: bytes, describe: Describe) -> None:
        self._database = database
        self._key = key
        self._describe = describe

    async def name(self, request: NameSessions) -> Naming:
        try:
            comparison = fingerprint.Comparison(request.values, request.first_segment)
        except fingerprint.EvidenceUnusable as error:
            raise EvidenceInvalid(f"The evidence of this copy cannot be used: {error}.") from error
        try:
            version = await self._describe(request.version_id)
            if not version.marked:
                raise CannotName("The pictures of this version are not marked.")
            await self._compare(comparison, version)
        except UnknownVersion:
            raise CannotName("There is no such version.") from None
        except Unavailable as away:
            structlog.get_logger().warning("sessions_unnamed", reason=str(away))
            raise CannotNameNow(
                "The version's description cannot be read just now: try again in a moment."
            ) from away
        found = comparison.suspicions()
        ids = [PlaySessionId(each.session_id) for each in found]
        async with self._database.transaction() as transaction:
            sessions = await store.named(transaction, ids)
        return Naming(
            title_id=version.title_id,
            compared=comparison.compared,
            suspects=[
                _suspect(each, sessions[session_id])
                for each, session_id in zip(found, ids, strict=True)
            ],
            verdict=fingerprint.verdict(comparison),
        )

    async def _compare(self, comparison: fingerprint.Comparison, version: Version) -> None:
        """Compare the sessions of all versions of the title whose segments are this one's."""
        alike: dict[VersionId, bool] = {}
        after = ""
        while True:
            async with self._database.transaction() as transaction:
                page = await store.of_title(transaction, version.title_id, after, COMPARED_AT_ONCE)
            for version_id in {version_id for _, version_id in page} - alike.keys():
                alike[version_id] = await self._cut_alike(version_id, version)
            ids = [session_id for session_id, version_id in page if alike[version_id]]
            await asyncio.to_thread(self._add, comparison, ids)
            if len(page) < COMPARED_AT_ONCE:
                return
            after = page[-1][0]

    async def _cut_alike(self, version_id: VersionId, other: Version) -> bool:
        """Whether the same row shows the same variants in both; of one that is gone, no."""
        try:
            version = await self._describe(version_id)
        except UnknownVersion:
            return False
        return version.marked and version.video_timeline == other.video_timeline

    def _add(
        self, comparison: fingerprint.Comparison, session_ids: Sequence[PlaySessionId]
    ) -> None:
        comparison.add({each: fingerprint.row(self._key, each) for each in session_ids})


def _suspect(found: fingerprint.Suspicion, session: Session) -> Suspect:
    return Suspect(
        session_id=session.session_id,
        version_id=session.version_id,
        named=found.named,
        agreement=found.agreement,
        chance=found.chance,
        started_at=session.started_at,
        device=session.device,
        account_id=session.account_id if found.named else None,
        profile_id=session.profile_id if found.named else None,
    )
