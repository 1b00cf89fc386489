"""When each unit of work was finished and what it cost; the release before writes none of it."""

from alembic import op

revision = "encoding_0002"
down_revision = "encoding_0001"


def upgrade() -> None:
    op.execute(
        """
        alter table encoding.unit
          add column finished_at timestamptz,
          add column wall_s double precision not null default 0,
          add column cpu_s double precision not null default 0;
        """
    )
