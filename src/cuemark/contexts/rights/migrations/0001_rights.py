"""The sets of windows of each title, and what decides in each territory."""

from alembic import op

revision = "rights_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table rights.title (
          title_id text primary key,
          number integer not null,
          last_number integer not null
        );
        create table rights.title_set (
          title_id text not null,
          number integer not null,
          replaced integer not null,
          windows text not null,
          set_at timestamptz not null,
          primary key (title_id, number)
        );
        create table rights.held (
          title_id text not null,
          territory text not null,
          windows bytea not null,
          primary key (title_id, territory)
        );
        """
    )
