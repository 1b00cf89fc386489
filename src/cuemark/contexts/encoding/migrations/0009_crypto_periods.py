"""How long the crypto periods of a job's versions are; 0 for one key for the whole film."""

from alembic import op

revision = "encoding_0009"
down_revision = "encoding_0008"


def upgrade() -> None:
    op.execute(
        "alter table encoding.job add column crypto_period_s double precision not null default 0"
    )
