"""What a job does about grain. Those begun before there was a choice go on as they were."""

from alembic import op

revision = "encoding_0011"
down_revision = "encoding_0010"


def upgrade() -> None:
    op.execute("alter table encoding.job add column film_grain text not null default 'off'")
