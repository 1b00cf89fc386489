"""How much of what plays of a version take an appliance holds."""

from collections.abc import Iterable, Mapping, Sequence

from cuemark.contexts.fill.model.clusters import ClusterPlan
from cuemark.contexts.fill.model.stock import Held, KnownVersion
from cuemark.contracts.ids import VersionId

Values = Mapping[tuple[VersionId, str], float]
"""What is expected of each track that is planned, in plays."""


def values_of(plans: Iterable[ClusterPlan]) -> Values:
    """What is expected of each track by all of these plans together."""
    values: dict[tuple[VersionId, str], float] = {}
    for plan in plans:
        for row in plan.rows:
            key = row.version_id, row.track_id
            values[key] = values.get(key, 0.0) + row.value
    return values


def percents(
    versions: Sequence[KnownVersion], values: Values, held: Held, most: int
) -> dict[VersionId, int]:
    """The percent that is held, rounded down, of up to ``most`` versions of which it is one or
    more, the fullest first.

    A play takes one rendition and one sound, and nobody knows which before it began. So each track
    counts by the bytes that are expected to be played of it; where none are expected of any, by
    its size.
    """
    found: dict[VersionId, int] = {}
    for version in versions:
        keys = [(version.version_id, facts.track_id) for facts in version.tracks]
        plays = [values.get(key, 0.0) for key in keys]
        if not any(plays):
            plays = [1.0] * len(keys)
        there = taken = 0.0
        for key, facts, count in zip(keys, version.tracks, plays, strict=True):
            there += count * min(held.get(key, 0), facts.size_bytes)
            taken += count * facts.size_bytes
        percent = int(100 * (there / taken)) if taken else 0
        if percent:
            found[version.version_id] = percent
    fullest = sorted(found, key=lambda version_id: (-found[version_id], version_id))[:most]
    return {version_id: found[version_id] for version_id in fullest}
