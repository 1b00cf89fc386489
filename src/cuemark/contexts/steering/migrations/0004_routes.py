"""Where appliances are, what their lines carry, and the routes that they announce.

Routes are kept as the batches in which they came: each steering process reads those that it has
not yet, and makes its own table of them.
"""

from alembic import op

revision = "steering_0004"
down_revision = "steering_0003"


def upgrade() -> None:
    op.execute(
        """
        alter table steering.appliance
          add column capacity_kbps bigint not null default 0,
          add column served_kbps bigint not null default 0,
          add column announced_only boolean not null default false,
          add column place jsonb,
          add column peers jsonb;
        create table steering.announcer (
          appliance_id text primary key,
          epoch text not null,
          revision bigint not null,
          changes bigint not null
        );
        create table steering.announcement (
          appliance_id text not null,
          epoch text not null,
          revision bigint not null,
          body bytea not null,
          primary key (appliance_id, epoch, revision)
        );
        """
    )
