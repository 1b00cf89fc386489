"""Uploads, assets, jobs with the progress of their stages, and published versions."""

from alembic import op

revision = "encoding_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table encoding.asset (
          asset_id text primary key,
          sha256 text not null unique,
          size_bytes bigint not null,
          stored_at timestamptz not null
        );
        create table encoding.upload (
          upload_id text primary key,
          name text not null,
          size_bytes bigint not null,
          announced_sha256 text not null,
          sha256 text not null default '',
          asset_id text references encoding.asset,
          opened_at timestamptz not null
        );
        create table encoding.job (
          version_id text primary key,
          quick_version_id text not null unique,
          title_id text not null,
          master_sha256 text not null,
          captions json not null,
          state text not null,
          error text not null default '',
          trace_id text not null,
          created_at timestamptz not null,
          watchable_s double precision,
          good_s double precision
        );
        create table encoding.stage (
          version_id text not null references encoding.job,
          stage text not null,
          total integer not null,
          primary key (version_id, stage)
        );
        create table encoding.unit (
          version_id text not null references encoding.job,
          stage text not null,
          unit text not null,
          primary key (version_id, stage, unit)
        );
        create table encoding.version (
          version_id text primary key,
          title_id text not null,
          document json not null,
          published_at timestamptz not null
        );
        create index version_by_title on encoding.version (title_id, published_at);
        """
    )
