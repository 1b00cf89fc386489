"""The login for which a session has licences: those that there are have them for any."""

from alembic import op

revision = "licensing_0009"
down_revision = "licensing_0008"


def upgrade() -> None:
    op.execute("alter table licensing.session add column login_id text not null default ''")
