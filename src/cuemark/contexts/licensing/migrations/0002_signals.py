"""How a key server wants its keys to be named; null for keys of our own."""

from alembic import op

revision = "licensing_0002"
down_revision = "licensing_0001"


def upgrade() -> None:
    op.execute("alter table licensing.content_key add column signals jsonb")
