"""The event log and the cursors of its readers."""

from alembic import op

revision = "log_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table log.event (
          position bigint generated always as identity primary key,
          xid xid8 not null default pg_current_xact_id(),
          topic text not null,
          key text not null,
          kind text not null,
          body json not null,
          occurred_at timestamptz not null,
          trace_id text not null
        );
        create index event_by_topic on log.event (topic, xid, position);
        create table log.cursor (
          reader text primary key,
          xid xid8 not null default '0',
          position bigint not null default 0
        );
        """
    )
