"""The licence types of the plan that a session has its right by: without any, the install's."""

from alembic import op

revision = "licensing_0010"
down_revision = "licensing_0009"


def upgrade() -> None:
    op.execute(
        "alter table licensing.session add column licence_types text[] not null default '{}'"
    )
