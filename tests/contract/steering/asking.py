"""What tests of steering ask and tell it."""

from datetime import timedelta

from cuemark.contracts.ids import ApplianceId, PlaySessionId, VersionId
from cuemark.contracts.steering import (
    Rank,
    Ranking,
    Steering,
)
from cuemark.contracts.steering.reports import (
    Report,
    ReportAccepted,
)
from cuemark.kit import cat
from cuemark.kit.clock import ManualClock

A, B = ApplianceId("edge-a"), ApplianceId("edge-b")
FILM, OTHER = VersionId("ver_film"), VersionId("ver_other")
MASTERS = [cat.TokenKey("k2", b"2" * 32), cat.TokenKey("k1", b"1" * 32)]


async def report(
    steering: Steering,
    appliance_id: ApplianceId,
    versions: list[VersionId] | None = None,
    *,
    revision: int = 1,
    healthy: bool = True,
    in_flight: int = 0,
) -> ReportAccepted:
    return await steering.report(
        Report(
            appliance_id=appliance_id,
            url=f"http://{appliance_id}.test:8081/",
            healthy=healthy,
            in_flight=in_flight,
            inventory_revision=revision,
            versions=versions,
        )
    )


async def rank(
    steering: Steering, clock: ManualClock, version_id: VersionId = FILM, limit: int = 3
) -> Ranking:
    return await steering.rank(
        Rank(
            session_id=PlaySessionId("play_1"),
            version_id=version_id,
            expires_at=clock.now() + timedelta(hours=12),
            limit=limit,
        )
    )


async def ranked(
    steering: Steering, clock: ManualClock, version_id: VersionId = FILM
) -> list[ApplianceId]:
    ranking = await rank(steering, clock, version_id)
    return [found.appliance_id for found in ranking.appliances]
