"""What is searched: each index has tables of its own, which it makes; here is what they share."""

from alembic import op

revision = "search_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create extension if not exists pg_trgm;
        create table search.generation (
          number integer primary key,
          state text not null,
          after text not null default '',
          works integer not null default 0,
          whole_at timestamptz,
          retired_at timestamptz
        );
        create table search.waiting (work_id text primary key, since timestamptz not null);
        create index on search.waiting (since);
        create table search.spreading (named_id text primary key);
        create table search.title (
          title_id text primary key,
          published boolean not null default false,
          launch_at timestamptz,
          popularity double precision
        );
        create table search.version (
          version_id text primary key,
          title_id text,
          placed boolean not null default false
        );
        """
    )
