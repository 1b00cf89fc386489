"""Times as people type and read them."""

from datetime import UTC, datetime

UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def time_of(text: str) -> datetime:
    """A time in ISO 8601, of UTC where it does not say. Raises ``ValueError``."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def minute(at: datetime) -> str:
    """``2030-01-31 19:00``, of UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def moment(at: datetime) -> str:
    """``2030-01-31 19:00 UTC``."""
    return f"{minute(at)} UTC"
