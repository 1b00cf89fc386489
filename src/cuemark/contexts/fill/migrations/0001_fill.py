"""What appliances served and hold, the versions that there are, and the last plans.

What an appliance served in an hour is one row: the numbers of its tracks (32 bits each) beside
their bytes (64 bits each), little-endian. Of 5,000 tracks an appliance tells each hour, and all
hours of six weeks are read for each plan. A track that was served before its version could be read
has a number, and no sort and size yet.
"""

from alembic import op

revision = "fill_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table fill.version (
          version_id text primary key,
          title_id text not null,
          quality text not null,
          duration_s double precision not null,
          published_at timestamptz not null,
          learned boolean not null default false,
          tried_at timestamptz
        );
        create index version_by_title on fill.version (title_id);
        create index version_unlearned on fill.version (version_id) where not learned;
        create table fill.track (
          number integer primary key generated always as identity,
          version_id text not null references fill.version on delete cascade,
          track_id text not null,
          sort text,
          size_bytes bigint,
          unique (version_id, track_id)
        );
        create table fill.appliance (
          appliance_id text primary key,
          region text not null,
          timezone text not null,
          storage_bytes bigint not null,
          told_at timestamptz not null
        );
        create table fill.held (
          appliance_id text not null,
          whole boolean not null,
          part integer not null,
          body bytea not null,
          primary key (appliance_id, whole, part)
        );
        create table fill.served (
          appliance_id text not null,
          hour timestamptz not null,
          region text not null,
          tracks bytea not null,
          of_bytes bytea not null,
          primary key (appliance_id, hour)
        );
        create index served_by_hour on fill.served (hour);
        create table fill.plan (
          region text not null,
          tier text not null,
          body bytea not null,
          primary key (region, tier)
        );
        create table fill.manifest (
          appliance_id text primary key,
          manifest_id text not null,
          body bytea not null
        );
        create table fill.turn (
          one boolean primary key default true check (one),
          asked_at timestamptz,
          planned_at timestamptz,
          tried_at timestamptz,
          trouble text not null default '',
          unread_trouble text not null default '',
          holder text not null default '',
          until_at timestamptz
        );
        insert into fill.turn default values;
        """
    )
