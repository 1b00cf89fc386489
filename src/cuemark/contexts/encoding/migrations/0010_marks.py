"""Jobs whose pictures are marked, each by a key of its own, and searches for such marks."""

from alembic import op

revision = "encoding_0010"
down_revision = "encoding_0009"


def upgrade() -> None:
    # The key stands in a table of its own: no query for a job can give it away by accident.
    op.execute(
        """
        alter table encoding.job add column mark_key_id text not null default '';
        create table encoding.mark_key (
          version_id text primary key references encoding.job (version_id) on delete cascade,
          key bytea not null
        );
        create table encoding.mark_search (
          search_id text primary key,
          version_id text not null references encoding.version (version_id),
          copy_sha256 text not null,
          state text not null default 'running',
          error text not null default '',
          evidence json,
          tries integer not null default 0,
          trace_id text not null default '',
          asked_at timestamptz not null
        );
        create unique index mark_search_once on encoding.mark_search (version_id, copy_sha256)
          where state != 'failed';
        """
    )
