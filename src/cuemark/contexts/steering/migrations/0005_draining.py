"""Appliances that operators want to be free of plays."""

from alembic import op

revision = "steering_0005"
down_revision = "steering_0004"


def upgrade() -> None:
    op.execute("alter table steering.appliance add column draining boolean not null default false")
