"""Of which title a session has licences and in which territory; none in sessions of before."""

from alembic import op

revision = "licensing_0006"
down_revision = "licensing_0005"


def upgrade() -> None:
    op.execute(
        "alter table licensing.session add column title_id text, "
        "add column territory text not null default ''"
    )
