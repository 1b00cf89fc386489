"""What appliances report and hold, and the versions that they are told of."""

from alembic import op

revision = "steering_0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """
        create table steering.appliance (
          appliance_id text primary key,
          url text not null,
          healthy boolean not null,
          in_flight bigint not null,
          last_report_at timestamptz not null,
          inventory_revision bigint
        );
        create table steering.held (
          version_id text not null,
          appliance_id text not null,
          primary key (version_id, appliance_id)
        );
        create index held_by_appliance on steering.held (appliance_id);
        create table steering.published (
          position bigint generated always as identity primary key,
          version_id text not null unique,
          index_blake3 text not null
        );
        """
    )
