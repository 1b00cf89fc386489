"""What appliances run, and the rollouts that bring them another release."""

from alembic import op

revision = "steering_0006"
down_revision = "steering_0005"


def upgrade() -> None:
    op.execute(
        """
        alter table steering.appliance
          add column rolling boolean not null default false,
          add column region text not null default '',
          add column software jsonb;
        create table steering.rollout (
          position bigint generated always as identity primary key,
          rollout_id text not null unique,
          body jsonb not null
        )
        """
    )
